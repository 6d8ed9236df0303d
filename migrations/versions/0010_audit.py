"""The audit trail: append-only, and each entry sealed to the one before.

Services may only call `audit.append` and read. The table's owner deletes by `audit.expire` alone, whole months from the
beginning; what is left still proves itself, for the head keeps where it begins.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KEPT_AT_LEAST = "30 days"

_STATEMENTS = (
    "CREATE SCHEMA audit",
    """
    CREATE TABLE audit.entries (
      position bigint PRIMARY KEY, -- without gaps
      entry_id uuid NOT NULL UNIQUE, -- the writer's: an entry that is written twice is there once
      at timestamptz NOT NULL,
      action text NOT NULL,
      outcome text NOT NULL CHECK (outcome IN ('allowed', 'refused', 'failed')),
      target text NOT NULL,
      status smallint, -- of HTTP; null where there was no answer
      code text NOT NULL,
      tenant_id uuid,
      user_id uuid,
      proof text NOT NULL,
      proof_id uuid, -- a session or a key
      address text NOT NULL,
      agent text NOT NULL,
      correlation_id uuid,
      times integer NOT NULL,
      hash bytea NOT NULL -- of this entry and the hash before it
    )
    """,
    "CREATE INDEX entries_at ON audit.entries (at)",
    "CREATE INDEX entries_tenant ON audit.entries (tenant_id, position)",
    "CREATE INDEX entries_user ON audit.entries (user_id, position)",
    "CREATE INDEX entries_action ON audit.entries (action, position)",
    """
    CREATE TABLE audit.head (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      position bigint NOT NULL, -- of the newest entry
      hash bytea NOT NULL,
      first_position bigint NOT NULL, -- of the newest entry that expired
      first_hash bytea NOT NULL
    )
    """,
    "INSERT INTO audit.head (position, hash, first_position, first_hash) VALUES (0, sha256(''), 0, sha256(''))",
    # JSON with `, ` between its parts: worked out without PostgreSQL in orchestrator/audit/chain.py.
    """
    CREATE FUNCTION audit.hash_of(previous bytea, e audit.entries) RETURNS bytea LANGUAGE sql STABLE AS $$
      SELECT sha256(previous || convert_to(jsonb_build_array(
        e.position, e.entry_id, (extract(epoch FROM e.at) * 1000000)::bigint, e.action, e.outcome, e.target, e.status,
        e.code, e.tenant_id, e.user_id, e.proof, e.proof_id, e.address, e.agent, e.correlation_id, e.times
      )::text, 'UTF8'))
    $$
    """,
    """
    CREATE FUNCTION audit.append(given jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      last audit.head;
      e audit.entries;
    BEGIN
      SELECT * INTO last FROM audit.head FOR UPDATE; -- one at a time: the chain has one end
      FOR e IN SELECT * FROM jsonb_populate_recordset(NULL::audit.entries, given) LOOP
        CONTINUE WHEN EXISTS (SELECT FROM audit.entries known WHERE known.entry_id = e.entry_id);
        e.position := last.position + 1;
        e.hash := audit.hash_of(last.hash, e);
        INSERT INTO audit.entries VALUES (e.*);
        last.position := e.position;
        last.hash := e.hash;
      END LOOP;
      UPDATE audit.head SET position = last.position, hash = last.hash;
    END $$
    """,
    f"""
    CREATE FUNCTION audit.expire(before timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      last bigint;
      gone bigint;
    BEGIN
      PERFORM FROM audit.head FOR UPDATE;
      before := least(before, now() - interval '{_KEPT_AT_LEAST}');
      SELECT coalesce(min(position) - 1, (SELECT position FROM audit.head)) INTO last
      FROM audit.entries WHERE at >= before;
      UPDATE audit.head h SET first_position = e.position, first_hash = e.hash
      FROM audit.entries e WHERE e.position = last;
      PERFORM set_config('audit.expiring', 'yes', true);
      DELETE FROM audit.entries WHERE position <= last;
      GET DIAGNOSTICS gone = ROW_COUNT;
      PERFORM set_config('audit.expiring', '', true);
      RETURN gone;
    END $$
    """,  # noqa: S608  # a constant of ours
    """
    CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' AND current_setting('audit.expiring', true) = 'yes'
         AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN OLD;
      END IF;
      RAISE EXCEPTION 'the audit trail is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.entries
    FOR EACH ROW EXECUTE FUNCTION audit.refuse()
    """,
    """
    CREATE TRIGGER append_only_as_a_whole BEFORE TRUNCATE ON audit.entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse()
    """,
    "REVOKE ALL ON FUNCTION audit.append(jsonb), audit.expire(timestamptz) FROM PUBLIC",
)
_ROLE = "repostream_background"
_GRANTS = (
    f"GRANT USAGE ON SCHEMA audit TO {_ROLE}",
    f"GRANT SELECT ON audit.entries, audit.head TO {_ROLE}",
    f"GRANT EXECUTE ON FUNCTION audit.append(jsonb), audit.expire(timestamptz) TO {_ROLE}",
)


def upgrade() -> None:
    for statement in (*_STATEMENTS, *_GRANTS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA audit CASCADE")
