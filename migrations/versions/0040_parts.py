"""The rows of an index belong to parts, which analyses of one repository share, instead of to one analysis.

What is there is not moved: the rows that an analysis had become a part of the same id, which it alone has. Readers find
rows by analysis as before, in views.
"""

from importlib import import_module

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_PLACED = {
    "chunks": "chunk_id, path, language, file_class, first_line, last_line, symbols, text",
    "symbols": "name, qualified_name, kind, path, first_line, last_line",
}
_FILES = "path, language, file_class, lines, source_key, source_sha256, source_row"
_KINDS = (*_PLACED, "files")

_LAYOUTS = """
CREATE TABLE rag.layouts (
  tenant_id uuid NOT NULL,
  analysis_id uuid NOT NULL,
  kind text NOT NULL, -- chunks, symbols, files
  number int NOT NULL, -- of the part in the index
  part_id uuid NOT NULL,
  start int NOT NULL, -- how many rows stand before it
  rows int NOT NULL,
  PRIMARY KEY (analysis_id, kind, number)
)
"""


def _view(kind: str) -> str:
    own = f"l.start + p.place AS ordinal, {_PLACED[kind]}" if kind in _PLACED else _FILES
    columns = ", ".join(name if " AS " in name else f"p.{name}" for name in own.split(", "))
    return f"""
    CREATE VIEW rag.{kind} WITH (security_invoker = true) AS
    SELECT l.tenant_id, l.analysis_id, {columns}
    FROM rag.layouts l JOIN rag.part_{kind} p USING (part_id) WHERE l.kind = '{kind}'
    """  # noqa: S608  # our own names


def upgrade() -> None:
    for kind in _KINDS:
        op.execute(f"ALTER TABLE rag.{kind} RENAME TO part_{kind}")
        op.execute(f"ALTER TABLE rag.part_{kind} RENAME COLUMN analysis_id TO part_id")
        op.execute(f"ALTER INDEX rag.{kind}_pkey RENAME TO part_{kind}_pkey")
    for kind in _PLACED:
        op.execute(f"ALTER TABLE rag.part_{kind} RENAME COLUMN ordinal TO place")
    op.execute("ALTER INDEX rag.files_source RENAME TO part_files_source")
    op.execute(_LAYOUTS)
    op.execute("CREATE INDEX layouts_part ON rag.layouts (part_id)")
    for kind in _KINDS:
        op.execute(f"""
        INSERT INTO rag.layouts (tenant_id, analysis_id, kind, number, part_id, start, rows)
        SELECT tenant_id, part_id, '{kind}', 0, part_id, 0, count(*) FROM rag.part_{kind} GROUP BY tenant_id, part_id
        """)  # noqa: S608  # our own names
        op.execute(_view(kind))
        op.execute(f"GRANT SELECT ON rag.{kind} TO {_tenants.RAG_MANAGER}, {_tenants.SEARCH}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON rag.layouts TO {_tenants.RAG_MANAGER}")
    op.execute(f"GRANT SELECT ON rag.layouts TO {_tenants.SEARCH}")
    for statement in _tenants.protect("rag.layouts", _tenants.SEARCH, _tenants.RAG_MANAGER):
        op.execute(statement)
    op.execute("ALTER TABLE rag.analyses ADD COLUMN recipe text")
    op.execute("UPDATE rag.analyses SET recipe = layout->>'recipe'")
    op.execute("ALTER TABLE rag.analyses DROP COLUMN layout")


def downgrade() -> None:
    op.execute("ALTER TABLE rag.analyses ADD COLUMN layout jsonb, DROP COLUMN recipe")
    for kind in _KINDS:
        columns = f"place, {_PLACED[kind]}" if kind in _PLACED else _FILES
        op.execute(f"""
        INSERT INTO rag.part_{kind} (tenant_id, part_id, {columns})
        SELECT tenant_id, analysis_id, {columns.replace("place", "ordinal", 1)} FROM rag.{kind} v
        WHERE NOT EXISTS (SELECT FROM rag.layouts l WHERE l.part_id = v.analysis_id AND l.kind = '{kind}')
        """)  # noqa: S608  # our own names
        op.execute(f"DELETE FROM rag.part_{kind} WHERE part_id NOT IN (SELECT analysis_id FROM rag.layouts)")  # noqa: S608
        op.execute(f"DROP VIEW rag.{kind}")
        op.execute(f"ALTER INDEX rag.part_{kind}_pkey RENAME TO {kind}_pkey")
        op.execute(f"ALTER TABLE rag.part_{kind} RENAME COLUMN part_id TO analysis_id")
        op.execute(f"ALTER TABLE rag.part_{kind} RENAME TO {kind}")
    for kind in _PLACED:
        op.execute(f"ALTER TABLE rag.{kind} RENAME COLUMN place TO ordinal")
    op.execute("ALTER INDEX rag.part_files_source RENAME TO files_source")
    op.execute("DROP TABLE rag.layouts")
