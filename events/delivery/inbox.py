"""The inbox: which messages a consumer is done with. Its row is written in the transaction of the effects."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

DONE, FAILED, CANCELLED, PARKED = "done", "failed", "cancelled", "parked"

_TAKE = text(
    "SELECT * FROM es.take(:consumer, :topic, CAST(:seqs AS bigint[]), CAST(:ids AS uuid[]), :outcome) AS taken (seq)"
)
_IS_OPEN = text("""
SELECT EXISTS (
  SELECT FROM es.feed f JOIN es.events e USING (position)
  WHERE f.seq = :seq AND f.topic = :topic AND e.event_id = :id
    AND f.seq > coalesce((SELECT floor_seq FROM es.consumers WHERE consumer = :consumer AND topic = :topic), 0)
    AND NOT EXISTS (SELECT FROM es.inbox i WHERE i.consumer = :consumer AND i.seq = f.seq)
)
""")


async def take(
    connection: AsyncConnection,
    consumer: str,
    topic: str,
    messages: Sequence[tuple[int, UUID | None]],
    outcome: str = DONE,
) -> set[int]:
    """Mark `(seq, event id)`s as done by this transaction; the `seq`s that were not done before.

    Waits for another transaction that is at the same message. An event id of None stands for whatever is there.
    """
    seqs, ids = [seq for seq, _ in messages], [event_id for _, event_id in messages]
    rows = await connection.execute(
        _TAKE, {"consumer": consumer, "topic": topic, "seqs": seqs, "ids": ids, "outcome": outcome}
    )
    return set(rows.scalars())


async def is_open(connection: AsyncConnection, consumer: str, topic: str, seq: int, event_id: UUID) -> bool:
    """Whether a message is an event of the log that the consumer is not done with."""
    values = {"consumer": consumer, "topic": topic, "seq": seq, "id": event_id}
    return bool((await connection.execute(_IS_OPEN, values)).scalar_one())
