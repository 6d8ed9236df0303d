"""Tokens that are over before their time.

Written by the orchestrator. A row is gone once every token that it is about has ended by itself.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE auth.revocations (
      id uuid PRIMARY KEY, -- the `sid` or `jti` of tokens: of a session, of a family of refresh tokens, or of one token
      until timestamptz NOT NULL
    )
    """,
    "CREATE INDEX sessions_revoked ON auth.sessions (revoked_at) WHERE revoked_at IS NOT NULL",
    "CREATE INDEX refresh_tokens_user ON auth.refresh_tokens (user_id, tenant_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX auth.refresh_tokens_user")
    op.execute("DROP INDEX auth.sessions_revoked")
    op.execute("DROP TABLE auth.revocations")
