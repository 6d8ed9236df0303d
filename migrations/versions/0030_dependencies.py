"""What the manifests of each analysis ask for: a row for each mention, in the order of their files."""

from importlib import import_module

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")

_TABLE = """
CREATE TABLE app.dependencies (
  tenant_id uuid NOT NULL,
  analysis_id uuid NOT NULL,
  shard int NOT NULL,
  ordinal int NOT NULL,
  ecosystem text NOT NULL,
  name text NOT NULL,
  "constraint" text NOT NULL, -- as it is written
  version text NOT NULL, -- that a lock file chose; empty where none did
  scope text NOT NULL,
  "group" text NOT NULL,
  path text NOT NULL,
  line int NOT NULL,
  locked boolean NOT NULL, -- said by a lock file
  PRIMARY KEY (analysis_id, shard, ordinal)
)
"""


def upgrade() -> None:
    op.execute(_TABLE)
    op.execute(f"GRANT TRUNCATE ON app.dependencies TO {_tenants.BACKGROUND}")  # a projection that begins again
    for statement in _tenants.protect("app.dependencies", _tenants.REQUESTS, _tenants.BACKGROUND):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE app.dependencies")
