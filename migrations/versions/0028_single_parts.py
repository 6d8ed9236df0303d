"""Delete one conversation, or one analysis, of a repository that stays.

`es.streams.archived_at` says since when a stream's content is deleted; `es.erase_stream` empties what is private in it.
An artifact is let go of unless somebody claimed it again meanwhile, whose event may not be in the log yet.
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_BACKGROUND = "repostream_background"
_STATEMENTS = (
    """
    CREATE FUNCTION es.erase_stream(p_stream text, p_private jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM es.streams WHERE stream_id = p_stream AND archived_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the stream % is not deleted', p_stream;
      END IF;
      UPDATE es.events e
      SET data = jsonb_set(e.data, '{$sealed}', jsonb_build_object('names', e.data->'$sealed'->'names'))
      WHERE e.stream_id = p_stream AND e.data->'$sealed' ? 'text';
      UPDATE es.events e
      SET data = (e.data - p.names) || jsonb_build_object('$sealed', jsonb_build_object('names', to_jsonb(p.names)))
      FROM (
        SELECT key AS type, ARRAY(SELECT jsonb_array_elements_text(value)) AS names FROM jsonb_each(p_private)
      ) p
      WHERE e.stream_id = p_stream AND e.type = p.type AND e.data ?| p.names AND NOT e.data ? '$sealed';
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION es.claim_artifact(p_key text, p_owner uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('artifact ' || p_key, 0));
      IF EXISTS (SELECT FROM es.payload_keys WHERE subject = 'repository/' || p_owner AND sealed IS NULL) THEN
        RETURN false;
      END IF;
      INSERT INTO es.artifact_owners (key, repository_id) VALUES (p_key, p_owner)
      ON CONFLICT (key, repository_id) DO UPDATE SET claimed_at = clock_timestamp();
      RETURN true;
    END $$
    """,
    """
    CREATE FUNCTION es.release_artifact_claimed_before(p_key text, p_owner uuid, p_before timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('artifact ' || p_key, 0));
      DELETE FROM es.artifact_owners WHERE key = p_key AND repository_id = p_owner AND claimed_at < p_before;
      RETURN FOUND AND NOT EXISTS (SELECT FROM es.artifact_owners WHERE key = p_key);
    END $$
    """,
    "REVOKE ALL ON FUNCTION es.erase_stream(text, jsonb) FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION es.erase_stream(text, jsonb) TO {_BACKGROUND}",
    "REVOKE ALL ON FUNCTION es.release_artifact_claimed_before(text, uuid, timestamptz) FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION es.release_artifact_claimed_before(text, uuid, timestamptz) TO {_BACKGROUND}",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("what was deleted does not come back by a migration: restore a backup")
