"""The event kernel: streams, events, outbox, feed, and what consumers keep.

`es.append` is the only way in: it locks the stream's row, leaves out what is already recorded, checks the expected
version and writes events and outbox rows. It answers (event_id, version, fresh) for each draft, or one row
(NULL, actual version, false) where the expected version is wrong, so that a conflict does not abort the transaction.

`es.take` writes a consumer's inbox rows and answers the `seq`s that were not done before: those are to be handled in
this transaction. What is not in the feed as that event, on that topic, is not taken.

`es.sequence` moves events from the outbox to the feed, `es.behind` reads what the relay has not relayed.

The functions allow index scans only, and look rows up one by one (`LATERAL … OFFSET 0`). A plan that was made while
the tables were small would otherwise read them whole, again and again, until they are analysed the next time.
"""

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
    """
    CREATE FUNCTION es.append(p_stream text, p_expected int, p_events jsonb)
    RETURNS TABLE (event_id uuid, version int, fresh boolean)
    LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_bitmapscan = off
    AS $$
    #variable_conflict use_column
    DECLARE
      v_actual int;
      v_count int := jsonb_array_length(p_events);
      v_done uuid[] := '{}';
      v_is_new boolean := false;
    BEGIN
      SELECT s.version INTO v_actual FROM es.streams s WHERE s.stream_id = p_stream FOR UPDATE;
      IF NOT FOUND AND coalesce(p_expected, 0) = 0 THEN
        INSERT INTO es.streams (stream_id, stream_type, tenant_id, version)
        VALUES (p_stream, split_part(p_stream, '/', 1), (p_events->0->>'tenant_id')::uuid, v_count)
        ON CONFLICT DO NOTHING;
        v_is_new := FOUND;
        IF NOT v_is_new THEN -- somebody was faster: wait for them, and see what they wrote
          SELECT s.version INTO v_actual FROM es.streams s WHERE s.stream_id = p_stream FOR UPDATE;
        END IF;
      END IF;
      v_actual := coalesce(v_actual, 0);

      IF NOT v_is_new THEN
        SELECT coalesce(array_agg(e.event_id), '{}') INTO v_done
        FROM jsonb_array_elements(p_events) d
        CROSS JOIN LATERAL (SELECT * FROM es.events n WHERE n.event_id = (d->>'event_id')::uuid OFFSET 0) e
        WHERE e.stream_id = p_stream;
        v_count := v_count - cardinality(v_done);
        IF v_count > 0 THEN
          IF p_expected IS NOT NULL AND p_expected <> v_actual THEN
            RETURN QUERY SELECT NULL::uuid, v_actual, false;
            RETURN;
          END IF;
          UPDATE es.streams s SET version = v_actual + v_count WHERE s.stream_id = p_stream;
        END IF;
      END IF;

      IF v_count > 0 THEN
        WITH drafts AS (
          SELECT d, row_number() OVER (ORDER BY ord) AS n
          FROM jsonb_array_elements(p_events) WITH ORDINALITY AS t (d, ord)
          WHERE NOT (d->>'event_id')::uuid = ANY (v_done)
        ), written AS (
          INSERT INTO es.events (stream_id, version, event_id, type, schema_version, tenant_id, repository_id, user_id,
                                 stage, correlation_id, causation_id, traceparent, occurred_at, data)
          SELECT p_stream, v_actual + n, (d->>'event_id')::uuid, d->>'type', (d->>'schema_version')::smallint,
                 (d->>'tenant_id')::uuid, (d->>'repository_id')::uuid, (d->>'user_id')::uuid, d->>'stage',
                 (d->>'correlation_id')::uuid, (d->>'causation_id')::uuid, d->>'traceparent',
                 (d->>'occurred_at')::timestamptz, d->'data'
          FROM drafts ORDER BY n
          RETURNING position, event_id
        )
        INSERT INTO es.outbox (position, topic)
        SELECT w.position, drafts.d->>'topic'
        FROM written w JOIN drafts ON (drafts.d->>'event_id')::uuid = w.event_id
        ORDER BY w.position;
      END IF;

      RETURN QUERY
        SELECT e.event_id, e.version, NOT e.event_id = ANY (v_done)
        FROM jsonb_array_elements(p_events) WITH ORDINALITY AS t (d, ord)
        CROSS JOIN LATERAL (SELECT * FROM es.events n WHERE n.event_id = (d->>'event_id')::uuid OFFSET 0) e
        WHERE e.stream_id = p_stream
        ORDER BY ord;
    END $$
    """,
    """
    CREATE FUNCTION es.take(p_consumer text, p_topic text, p_seqs bigint[], p_ids uuid[], p_outcome text)
    RETURNS SETOF bigint
    LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
    DECLARE
      v_taken bigint[];
      v_floor bigint;
    BEGIN
      WITH taken AS (
        INSERT INTO es.inbox (consumer, seq, outcome)
        SELECT p_consumer, f.seq, p_outcome
        FROM unnest(p_seqs, p_ids) AS t (seq, id)
        CROSS JOIN LATERAL (SELECT * FROM es.feed n WHERE n.seq = t.seq OFFSET 0) f
        CROSS JOIN LATERAL (SELECT n.event_id FROM es.events n WHERE n.position = f.position OFFSET 0) e
        WHERE f.topic = p_topic AND e.event_id = coalesce(t.id, e.event_id)
        ORDER BY f.seq -- everybody in one order, so that two overlapping batches do not lock each other out
        ON CONFLICT DO NOTHING
        RETURNING seq
      )
      SELECT coalesce(array_agg(seq), '{}') INTO v_taken FROM taken;
      -- Looked up after the insert: rows at or below the floor were deleted only once the floor was there to see.
      SELECT floor_seq INTO v_floor FROM es.consumers WHERE consumer = p_consumer AND topic = p_topic;
      IF v_floor >= ANY (v_taken) THEN
        DELETE FROM es.inbox WHERE consumer = p_consumer AND seq = ANY (v_taken) AND seq <= v_floor;
      END IF;
      RETURN QUERY SELECT s FROM unnest(v_taken) s WHERE s > coalesce(v_floor, 0) ORDER BY s;
    END $$
    """,
    """
    CREATE FUNCTION es.sequence(p_batch int)
    RETURNS int
    LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
    DECLARE
      v_head bigint;
      v_reached bigint;
    BEGIN
      IF NOT EXISTS (SELECT FROM es.outbox) THEN
        RETURN 0; -- looked before it locks, so that idling costs one read
      END IF;
      SELECT seq INTO v_head FROM es.feed_head FOR UPDATE;
      WITH moved AS ( -- a statement of its own: its snapshot is taken after the lock is held
        DELETE FROM es.outbox
        WHERE position = ANY (ARRAY(SELECT o.position FROM es.outbox o ORDER BY o.position LIMIT p_batch))
        RETURNING position, topic
      ), placed AS (
        INSERT INTO es.feed (seq, position, topic)
        SELECT v_head + row_number() OVER (ORDER BY position), position, topic FROM moved
        RETURNING seq
      )
      SELECT max(seq) INTO v_reached FROM placed;
      IF v_reached IS NULL THEN
        RETURN 0;
      END IF;
      UPDATE es.feed_head SET seq = v_reached;
      RETURN v_reached - v_head;
    END $$
    """,
    """
    CREATE FUNCTION es.behind(p_topics text[], p_cursors bigint[], p_batch int)
    RETURNS TABLE (topic text, seq bigint, payload text)
    LANGUAGE plpgsql STABLE
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
    #variable_conflict use_column
    BEGIN
      RETURN QUERY
        SELECT f.topic, f.seq, json_build_object(
          'event_id', e.event_id, 'event_type', e.type, 'schema_version', e.schema_version, 'stream_id', e.stream_id,
          'version', e.version, 'seq', f.seq, 'repository_id', e.repository_id, 'user_id', e.user_id,
          'tenant_id', e.tenant_id, 'stage', e.stage, 'correlation_id', e.correlation_id,
          'causation_id', e.causation_id, 'traceparent', e.traceparent, 'timestamp', e.occurred_at,
          'data', e.data)::text
        FROM unnest(p_topics, p_cursors) AS t (name, place)
        CROSS JOIN LATERAL (
          SELECT * FROM es.feed n WHERE n.topic = t.name AND n.seq > t.place ORDER BY n.seq LIMIT p_batch
        ) f
        CROSS JOIN LATERAL (SELECT * FROM es.events x WHERE x.position = f.position OFFSET 0) e
        ORDER BY f.seq;
    END $$
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the event log is never taken down by a migration: restore a backup")
