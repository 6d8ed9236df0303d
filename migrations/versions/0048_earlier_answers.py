"""Find an answer that was given before to the same question about the same generation."""

from alembic import op

from migrations.beside import make_index

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_index(
        "events_answered",
        "es.events ((data->>'generation_id'), (data->>'shelf')) WHERE type = 'ai.query.processed'",
    )


def downgrade() -> None:
    op.execute("DROP INDEX es.events_answered")
