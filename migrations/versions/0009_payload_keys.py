"""The keys of what is private in events: destroyed, the fields that belong to their subject cannot be read any more.

A key is sealed with `REPOSTREAM_SECRET_KEY`, which the database does not have. A destroyed key keeps its row, so that
none is ever made for the same subject again. Services come to keys by the functions alone.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE es.payload_keys (
      subject text PRIMARY KEY, -- tenant/<id>, repository/<id>, user/<id>
      sealed bytea, -- NULL: destroyed
      made_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
      made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      destroyed_at timestamptz
    )
    """,
    # Settled: made by a transaction that is not this one, so that it cannot be rolled back any more.
    """
    CREATE FUNCTION es.keys_of(p_subjects text[], p_fresh bytea[])
    RETURNS TABLE (subject text, sealed bytea, is_settled boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    #variable_conflict use_column
    BEGIN
      IF p_fresh IS NOT NULL THEN
        INSERT INTO es.payload_keys (subject, sealed)
        SELECT t.subject, t.sealed FROM unnest(p_subjects, p_fresh) AS t (subject, sealed)
        ORDER BY t.subject -- everybody in one order, so that two transactions do not lock each other out
        ON CONFLICT DO NOTHING;
      END IF;
      RETURN QUERY
        SELECT k.subject, k.sealed, k.made_in IS DISTINCT FROM pg_current_xact_id_if_assigned()
        FROM es.payload_keys k WHERE k.subject = ANY (p_subjects);
    END $$
    """,
    # Also empties the private fields of the subject's events that were recorded in the clear: by older releases, or
    # without a secret key. `p_private` is {type: [field, …]} of the events that belong to this kind of subject.
    """
    CREATE FUNCTION es.erase_subject(p_kind text, p_id uuid, p_private jsonb)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
      INSERT INTO es.payload_keys (subject, sealed, destroyed_at)
      VALUES (p_kind || '/' || p_id, NULL, clock_timestamp())
      ON CONFLICT (subject) DO UPDATE SET sealed = NULL, destroyed_at = clock_timestamp()
      WHERE payload_keys.destroyed_at IS NULL;
      UPDATE es.events e
      SET data = (e.data - p.names) || jsonb_build_object('$sealed', jsonb_build_object('names', to_jsonb(p.names)))
      FROM (
        SELECT key AS type, ARRAY(SELECT jsonb_array_elements_text(value)) AS names FROM jsonb_each(p_private)
      ) p
      WHERE e.type = p.type AND e.data ?| p.names AND NOT e.data ? '$sealed'
        AND CASE p_kind WHEN 'tenant' THEN e.tenant_id WHEN 'repository' THEN e.repository_id ELSE e.user_id END = p_id;
    END $$
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("what is sealed could not be read any more: restore a backup")
