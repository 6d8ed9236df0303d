"""Find the questions that a tenant asked since a moment: what its quotas of a day are counted from."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX questions_tenant ON app.questions (tenant_id, asked_at)")


def downgrade() -> None:
    op.execute("DROP INDEX app.questions_tenant")
