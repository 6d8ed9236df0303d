"""The event kernel's functions.

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

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
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
