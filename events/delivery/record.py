"""Puts what a handler returned into the transaction that also holds the inbox row."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Draft, Envelope
from events.delivery.timers import set_timers
from events.delivery.work import Append, Result
from events.log.postgres import append_in


async def record(connection: AsyncConnection, result: Result, cause: Envelope) -> None:
    """Write, append and set timers. Raises WrongExpectedVersion."""
    if result.write is not None:
        await result.write(connection)
    await record_appends(connection, result.appends)
    await set_timers(connection, result.timers, cause.context)


def joined(appends: Sequence[Append]) -> tuple[Append, ...]:
    """The same drafts, one append for each stream. Only for appends that expect no version."""
    drafts: dict[str, tuple[Draft, ...]] = {}
    for append in appends:
        drafts[append.stream_id] = (*drafts.get(append.stream_id, ()), *append.drafts)
    return tuple(Append(stream_id, all_drafts) for stream_id, all_drafts in drafts.items())


async def record_appends(connection: AsyncConnection, appends: Sequence[Append]) -> None:
    """Append in the order given. Raises WrongExpectedVersion."""
    for append in appends:
        await append_in(connection, append.stream_id, append.drafts, expected=append.expected)
