"""What private repositories are read with: tokens that people give, sealed, each for one host.

Written by the orchestrator alone. An event carries `credential_id`, never more.
"""

from importlib import import_module

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE auth.repository_credentials (
      credential_id uuid PRIMARY KEY, -- the `credential_ref` of events; no secret
      tenant_id uuid NOT NULL REFERENCES auth.tenants,
      user_id uuid NOT NULL REFERENCES auth.users, -- whose it is; nobody else reads anything with it
      given text NOT NULL CHECK (given IN ('kept', 'once', 'sign_in')), -- once: given for one analysis alone
      host text NOT NULL, -- the one that it is shown to
      name text NOT NULL,
      sealed bytea NOT NULL, -- with its id, its owner and its host (`runtime/sealing.py`)
      analysis_id uuid, -- of `once`
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz,
      used_at timestamptz
    )
    """,
    "CREATE INDEX repository_credentials_user ON auth.repository_credentials (user_id, created_at DESC)",
    "CREATE INDEX repository_credentials_once ON auth.repository_credentials (analysis_id) WHERE given = 'once'",
    """
    CREATE UNIQUE INDEX repository_credentials_sign_in
    ON auth.repository_credentials (tenant_id, user_id, host) WHERE given = 'sign_in'
    """,
)


_tenants = import_module("migrations.versions.0007_tenants")
_POLICIES = _tenants.protect("auth.repository_credentials", _tenants.REQUESTS, _tenants.BACKGROUND)


def upgrade() -> None:
    for statement in (*_STATEMENTS, *_POLICIES):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE auth.repository_credentials")
