"""Who may come in: tenants, people, their sessions and keys, and the keys that sign tokens.

Written by the orchestrator alone. None of it is a read model: secrets are kept as hashes, which no event may hold.
`auth.signing_keys.private_key` is sealed (`runtime/sealing.py`). What happens to an account is an event as well.
"""

from alembic import op

from events.base import LOCAL_TENANT, LOCAL_USER

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "CREATE SCHEMA auth",
    """
    CREATE TABLE auth.tenants (
      tenant_id uuid PRIMARY KEY,
      name text NOT NULL,
      personal boolean NOT NULL, -- made at a person's first sign-in; nobody else is ever its member
      created_at timestamptz NOT NULL DEFAULT now(),
      deleted_at timestamptz
    )
    """,
    """
    CREATE TABLE auth.users (
      user_id uuid PRIMARY KEY,
      provider text NOT NULL, -- the provider's name in the settings; 'local' for the user of a laptop
      subject text NOT NULL, -- the provider's own unchanging id; GitHub's is the numeric one
      login text NOT NULL, -- for people to read: it may change, and may become somebody else's
      name text NOT NULL,
      admin boolean NOT NULL DEFAULT false,
      created_at timestamptz NOT NULL DEFAULT now(),
      suspended_at timestamptz,
      deleted_at timestamptz,
      UNIQUE (provider, subject)
    )
    """,
    """
    CREATE TABLE auth.members (
      tenant_id uuid NOT NULL REFERENCES auth.tenants,
      user_id uuid NOT NULL REFERENCES auth.users,
      role text NOT NULL CHECK (role IN ('owner', 'member', 'viewer')),
      since timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant_id, user_id)
    )
    """,
    "CREATE INDEX members_user ON auth.members (user_id)",
    """
    CREATE TABLE auth.sessions (
      session_id uuid PRIMARY KEY, -- the `sid` of tokens; no secret
      secret_hash bytea NOT NULL UNIQUE, -- SHA-256 of the 256 random bits in the cookie
      user_id uuid NOT NULL REFERENCES auth.users,
      tenant_id uuid NOT NULL REFERENCES auth.tenants, -- the one that is worked in; changed by a switch
      created_at timestamptz NOT NULL DEFAULT now(),
      seen_at timestamptz NOT NULL DEFAULT now(), -- kept to the minute, for the idle expiry
      expires_at timestamptz NOT NULL, -- the absolute end
      revoked_at timestamptz,
      address text NOT NULL,
      agent text NOT NULL
    )
    """,
    "CREATE INDEX sessions_user ON auth.sessions (user_id, created_at DESC)",
    """
    CREATE TABLE auth.api_keys (
      key_id uuid PRIMARY KEY,
      prefix text NOT NULL UNIQUE, -- shown to people, and what a key is found by
      secret_hash bytea NOT NULL,
      user_id uuid NOT NULL REFERENCES auth.users,
      tenant_id uuid NOT NULL REFERENCES auth.tenants,
      name text NOT NULL,
      scopes text[] NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz,
      used_at timestamptz,
      revoked_at timestamptz
    )
    """,
    "CREATE INDEX api_keys_user ON auth.api_keys (user_id, created_at DESC)",
    """
    CREATE TABLE auth.refresh_tokens (
      token_hash bytea PRIMARY KEY,
      family_id uuid NOT NULL, -- all that descend from one sign-in; the use of an old one ends them all
      user_id uuid NOT NULL REFERENCES auth.users,
      tenant_id uuid NOT NULL REFERENCES auth.tenants,
      scopes text[] NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      used_at timestamptz,
      revoked_at timestamptz
    )
    """,
    "CREATE INDEX refresh_tokens_family ON auth.refresh_tokens (family_id)",
    """
    CREATE TABLE auth.signing_keys (
      kid text PRIMARY KEY, -- the RFC 7638 thumbprint
      use text NOT NULL CHECK (use IN ('session', 'local')), -- a local installation's tokens have a key of their own
      private_key bytea, -- sealed; gone once nothing is signed with it any more
      public_jwk jsonb NOT NULL,
      published_at timestamptz NOT NULL DEFAULT now(),
      signs_from timestamptz NOT NULL,
      signs_until timestamptz,
      withdrawn_at timestamptz -- from then on it is not published
    )
    """,
    "CREATE UNIQUE INDEX signing_keys_newest ON auth.signing_keys (use) WHERE signs_until IS NULL",
    f"INSERT INTO auth.tenants (tenant_id, name, personal) VALUES ('{LOCAL_TENANT}', 'This machine', true)",  # noqa: S608  # constants of ours
    f"""
    INSERT INTO auth.users (user_id, provider, subject, login, name)
    VALUES ('{LOCAL_USER}', 'local', '1', 'you', 'You')
    """,  # noqa: S608  # the same
    f"INSERT INTO auth.members (tenant_id, user_id, role) VALUES ('{LOCAL_TENANT}', '{LOCAL_USER}', 'owner')",  # noqa: S608  # the same
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA auth CASCADE")
