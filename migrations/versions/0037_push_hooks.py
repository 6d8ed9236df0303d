"""Push hooks: the secret by which a repository's host says that something was pushed, and what it said already."""

from importlib import import_module

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_STATEMENTS = (
    """
    CREATE TABLE app.push_hooks (
      hook_id uuid PRIMARY KEY, -- another one with each secret
      repository_id uuid NOT NULL UNIQUE,
      tenant_id uuid NOT NULL,
      secret bytea NOT NULL, -- sealed
      created_at timestamptz NOT NULL,
      created_by uuid NOT NULL, -- in whose name it begins analyses
      received_at timestamptz, -- the newest call that was signed
      outcome text NOT NULL DEFAULT '' -- and what became of it
    )
    """,
    "CREATE INDEX push_hooks_tenant ON app.push_hooks (tenant_id)",
    """
    CREATE TABLE app.push_deliveries (
      hook_id uuid NOT NULL REFERENCES app.push_hooks ON DELETE CASCADE,
      digest bytea NOT NULL, -- of what its signature covers: a replay has the same, whatever it calls itself
      delivery text NOT NULL, -- as the host calls it
      tenant_id uuid NOT NULL,
      received_at timestamptz NOT NULL,
      PRIMARY KEY (hook_id, digest)
    )
    """,
    "CREATE UNIQUE INDEX push_deliveries_names ON app.push_deliveries (hook_id, delivery)",
    # A hook is worth no more than what whoever made it may do at this moment.
    """
    CREATE FUNCTION app.push_hook_of(p_repository uuid)
    RETURNS TABLE (hook_id uuid, tenant_id uuid, created_by uuid, secret bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
      SELECT h.hook_id, h.tenant_id, h.created_by, h.secret FROM app.push_hooks h
      JOIN auth.tenants t ON t.tenant_id = h.tenant_id AND t.deleted_at IS NULL
      JOIN auth.members m ON m.tenant_id = h.tenant_id AND m.user_id = h.created_by AND m.role <> 'viewer'
      JOIN auth.users u ON u.user_id = h.created_by AND u.suspended_at IS NULL AND u.deleted_at IS NULL
      WHERE h.repository_id = p_repository
        AND NOT EXISTS (SELECT FROM app.deleted_repositories d WHERE d.repository_id = p_repository)
    $$
    """,
    "REVOKE ALL ON FUNCTION app.push_hook_of(uuid) FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION app.push_hook_of(uuid) TO {_tenants.REQUESTS}",
    """
    CREATE TRIGGER refuse_deleted AFTER INSERT OR UPDATE OF tenant_id, created_by ON app.push_hooks
    FOR EACH ROW EXECUTE FUNCTION auth.refuse_deleted('tenant_id', 'created_by')
    """,
    """
    CREATE TRIGGER forget_answers AFTER DELETE ON app.push_hooks
    FOR EACH ROW EXECUTE FUNCTION app.forget_answers('hook_id')
    """,
)
_TABLES = ("app.push_hooks", "app.push_deliveries")


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    for table in _TABLES:
        for statement in _tenants.protect(table, _tenants.REQUESTS, _tenants.BACKGROUND):
            op.execute(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION app.push_hook_of(uuid)")
    for table in reversed(_TABLES):
        op.execute(f"DROP TABLE {table}")
