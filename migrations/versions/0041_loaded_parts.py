"""Symbols and edges of the read model belong to artifacts, which several analyses may have loaded.

What is there is not moved: the rows of an analysis's shard are a part of the analysis's id and that shard. Readers find
rows by analysis as before, in views. The projection goes on where it was, under a new version: an older release, which
would write to a view, finds that it is superseded.
"""

from importlib import import_module

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_COLUMNS = {
    "symbols": "path, language, kind, name, qualified_name, parent, signature, docstring, first_line, last_line,"
    " visibility, complexity, code_lines",
    "edges": "path, kind, source, target, line",
}


_OLD, _NEW = 2, 3  # versions of the projection `contents`


def take_over(older: int, newer: int) -> None:
    """Let the version `newer` of the projection go on where `older` is, which is superseded."""
    op.execute(f"""
        WITH was AS (
          UPDATE es.projections p SET status = 'superseded', cursor_seq = 9223372036854775807
          FROM (SELECT name, version, cursor_seq FROM es.projections
            WHERE name = 'contents' AND version = {older} AND status = 'live' FOR UPDATE) o
          WHERE p.name = o.name AND p.version = o.version RETURNING o.cursor_seq
        )
        INSERT INTO es.projections (name, version, status, cursor_seq)
        SELECT 'contents', {newer}, 'live', cursor_seq FROM was
        ON CONFLICT (name, version) DO UPDATE SET status = excluded.status, cursor_seq = excluded.cursor_seq
    """)  # noqa: S608  # our own numbers


def _view(kind: str) -> str:
    columns = ", ".join(f"p.{name}" for name in _COLUMNS[kind].replace(",", "").split())
    return f"""
    CREATE VIEW app.{kind} WITH (security_invoker = true) AS
    SELECT l.tenant_id, l.analysis_id, l.shard, p.ordinal, {columns}
    FROM app.loaded l JOIN app.part_{kind} p ON p.part_id = l.part_id AND p.shard = l.part_shard
    WHERE l.kind = '{kind}'
    """  # noqa: S608  # our own names


def upgrade() -> None:
    take_over(_OLD, _NEW)
    op.execute("ALTER TABLE app.loaded ADD COLUMN part_id uuid, ADD COLUMN part_shard int")
    op.execute("""
        UPDATE app.loaded SET part_id = analysis_id, part_shard = shard
        WHERE kind IN ('symbols', 'edges') AND code IS NULL
    """)
    op.execute("CREATE INDEX loaded_part ON app.loaded (part_id) WHERE part_id IS NOT NULL")
    for kind in _COLUMNS:
        op.execute(f"ALTER TABLE app.{kind} RENAME TO part_{kind}")
        op.execute(f"ALTER TABLE app.part_{kind} RENAME COLUMN analysis_id TO part_id")
        op.execute(f"ALTER INDEX app.{kind}_pkey RENAME TO part_{kind}_pkey")
        op.execute(_view(kind))
        op.execute(f"REVOKE ALL ON app.{kind} FROM {_tenants.REQUESTS}, {_tenants.BACKGROUND}")
        op.execute(f"GRANT SELECT ON app.{kind} TO {_tenants.REQUESTS}, {_tenants.BACKGROUND}")
    for index in ("symbols_path", "symbols_name"):
        op.execute(f"ALTER INDEX app.{index} RENAME TO part_{index}")
    op.execute("DROP INDEX app.edges_path")  # nobody looks for edges by path: uses are in app.links


def downgrade() -> None:
    take_over(_NEW, _OLD)
    for kind, columns in _COLUMNS.items():
        op.execute(f"""
        INSERT INTO app.part_{kind} (tenant_id, part_id, shard, ordinal, {columns})
        SELECT tenant_id, analysis_id, shard, ordinal, {columns} FROM app.{kind} v
        WHERE NOT EXISTS (SELECT FROM app.loaded l
          WHERE l.analysis_id = v.analysis_id AND l.kind = '{kind}' AND l.shard = v.shard AND l.part_id = v.analysis_id)
        """)  # noqa: S608  # our own names
        op.execute(f"DELETE FROM app.part_{kind} WHERE part_id NOT IN (SELECT analysis_id FROM app.loaded)")  # noqa: S608
        op.execute(f"DROP VIEW app.{kind}")
        op.execute(f"ALTER INDEX app.part_{kind}_pkey RENAME TO {kind}_pkey")
        op.execute(f"ALTER TABLE app.part_{kind} RENAME COLUMN part_id TO analysis_id")
        op.execute(f"ALTER TABLE app.part_{kind} RENAME TO {kind}")
    for index in ("symbols_path", "symbols_name"):
        op.execute(f"ALTER INDEX app.part_{index} RENAME TO {index}")
    op.execute("CREATE INDEX edges_path ON app.edges (analysis_id, path)")
    op.execute("DROP INDEX app.loaded_part")
    op.execute("ALTER TABLE app.loaded DROP COLUMN part_id, DROP COLUMN part_shard")
