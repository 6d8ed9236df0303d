"""Rebuilds of read models that administrators asked for, and what each of them found."""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE es.rebuilds (
      rebuild_id uuid PRIMARY KEY,
      asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      replace boolean NOT NULL,
      state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'done', 'failed')),
      ended_at timestamptz,
      message text,
      report jsonb NOT NULL DEFAULT '[]'
    )
    """)
    op.execute("CREATE INDEX rebuilds_asked ON es.rebuilds (asked_at) WHERE state = 'asked'")
    op.execute("GRANT SELECT, INSERT, UPDATE ON es.rebuilds TO repostream_background")


def downgrade() -> None:
    op.execute("DROP TABLE es.rebuilds")
