"""Begin and conclude a run under a lease by one statement each: they were nine, in two transactions.

`es.acquire_lease` answers the new fencing token, or NULL while somebody else's lease runs. `es.is_stopped` says whether
what a run works on was cancelled, deleted or stopped, or belongs to somebody whose account is deleted.

`es.begin_run` takes the lease, and answers whether the message is still to be worked on, which is asked after the lease
is held: whoever held it before has committed by then, or lost. Where it is not, no lease is kept.

`es.conclude_run` gives the lease up, takes the messages (`es.take`), and appends `p_events` where the first of them was
taken. It answers the `seq`s that were taken, or NULL, and then nothing was done, where the lease is somebody else's.

Each statement in them sees what was committed before it, as if it had been sent by itself. They look things up by
index alone, as `es.take` does: a plan that was made while the tables were small is kept.
"""

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE FUNCTION es.acquire_lease(p_run uuid, p_worker text, p_seconds float8)
    RETURNS bigint
    LANGUAGE plpgsql
    AS $$
    DECLARE
      v_token bigint;
    BEGIN
      INSERT INTO es.leases (run_id, worker, expires_at)
      VALUES (p_run, p_worker, clock_timestamp() + make_interval(secs => p_seconds))
      ON CONFLICT (run_id) DO UPDATE
      SET token = DEFAULT, worker = excluded.worker, expires_at = excluded.expires_at
      WHERE leases.expires_at < clock_timestamp()
      RETURNING token INTO v_token;
      RETURN v_token;
    END $$
    """,
    """
    CREATE FUNCTION es.is_stopped(
      p_stream text, p_version int, p_types text[], p_of_question text, p_question text, p_subjects text[])
    RETURNS boolean
    LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
    BEGIN
      RETURN EXISTS (
          SELECT FROM es.events WHERE stream_id = p_stream AND version > p_version
          AND (type = ANY (p_types) OR type = p_of_question AND data ->> 'question_id' = p_question)
        )
        OR p_subjects <> '{}' AND EXISTS (SELECT FROM es.keys_of(p_subjects, NULL) WHERE sealed IS NULL);
    END $$
    """,
    """
    CREATE FUNCTION es.begin_run(
      p_run uuid, p_worker text, p_seconds float8, p_consumer text, p_topic text, p_seq bigint, p_id uuid,
      p_stream text, p_version int, p_types text[], p_of_question text, p_question text, p_subjects text[])
    RETURNS TABLE (token bigint, is_open boolean, is_stopped boolean)
    LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
    #variable_conflict use_column
    DECLARE
      v_token bigint := es.acquire_lease(p_run, p_worker, p_seconds);
    BEGIN
      IF NOT EXISTS (
        SELECT FROM es.feed f JOIN es.events e USING (position)
        WHERE f.seq = p_seq AND f.topic = p_topic AND e.event_id = p_id
          AND f.seq > coalesce((SELECT floor_seq FROM es.consumers WHERE consumer = p_consumer AND topic = p_topic), 0)
          AND NOT EXISTS (SELECT FROM es.inbox i WHERE i.consumer = p_consumer AND i.seq = f.seq)
      ) THEN
        DELETE FROM es.leases l WHERE l.run_id = p_run AND l.token = v_token;
        RETURN QUERY SELECT NULL::bigint, false, false;
      ELSE
        RETURN QUERY SELECT v_token, true, v_token IS NOT NULL
          AND es.is_stopped(p_stream, p_version, p_types, p_of_question, p_question, p_subjects);
      END IF;
    END $$
    """,
    """
    CREATE FUNCTION es.conclude_run(
      p_run uuid, p_token bigint, p_consumer text, p_topic text, p_seqs bigint[], p_ids uuid[], p_outcome text,
      p_stream text, p_events jsonb)
    RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
    DECLARE
      v_taken bigint[];
    BEGIN
      DELETE FROM es.leases WHERE run_id = p_run AND token = p_token;
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
      v_taken := ARRAY(SELECT es.take(p_consumer, p_topic, p_seqs, p_ids, p_outcome));
      IF p_events IS NOT NULL AND p_seqs[1] = ANY (v_taken) THEN
        PERFORM es.append(p_stream, NULL, p_events);
      END IF;
      RETURN v_taken;
    END $$
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for function in ("conclude_run", "begin_run", "is_stopped", "acquire_lease"):
        op.execute(f"DROP FUNCTION es.{function}")
