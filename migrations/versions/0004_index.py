"""The index's tables: what is searched, by which generation, and where every vector can be found again."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "CREATE SCHEMA rag",
    # One row, made once: its id is in the name of every collection, so that two installations can share a Chroma
    # server without sweeping each other's collections away.
    """
    CREATE TABLE rag.installation (
      only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), id uuid NOT NULL DEFAULT gen_random_uuid())
    """,
    "INSERT INTO rag.installation DEFAULT VALUES",
    """
    CREATE TABLE rag.analyses (
      analysis_id uuid PRIMARY KEY, repository_id uuid NOT NULL, tenant_id uuid NOT NULL, commit text NOT NULL,
      requested_at timestamptz NOT NULL, chunks integer NOT NULL, files integer NOT NULL,
      lexicon_key text NOT NULL, lexicon_sha256 text NOT NULL, lexicon_bytes bigint NOT NULL,
      indexed_at timestamptz NOT NULL DEFAULT now(), retired_at timestamptz)
    """,
    "CREATE INDEX analyses_repository ON rag.analyses (repository_id, requested_at)",
    """
    CREATE TABLE rag.chunks (
      analysis_id uuid NOT NULL, ordinal integer NOT NULL, chunk_id text NOT NULL, path text NOT NULL, language text,
      file_class text NOT NULL, first_line integer NOT NULL, last_line integer NOT NULL, symbols text[] NOT NULL,
      text text NOT NULL, PRIMARY KEY (analysis_id, ordinal))
    """,
    """
    CREATE TABLE rag.files (
      analysis_id uuid NOT NULL, path text NOT NULL, language text, file_class text NOT NULL, lines integer NOT NULL,
      source_key text NOT NULL, source_sha256 text NOT NULL, source_row integer NOT NULL,
      PRIMARY KEY (analysis_id, path))
    """,
    """
    CREATE TABLE rag.symbols (
      analysis_id uuid NOT NULL, ordinal integer NOT NULL, name text NOT NULL, qualified_name text NOT NULL,
      kind text NOT NULL, path text NOT NULL, first_line integer NOT NULL, last_line integer NOT NULL,
      PRIMARY KEY (analysis_id, ordinal))
    """,
    """
    CREATE TABLE rag.generations (
      generation_id uuid PRIMARY KEY, analysis_id uuid NOT NULL REFERENCES rag.analyses ON DELETE CASCADE,
      kind text NOT NULL CHECK (kind IN ('lexical', 'quick', 'full')),
      state text NOT NULL CHECK (state IN ('building', 'built', 'retired')),
      model text, dimension integer, chunks integer NOT NULL, vectors integer NOT NULL DEFAULT 0,
      collection text, artifacts jsonb NOT NULL DEFAULT '[]',
      changed_at timestamptz NOT NULL DEFAULT now(), UNIQUE (analysis_id, kind))
    """,
    """
    CREATE TABLE rag.pointers (
      repository_id uuid PRIMARY KEY, analysis_id uuid NOT NULL REFERENCES rag.analyses,
      generation_id uuid NOT NULL REFERENCES rag.generations, moved_at timestamptz NOT NULL DEFAULT now())
    """,
    # Where the vector of a text under a model is stored: a text is embedded once.
    """
    CREATE TABLE rag.embeddings (
      model text NOT NULL, text_sha256 text NOT NULL, artifact_key text NOT NULL, artifact_sha256 text NOT NULL,
      artifact_row integer NOT NULL, PRIMARY KEY (model, text_sha256))
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA rag CASCADE")
