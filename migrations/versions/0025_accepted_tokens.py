"""The model tokens of a day beside its questions: a quota is not reset by deleting what they were asked about."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE app.accepted_questions ADD COLUMN tokens bigint")  # null while the answer is to come
    op.execute("""
        UPDATE app.accepted_questions a
        SET tokens = CAST(q.record ->> 'input_tokens' AS bigint) + CAST(q.record ->> 'output_tokens' AS bigint)
        FROM app.questions q WHERE q.question_id = a.question_id AND q.state <> 'asked'
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE app.accepted_questions DROP COLUMN tokens")
