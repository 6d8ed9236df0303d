"""Teams: invitations into a tenant, and links by which somebody outside sees one thing of it.

Both are found by a secret, before anybody knows whose it is. So the tables keep tenants apart like all others, and a
function of the owner's rights says, for the hash of a secret, which row is meant: nothing else leaves the tenant.
"""

from importlib import import_module

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")

_TABLES = ("app.invitations", "app.shares")
_STATEMENTS = (
    """
    CREATE TABLE app.invitations (
      invitation_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      secret_hash bytea NOT NULL UNIQUE, -- SHA-256 of the 256 random bits in the link
      role text NOT NULL,
      login text, -- whom alone it is for; null: whoever has the link
      created_by uuid NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      used_at timestamptz,
      used_by uuid,
      revoked_at timestamptz
    )
    """,
    "CREATE INDEX invitations_tenant ON app.invitations (tenant_id, created_at DESC, invitation_id DESC)",
    """
    CREATE TABLE app.shares (
      share_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      secret_hash bytea NOT NULL UNIQUE, -- SHA-256 of the 256 random bits in the link
      kind text NOT NULL, -- repository, conversation
      resource_id uuid NOT NULL, -- the one thing that it shows
      created_by uuid NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      revoked_at timestamptz
    )
    """,
    "CREATE INDEX shares_tenant ON app.shares (tenant_id, created_at DESC, share_id DESC)",
    """
    CREATE FUNCTION app.tenant_of_invitation(p_hash bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
      SELECT i.tenant_id FROM app.invitations i
      JOIN auth.tenants t ON t.tenant_id = i.tenant_id AND t.deleted_at IS NULL
      WHERE i.secret_hash = p_hash
    $$
    """,
    # A link is worth no more than what whoever made it may do at this moment.
    """
    CREATE FUNCTION app.share_of(p_hash bytea)
    RETURNS TABLE (share_id uuid, tenant_id uuid, kind text, resource_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
      SELECT s.share_id, s.tenant_id, s.kind, s.resource_id FROM app.shares s
      JOIN auth.tenants t ON t.tenant_id = s.tenant_id AND t.deleted_at IS NULL
      JOIN auth.members m ON m.tenant_id = s.tenant_id AND m.user_id = s.created_by AND m.role <> 'viewer'
      JOIN auth.users u ON u.user_id = s.created_by AND u.suspended_at IS NULL AND u.deleted_at IS NULL
      WHERE s.secret_hash = p_hash AND s.revoked_at IS NULL AND s.expires_at > now()
    $$
    """,
)
_FUNCTIONS = ("app.tenant_of_invitation(bytea)", "app.share_of(bytea)")


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    for table in _TABLES:
        for statement in _tenants.protect(table, _tenants.REQUESTS, _tenants.BACKGROUND):
            op.execute(statement)
    for function in _FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {_tenants.REQUESTS}")


def downgrade() -> None:
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    for table in reversed(_TABLES):
        op.execute(f"DROP TABLE {table}")
