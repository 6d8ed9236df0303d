"""The questions of a day as they were accepted: what a tenant's quotas are counted from, in the same transaction.

The read model learns of a question a moment later, so that questions at one moment could overrun what was
counted there.
"""

from importlib import import_module

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_STATEMENTS = (
    """
    CREATE TABLE app.accepted_questions (
      question_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      accepted_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX accepted_questions_tenant ON app.accepted_questions (tenant_id, accepted_at)",
    """
    INSERT INTO app.accepted_questions (question_id, tenant_id, accepted_at)
    SELECT question_id, tenant_id, asked_at FROM app.questions WHERE asked_at > now() - interval '1 day'
    """,
)


def upgrade() -> None:
    policies = _tenants.protect("app.accepted_questions", _tenants.REQUESTS, _tenants.BACKGROUND)
    for statement in (*_STATEMENTS, *policies):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE app.accepted_questions")
