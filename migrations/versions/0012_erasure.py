"""What deleting needs: who refers to which artifact, and which repositories are deleted.

`app.deleted_repositories` is written in the transaction that accepts the deletion, so that it holds at once.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE es.artifact_owners (
      key text NOT NULL,
      repository_id uuid NOT NULL,
      claimed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (key, repository_id)
    )
    """,
    "CREATE INDEX artifact_owners_repository ON es.artifact_owners (repository_id, key)",
    """
    INSERT INTO es.artifact_owners (key, repository_id)
    SELECT DISTINCT a->>'key', e.repository_id
    FROM es.events e CROSS JOIN LATERAL jsonb_array_elements(e.data->'artifacts') a
    WHERE e.type = 'processing.stage.completed' AND e.repository_id IS NOT NULL
      AND jsonb_typeof(e.data->'artifacts') = 'array'
    """,
    # Claims and releases of one key wait for each other: what is claimed while it is being deleted is stored later.
    """
    CREATE FUNCTION es.claim_artifact(p_key text, p_owner uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('artifact ' || p_key, 0));
      IF EXISTS (SELECT FROM es.payload_keys WHERE subject = 'repository/' || p_owner AND sealed IS NULL) THEN
        RETURN false;
      END IF;
      INSERT INTO es.artifact_owners (key, repository_id) VALUES (p_key, p_owner) ON CONFLICT DO NOTHING;
      RETURN true;
    END $$
    """,
    """
    CREATE FUNCTION es.release_artifact(p_key text, p_owner uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('artifact ' || p_key, 0));
      DELETE FROM es.artifact_owners WHERE key = p_key AND repository_id = p_owner;
      RETURN NOT EXISTS (SELECT FROM es.artifact_owners WHERE key = p_key);
    END $$
    """,
    "GRANT SELECT ON es.artifact_owners TO PUBLIC",  # keys are hashes
    """
    CREATE TABLE app.deleted_repositories (
      repository_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      deleted_at timestamptz NOT NULL,
      erased_at timestamptz -- once the orchestrator has done its part
    )
    """,
    "ALTER TABLE app.deleted_repositories ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE app.deleted_repositories FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY own_tenant ON app.deleted_repositories TO repostream_requests
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid))
    """,
    """
    CREATE POLICY all_tenants ON app.deleted_repositories TO repostream_background USING (true) WITH CHECK (true)
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("what was deleted does not come back by a migration: restore a backup")
