"""Uploaded archives: what came, in which parts it is stored, and which repositories were made of it."""

from importlib import import_module

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_STATEMENTS = (
    """
    CREATE TABLE app.uploads (
      upload_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      name text NOT NULL,
      kind text NOT NULL,
      sha256 text, -- of all parts together; NULL while they come in
      bytes bigint NOT NULL,
      parts jsonb NOT NULL, -- references to them, in their order
      uploaded_at timestamptz NOT NULL,
      repositories uuid[] NOT NULL DEFAULT '{}' -- that were made of it and are not erased
    )
    """,
    "CREATE UNIQUE INDEX uploads_content ON app.uploads (tenant_id, sha256)",
    "CREATE INDEX uploads_at ON app.uploads (uploaded_at) WHERE repositories = '{}'",
    "CREATE INDEX uploads_repositories ON app.uploads USING gin (repositories)",
    *_tenants.protect("app.uploads", _tenants.REQUESTS, _tenants.BACKGROUND),
    # A request that makes a repository of an upload says so in its own transaction.
    f"GRANT EXECUTE ON FUNCTION es.claim_artifact(text, uuid) TO {_tenants.REQUESTS}",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE app.uploads")
    op.execute(f"REVOKE EXECUTE ON FUNCTION es.claim_artifact(text, uuid) FROM {_tenants.REQUESTS}")
