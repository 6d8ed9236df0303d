"""What deleting accounts and tenants needs: when each was done with, and an audit trail that forgets from where.

An entry's hash covers `origin`, a salted hash of address and user agent, instead of both: an account that is deleted
takes salt, address and agent along, and the chain still proves itself. Entries of older releases have no `origin`;
their hash covers both in the clear, so that they keep them until they expire.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ROLE = "repostream_background"
_STATEMENTS = (
    "ALTER TABLE auth.users ADD COLUMN erased_at timestamptz",  # once the orchestrator has done its part
    "ALTER TABLE auth.tenants ADD COLUMN erased_at timestamptz",
    "CREATE INDEX streams_tenant ON es.streams (tenant_id, stream_type)",
    "ALTER TABLE audit.entries ADD COLUMN salt bytea, ADD COLUMN origin bytea",
    """
    CREATE FUNCTION audit.origin_of(salt bytea, address text, agent text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
      SELECT sha256(salt || convert_to(jsonb_build_array(address, agent)::text, 'UTF8'))
    $$
    """,
    """
    CREATE OR REPLACE FUNCTION audit.hash_of(previous bytea, e audit.entries) RETURNS bytea LANGUAGE sql STABLE AS $$
      SELECT sha256(previous || convert_to((
        jsonb_build_array(
          e.position, e.entry_id, (extract(epoch FROM e.at) * 1000000)::bigint, e.action, e.outcome, e.target, e.status,
          e.code, e.tenant_id, e.user_id, e.proof, e.proof_id
        ) || CASE WHEN e.origin IS NULL THEN jsonb_build_array(e.address, e.agent)
             ELSE jsonb_build_array(encode(e.origin, 'hex')) END
        || jsonb_build_array(e.correlation_id, e.times)
      )::text, 'UTF8'))
    $$
    """,
    """
    CREATE OR REPLACE FUNCTION audit.append(given jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      last audit.head;
      e audit.entries;
    BEGIN
      SELECT * INTO last FROM audit.head FOR UPDATE; -- one at a time: the chain has one end
      FOR e IN SELECT * FROM jsonb_populate_recordset(NULL::audit.entries, given) LOOP
        CONTINUE WHEN EXISTS (SELECT FROM audit.entries known WHERE known.entry_id = e.entry_id);
        e.position := last.position + 1;
        e.salt := decode(replace(gen_random_uuid()::text, '-', ''), 'hex');
        e.origin := audit.origin_of(e.salt, e.address, e.agent);
        e.hash := audit.hash_of(last.hash, e);
        -- Somebody whose account is deleted already: `audit.forget` waits for us, or has been here before.
        IF EXISTS (SELECT FROM auth.users u WHERE u.user_id = e.user_id AND u.deleted_at IS NOT NULL) THEN
          e.salt := NULL;
          e.address := '';
          e.agent := '';
        END IF;
        INSERT INTO audit.entries VALUES (e.*);
        last.position := e.position;
        last.hash := e.hash;
      END LOOP;
      UPDATE audit.head SET position = last.position, hash = last.hash;
    END $$
    """,
    """
    CREATE FUNCTION audit.forget(who uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      emptied bigint;
    BEGIN
      PERFORM FROM audit.head FOR UPDATE;
      PERFORM set_config('audit.forgetting', 'yes', true);
      UPDATE audit.entries SET salt = NULL, address = '', agent = '' WHERE user_id = who AND salt IS NOT NULL;
      GET DIAGNOSTICS emptied = ROW_COUNT;
      PERFORM set_config('audit.forgetting', '', true);
      RETURN emptied;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        IF TG_OP = 'DELETE' AND current_setting('audit.expiring', true) = 'yes' THEN
          RETURN OLD;
        END IF;
        IF TG_OP = 'UPDATE' AND current_setting('audit.forgetting', true) = 'yes' AND OLD.origin IS NOT NULL
           AND NEW.salt IS NULL AND NEW.address = '' AND NEW.agent = ''
           AND to_jsonb(NEW) - '{salt,address,agent}'::text[] = to_jsonb(OLD) - '{salt,address,agent}'::text[] THEN
          RETURN NEW;
        END IF;
      END IF;
      RAISE EXCEPTION 'the audit trail is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    "REVOKE ALL ON FUNCTION audit.forget(uuid) FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION audit.forget(uuid) TO {_ROLE}",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("what was forgotten does not come back by a migration: restore a backup")
