"""The inbox: which messages a consumer is done with. Its row is written in the transaction of the effects."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

DONE, FAILED, CANCELLED, PARKED = "done", "failed", "cancelled", "parked"

_TAKE = text(
    "SELECT * FROM es.take(:consumer, :topic, CAST(:seqs AS bigint[]), CAST(:ids AS uuid[]), :outcome) AS taken (seq)"
)


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
