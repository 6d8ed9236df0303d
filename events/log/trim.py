"""Keeps the streams of the transport short: what every consumer is done with may go, and nothing else."""

from collections.abc import Mapping, Sequence

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.log import floors

_GENERATION = text("SELECT generation FROM es.feed_head")


async def trim(
    engine: AsyncEngine, redis: Redis, consumers: Mapping[str, Sequence[str]], *, approximate: bool = True
) -> int:
    """Drop entries below the lowest floor of their topic's consumers; how many.

    By id (MINID), never by length: Redis would drop what nobody has handled yet, without a word.
    """
    dropped = 0
    for topic, names in consumers.items():
        async with engine.begin() as connection:
            generation: int = (await connection.execute(_GENERATION)).scalar_one()
            floor = await floors.lowest(connection, topic, names)
        if floor:
            dropped += int(await redis.xtrim(topic, minid=f"{generation}-{floor}", approximate=approximate))
    return dropped
