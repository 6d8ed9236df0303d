"""Forget the kept answer to the request that made a key, a webhook, an invitation or the like once that is over.

Such an answer has a secret or an address in it, and is kept (sealed) for a day to be told again under its idempotency
key. A grant's has no id in it, and nothing but tokens, which are good for nothing once the grant is over.
"""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_REVOKED = "AFTER UPDATE OF revoked_at"
_TABLES = {
    "app.webhooks": ("AFTER DELETE", "webhook_id"),
    "auth.repository_credentials": ("AFTER DELETE", "credential_id"),
    "auth.api_keys": (_REVOKED, "key_id"),
    "app.invitations": (_REVOKED, "invitation_id"),
    "app.shares": (_REVOKED, "share_id"),
}
_FUNCTION = """
CREATE FUNCTION app.forget_answers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE app.idempotency SET answer = NULL
  WHERE tenant_id = OLD.tenant_id AND answer IS NOT NULL
    AND ids @> ARRAY[CAST(to_jsonb(OLD)->>TG_ARGV[0] AS uuid)];
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute(_FUNCTION)
    for table, (when, key) in _TABLES.items():
        op.execute(
            f"CREATE TRIGGER forget_answers {when} ON {table} FOR EACH ROW EXECUTE FUNCTION app.forget_answers('{key}')"
        )


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"DROP TRIGGER forget_answers ON {table}")
    op.execute("DROP FUNCTION app.forget_answers()")
