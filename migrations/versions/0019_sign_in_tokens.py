"""A person's own token of the host that they signed in with: by it their access is checked before a GitHub App reads.

It belongs to the person in whatever tenant they work, so it has no tenant, and a row of its own beside what people keep
(until now meant to stand in `auth.repository_credentials`, where nothing ever put one).
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_UP = (
    """
    CREATE TABLE auth.sign_in_tokens (
      token_id uuid PRIMARY KEY, -- derives from person and host; the `credential_ref` of events, no secret
      user_id uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE,
      host text NOT NULL, -- the one that it is shown to
      sealed bytea NOT NULL, -- with its id, its owner and its host (`runtime/sealing.py`); the refresh token too
      kept_at timestamptz NOT NULL DEFAULT now(),
      renew_at timestamptz NOT NULL, -- shortly before the token's own end
      expires_at timestamptz NOT NULL, -- after that nothing renews it
      used_at timestamptz,
      UNIQUE (user_id, host)
    )
    """,
    "DELETE FROM auth.repository_credentials WHERE given = 'sign_in'",
    "DROP INDEX auth.repository_credentials_sign_in",
    "ALTER TABLE auth.repository_credentials DROP CONSTRAINT repository_credentials_given_check",
    """
    ALTER TABLE auth.repository_credentials
    ADD CONSTRAINT repository_credentials_given_check CHECK (given IN ('kept', 'once'))
    """,
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE auth.repository_credentials DROP CONSTRAINT repository_credentials_given_check")
    op.execute("""
        ALTER TABLE auth.repository_credentials
        ADD CONSTRAINT repository_credentials_given_check CHECK (given IN ('kept', 'once', 'sign_in'))
    """)
    op.execute("""
        CREATE UNIQUE INDEX repository_credentials_sign_in
        ON auth.repository_credentials (tenant_id, user_id, host) WHERE given = 'sign_in'
    """)
    op.execute("DROP TABLE auth.sign_in_tokens")
