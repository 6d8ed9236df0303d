"""The graph of each analysis: what imports mean, which definition a call means, and how connected each file is.

Definitions say who may use them, how branched and how long they are; rows from before say nothing of it.
"""

from importlib import import_module

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")

_STATEMENTS = (
    """
    ALTER TABLE app.symbols
      ADD COLUMN visibility text NOT NULL DEFAULT '',
      ADD COLUMN complexity int NOT NULL DEFAULT 0,
      ADD COLUMN code_lines int NOT NULL DEFAULT 0
    """,
    """
    CREATE TABLE app.imports (
      tenant_id uuid NOT NULL,
      analysis_id uuid NOT NULL,
      shard int NOT NULL,
      ordinal int NOT NULL,
      path text NOT NULL,
      line int NOT NULL,
      written text NOT NULL,
      module text NOT NULL,
      name text NOT NULL,
      alias text NOT NULL,
      level int NOT NULL,
      resolution text NOT NULL, -- file, folder, dependency, standard, unknown
      target text NOT NULL,
      confidence real NOT NULL,
      PRIMARY KEY (analysis_id, shard, ordinal)
    )
    """,
    "CREATE INDEX imports_path ON app.imports (analysis_id, path)",
    "CREATE INDEX imports_target ON app.imports (analysis_id, target) WHERE resolution IN ('file', 'folder')",
    """
    CREATE TABLE app.links (
      tenant_id uuid NOT NULL,
      analysis_id uuid NOT NULL,
      shard int NOT NULL,
      ordinal int NOT NULL,
      kind text NOT NULL, -- call, inherit
      path text NOT NULL,
      line int NOT NULL,
      source text NOT NULL, -- qualified name of what calls; empty for the file itself
      source_shard int NOT NULL, -- with source_ordinal a row of app.symbols; -1 for the file itself
      source_ordinal int NOT NULL,
      target_path text NOT NULL,
      target text NOT NULL,
      target_shard int NOT NULL,
      target_ordinal int NOT NULL,
      confidence real NOT NULL,
      level text NOT NULL, -- exact, inferred, overloaded, named
      PRIMARY KEY (analysis_id, shard, ordinal)
    )
    """,
    "CREATE INDEX links_target ON app.links (analysis_id, target_shard, target_ordinal)",
    "CREATE INDEX links_source ON app.links (analysis_id, source_shard, source_ordinal)",
    """
    CREATE TABLE app.connections (
      tenant_id uuid NOT NULL,
      analysis_id uuid NOT NULL,
      path text NOT NULL,
      imports int NOT NULL, -- files, each once; so are the next three
      imported_by int NOT NULL,
      calls int NOT NULL,
      called_by int NOT NULL,
      functions int NOT NULL,
      complexity bigint NOT NULL, -- of all functions together
      most_complex int NOT NULL,
      function_lines bigint NOT NULL,
      PRIMARY KEY (analysis_id, path)
    )
    """,
)
_TABLES = ("imports", "links", "connections")


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    for table in _TABLES:
        op.execute(f"GRANT TRUNCATE ON app.{table} TO {_tenants.BACKGROUND}")  # a projection that begins again
        for statement in _tenants.protect(f"app.{table}", _tenants.REQUESTS, _tenants.BACKGROUND):
            op.execute(statement)


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"DROP TABLE app.{table}")
    op.execute("ALTER TABLE app.symbols DROP COLUMN visibility, DROP COLUMN complexity, DROP COLUMN code_lines")
