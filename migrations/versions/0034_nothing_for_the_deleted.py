"""Refuse rows and events of tenants and people who are deleted: no deletion waits for requests that may still write.

A row is looked at after it was written: by then its transaction holds the table's lock, by which whoever deletes sees
the transactions that did not know of the deletion yet, and waits for their end.
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_REQUESTS = "repostream_requests"
# Each table that requests write, with its columns of a tenant ('' for none) and of people. What projections write is
# not among them: they skip what was deleted, in the order of the feed, and must not be stopped.
GUARDED = {
    "app.accepted_questions": ("tenant_id",),
    "app.idempotency": ("tenant_id", "user_id"),
    "app.intake": ("tenant_id",),
    "app.invitations": ("tenant_id", "created_by", "used_by"),
    "app.looks": ("tenant_id",),
    "app.shares": ("tenant_id", "created_by"),
    "app.uploads": ("tenant_id",),
    "app.webhooks": ("tenant_id",),
    "auth.api_keys": ("tenant_id", "user_id"),
    "auth.members": ("tenant_id", "user_id"),
    "auth.refresh_tokens": ("tenant_id", "user_id"),
    "auth.repository_credentials": ("tenant_id", "user_id"),
    "auth.sessions": ("tenant_id", "user_id"),
    "auth.sign_in_tokens": ("", "user_id"),
}
_FUNCTIONS = (
    """
    CREATE FUNCTION auth.refuse_deleted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
      v_row jsonb := to_jsonb(NEW);
      v_tenant uuid := v_row->>TG_ARGV[0];
      v_people uuid[] := '{}';
    BEGIN
      FOR n IN 1 .. TG_NARGS - 1 LOOP
        v_people := v_people || CAST(v_row->>TG_ARGV[n] AS uuid);
      END LOOP;
      IF EXISTS (SELECT FROM auth.tenants WHERE tenant_id = v_tenant AND deleted_at IS NOT NULL)
        OR EXISTS (SELECT FROM auth.users WHERE user_id = ANY (v_people) AND deleted_at IS NOT NULL)
      THEN
        RAISE EXCEPTION 'a row of %.% is of somebody who is deleted', TG_TABLE_SCHEMA, TG_TABLE_NAME
          USING ERRCODE = 'RS404';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION auth.unaware_of_deletions() RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    RETURN (
      SELECT coalesce(array_agg(DISTINCT l.virtualtransaction), '{}') FROM pg_locks l
      WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.pid <> pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.relation IN (SELECT tgrelid FROM pg_trigger WHERE tgname = 'refuse_deleted')
    )
    """,
    "REVOKE ALL ON FUNCTION auth.unaware_of_deletions() FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION auth.unaware_of_deletions() TO repostream_background",
)


def _triggers(table: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    changed = ", ".join(column for column in columns if column)
    arguments = ", ".join(f"'{column}'" for column in columns)
    return (
        f"""
        CREATE TRIGGER refuse_deleted AFTER INSERT OR UPDATE OF {changed} ON {table}
        FOR EACH ROW EXECUTE FUNCTION auth.refuse_deleted({arguments})
        """,
    )


def upgrade() -> None:
    for statement in _FUNCTIONS:
        op.execute(statement)
    for table, columns in GUARDED.items():
        for statement in _triggers(table, columns):
            op.execute(statement)
    # A request's; what the services say of work that goes on is read by nobody any more, and must not stop them.
    op.execute(f"""
        CREATE TRIGGER refuse_deleted AFTER INSERT ON es.events FOR EACH ROW
        WHEN (current_user = '{_REQUESTS}' AND NEW.type NOT IN ('tenant.deleted', 'account.deleted'))
        EXECUTE FUNCTION auth.refuse_deleted('tenant_id', 'user_id')
    """)


def downgrade() -> None:
    for table in (*GUARDED, "es.events"):
        op.execute(f"DROP TRIGGER refuse_deleted ON {table}")
    op.execute("DROP FUNCTION auth.unaware_of_deletions()")
    op.execute("DROP FUNCTION auth.refuse_deleted()")
