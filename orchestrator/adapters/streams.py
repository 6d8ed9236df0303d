"""Read a stream to decide on it, inside the transaction that records the decision."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from events.log.postgres import read_stream_in

_HOLD = text("SELECT FROM es.streams WHERE stream_id = :stream FOR UPDATE")


async def read_to_decide(connection: AsyncConnection, stream_id: str, after: int) -> list[Envelope]:
    """The events of the stream after a version, to which nobody else appends until the transaction ends.

    Shards that finish together would otherwise decide against each other, again and again.
    """
    await connection.execute(_HOLD, {"stream": stream_id})
    return await read_stream_in(connection, stream_id, after=after)
