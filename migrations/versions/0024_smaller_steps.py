"""Hold the end of the audit trail for less at a time; and find by an index what was read whole.

Every change waits for that end, and `audit.forget` and `audit.expire` hold it while they work: they do so many rows and
say how many, until it is none.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_ROLE = "repostream_background"
_KEPT_AT_LEAST = "30 days"
_MOST = 10_000
_STATEMENTS = (
    "DROP FUNCTION audit.forget(uuid)",
    """
    CREATE FUNCTION audit.forget(who uuid, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      emptied bigint;
    BEGIN
      PERFORM FROM audit.head FOR UPDATE;
      PERFORM set_config('audit.forgetting', 'yes', true);
      UPDATE audit.entries SET salt = NULL, address = '', agent = '' WHERE position IN (
        SELECT position FROM audit.entries WHERE user_id = who AND salt IS NOT NULL LIMIT most
      );
      GET DIAGNOSTICS emptied = ROW_COUNT;
      PERFORM set_config('audit.forgetting', '', true);
      RETURN emptied;
    END $$
    """,
    f"""
    CREATE OR REPLACE FUNCTION audit.expire(before timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      kept audit.head;
      last bigint;
      gone bigint;
    BEGIN
      SELECT * INTO kept FROM audit.head FOR UPDATE;
      before := least(before, now() - interval '{_KEPT_AT_LEAST}');
      SELECT least(coalesce(min(position) - 1, kept.position), kept.first_position + {_MOST}) INTO last
      FROM audit.entries WHERE at >= before;
      UPDATE audit.head h SET first_position = e.position, first_hash = e.hash
      FROM audit.entries e WHERE e.position = last;
      PERFORM set_config('audit.expiring', 'yes', true);
      DELETE FROM audit.entries WHERE position <= last;
      GET DIAGNOSTICS gone = ROW_COUNT;
      PERFORM set_config('audit.expiring', '', true);
      RETURN gone;
    END $$
    """,  # noqa: S608  # constants of ours
    "REVOKE ALL ON FUNCTION audit.forget(uuid, integer) FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION audit.forget(uuid, integer) TO {_ROLE}",
    "CREATE INDEX entries_personal ON audit.entries (user_id) WHERE salt IS NOT NULL",
    "CREATE INDEX events_tenant ON es.events (tenant_id, position)",
    "CREATE INDEX events_begun ON es.events (repository_id) WHERE type = 'repository.processing.requested'",
    "CREATE INDEX files_source ON rag.files (source_sha256)",
    "CREATE INDEX embeddings_artifact ON rag.embeddings (artifact_key)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("an older version would hold up every change again: restore a backup")
