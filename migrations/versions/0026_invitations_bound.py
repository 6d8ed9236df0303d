"""Invitations are worth what whoever made them may do at this moment, and name a login of one provider.

A login is somebody else's at another provider. Those that are open are taken to mean the provider of who made them.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_JOINS = """
      JOIN auth.members m ON m.tenant_id = i.tenant_id AND m.user_id = i.created_by AND m.role = 'owner'
      JOIN auth.users u ON u.user_id = i.created_by AND u.suspended_at IS NULL AND u.deleted_at IS NULL
"""


def _function(joins: str) -> str:
    return f"""
    CREATE OR REPLACE FUNCTION app.tenant_of_invitation(p_hash bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
      SELECT i.tenant_id FROM app.invitations i
      JOIN auth.tenants t ON t.tenant_id = i.tenant_id AND t.deleted_at IS NULL
      {joins}
      WHERE i.secret_hash = p_hash
    $$
    """  # noqa: S608  # constants of ours


def upgrade() -> None:
    op.execute("ALTER TABLE app.invitations ADD COLUMN provider text")  # of the login; null where there is none
    op.execute("""
        UPDATE app.invitations i SET provider = u.provider FROM auth.users u
        WHERE u.user_id = i.created_by AND i.login IS NOT NULL
    """)
    op.execute(_function(_JOINS))


def downgrade() -> None:
    op.execute(_function(""))
    op.execute("ALTER TABLE app.invitations DROP COLUMN provider")
