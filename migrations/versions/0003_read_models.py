"""The orchestrator's tables: read models that are rebuilt from events and artifacts, and two that are not.

`app.intake` and `app.idempotency` are no read models: they are written in the transaction that accepts a request, and
say which analysis answers a request for the same thing, or the same request again.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "CREATE SCHEMA app",
    """
    CREATE TABLE app.repositories (
      repository_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      url text NOT NULL,
      host text NOT NULL,
      name text NOT NULL,
      registered_at timestamptz NOT NULL,
      deleted_at timestamptz
    )
    """,
    "CREATE INDEX repositories_tenant ON app.repositories (tenant_id, registered_at DESC)",
    """
    CREATE TABLE app.analyses (
      analysis_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      repository_id uuid NOT NULL,
      state text NOT NULL,
      version int NOT NULL, -- of the stream; an event that is not newer changes nothing
      requested_at timestamptz NOT NULL,
      record jsonb NOT NULL
    )
    """,
    "CREATE INDEX analyses_tenant ON app.analyses (tenant_id, requested_at DESC, analysis_id)",
    "CREATE INDEX analyses_repository ON app.analyses (repository_id, requested_at DESC)",
    """
    CREATE TABLE app.conversations (
      conversation_id uuid PRIMARY KEY,
      tenant_id uuid NOT NULL,
      user_id uuid,
      repository_id uuid NOT NULL,
      title text NOT NULL,
      started_at timestamptz NOT NULL,
      version int NOT NULL
    )
    """,
    "CREATE INDEX conversations_tenant ON app.conversations (tenant_id, started_at DESC, conversation_id)",
    """
    CREATE TABLE app.questions (
      question_id uuid PRIMARY KEY,
      conversation_id uuid NOT NULL,
      tenant_id uuid NOT NULL,
      repository_id uuid NOT NULL,
      state text NOT NULL,
      asked_at timestamptz NOT NULL,
      version int NOT NULL,
      record jsonb NOT NULL
    )
    """,
    "CREATE INDEX questions_conversation ON app.questions (conversation_id, asked_at)",
    """
    CREATE TABLE app.files (
      analysis_id uuid NOT NULL,
      path text NOT NULL,
      language text,
      file_class text NOT NULL,
      size bigint NOT NULL,
      lines int NOT NULL,
      shard int,
      skipped text,
      PRIMARY KEY (analysis_id, path)
    )
    """,
    "CREATE INDEX files_skipped ON app.files (analysis_id, skipped, path) WHERE skipped IS NOT NULL",
    # Apart from app.files, because a shard's outcomes may be loaded before the tree's.
    """
    CREATE TABLE app.outcomes (
      analysis_id uuid NOT NULL,
      path text NOT NULL,
      outcome text NOT NULL,
      reason text,
      symbols int NOT NULL,
      chunks int NOT NULL,
      PRIMARY KEY (analysis_id, path)
    )
    """,
    """
    CREATE TABLE app.symbols (
      analysis_id uuid NOT NULL,
      shard int NOT NULL,
      ordinal int NOT NULL,
      path text NOT NULL,
      language text NOT NULL,
      kind text NOT NULL,
      name text NOT NULL,
      qualified_name text NOT NULL,
      parent text,
      signature text NOT NULL,
      docstring text NOT NULL,
      first_line int NOT NULL,
      last_line int NOT NULL,
      PRIMARY KEY (analysis_id, shard, ordinal)
    )
    """,
    "CREATE INDEX symbols_path ON app.symbols (analysis_id, path)",
    "CREATE INDEX symbols_name ON app.symbols (analysis_id, lower(name) text_pattern_ops)",
    """
    CREATE TABLE app.edges (
      analysis_id uuid NOT NULL,
      shard int NOT NULL,
      ordinal int NOT NULL,
      path text NOT NULL,
      kind text NOT NULL,
      source text,
      target text NOT NULL,
      line int NOT NULL,
      PRIMARY KEY (analysis_id, shard, ordinal)
    )
    """,
    "CREATE INDEX edges_path ON app.edges (analysis_id, path)",
    # Which artifacts are in the tables above; `code` says why one is not.
    """
    CREATE TABLE app.loaded (
      analysis_id uuid NOT NULL,
      kind text NOT NULL,
      shard int NOT NULL,
      key text NOT NULL,
      rows int NOT NULL,
      code text,
      message text,
      PRIMARY KEY (analysis_id, kind, shard)
    )
    """,
    """
    CREATE TABLE app.intake (
      repository_id uuid NOT NULL,
      ref text NOT NULL, -- empty: the default branch
      analysis_id uuid NOT NULL,
      PRIMARY KEY (repository_id, ref)
    )
    """,
    """
    CREATE TABLE app.idempotency (
      tenant_id uuid NOT NULL,
      key text NOT NULL,
      fingerprint text NOT NULL,
      analysis_id uuid NOT NULL,
      accepted_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant_id, key)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA app CASCADE")
