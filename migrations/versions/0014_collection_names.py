"""A key for the names of collections, which nobody who sees the vector server alone can work out."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Two random UUIDs: 244 bits, without an extension that not every server has. The column is filled by its default.
    op.execute("""
    ALTER TABLE rag.installation ADD COLUMN naming_key bytea NOT NULL
      DEFAULT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
    """)
    op.execute("REVOKE ALL ON rag.installation FROM repostream_search")


def downgrade() -> None:
    op.execute("ALTER TABLE rag.installation DROP COLUMN naming_key")
