"""The event kernel's tables: streams, events, outbox, feed, and what consumers keep."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    "CREATE SCHEMA IF NOT EXISTS es",
    """
    CREATE TABLE es.streams (
      stream_id text PRIMARY KEY,
      stream_type text NOT NULL,
      tenant_id uuid NOT NULL,
      version int NOT NULL CHECK (version >= 1),
      archived_at timestamptz
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE TABLE es.events (
      position bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY, -- storage order, never a cursor
      stream_id text NOT NULL REFERENCES es.streams,
      version int NOT NULL,
      event_id uuid NOT NULL UNIQUE,
      type text NOT NULL,
      schema_version smallint NOT NULL DEFAULT 1,
      tenant_id uuid NOT NULL,
      repository_id uuid,
      user_id uuid,
      stage text,
      correlation_id uuid NOT NULL,
      causation_id uuid,
      traceparent text,
      occurred_at timestamptz NOT NULL,
      recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      data jsonb NOT NULL,
      UNIQUE (stream_id, version)
    )
    """,
    "CREATE INDEX events_correlation ON es.events (correlation_id, position)",
    "CREATE INDEX events_repository ON es.events (repository_id, position) WHERE repository_id IS NOT NULL",
    """
    CREATE TABLE es.outbox (position bigint PRIMARY KEY, topic text NOT NULL) -- only what has no place in the feed yet
      WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000)
    """,
    """
    CREATE TABLE es.feed_head (
      one bool PRIMARY KEY DEFAULT true CHECK (one),
      seq bigint NOT NULL,
      generation int NOT NULL DEFAULT 1 -- first half of the ids in Redis; raised where Redis knows more than we do
    ) WITH (fillfactor = 10)
    """,
    "INSERT INTO es.feed_head (seq) VALUES (0)",
    "CREATE TABLE es.feed (seq bigint PRIMARY KEY, position bigint NOT NULL UNIQUE, topic text NOT NULL)",
    "CREATE INDEX feed_topic ON es.feed (topic, seq)",
    """
    CREATE TABLE es.consumers (
      consumer text,
      topic text,
      floor_seq bigint NOT NULL DEFAULT 0,
      PRIMARY KEY (consumer, topic)
    )
    """,
    """
    CREATE TABLE es.inbox (
      consumer text,
      seq bigint,
      outcome text NOT NULL,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (consumer, seq)
    )
    """,
    """
    CREATE TABLE es.dead_letters (
      consumer text,
      seq bigint,
      entry_id text NOT NULL DEFAULT '', -- the id in Redis, for entries that are no event of ours
      topic text NOT NULL,
      parked_at timestamptz NOT NULL DEFAULT now(),
      error text NOT NULL,
      attempts int NOT NULL,
      payload bytea, -- the original bytes where they could not be read
      resolved_at timestamptz,
      resolution text,
      PRIMARY KEY (consumer, seq, entry_id)
    )
    """,
    """
    CREATE TABLE es.leases (
      run_id uuid PRIMARY KEY,
      token bigint GENERATED ALWAYS AS IDENTITY,
      worker text NOT NULL,
      expires_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE es.timers (
      timer_id uuid PRIMARY KEY,
      stream_id text NOT NULL,
      due_at timestamptz NOT NULL,
      kind text NOT NULL,
      data jsonb NOT NULL,
      context jsonb NOT NULL -- of the event that set it; the fired event carries it on
    )
    """,
    "CREATE INDEX timers_due ON es.timers (due_at)",
    """
    CREATE TABLE es.stage_queue (
      run_id uuid PRIMARY KEY,
      stage text NOT NULL,
      priority smallint NOT NULL,
      pass bigint NOT NULL,
      ord bigint GENERATED ALWAYS AS IDENTITY,
      tenant_id uuid NOT NULL,
      cost int NOT NULL DEFAULT 1,
      admitted_at timestamptz
    )
    """,
    "CREATE INDEX stage_queue_next ON es.stage_queue (stage, priority, pass, ord) WHERE admitted_at IS NULL",
    """
    CREATE TABLE es.snapshots (
      stream_id text PRIMARY KEY,
      version int NOT NULL,
      code_version int NOT NULL,
      state jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE es.projections (
      name text,
      version int,
      cursor_seq bigint NOT NULL DEFAULT 0,
      status text NOT NULL,
      PRIMARY KEY (name, version)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the event log is never taken down by a migration: restore a backup")
