"""The feed in PostgreSQL, as the relay reads it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.log import floors
from events.log.relay import Place
from runtime.database import each_alone

_HEAD = text("SELECT generation, seq FROM es.feed_head")
_NEXT_GENERATION = text("UPDATE es.feed_head SET generation = generation + 1 WHERE generation = :generation")
_BEHIND = text("""
SELECT topic, seq, payload FROM es.behind(CAST(:topics AS text[]), CAST(:cursors AS bigint[]), CAST(:batch AS int))
""")


class PostgresFeed:
    """`relay.Feed` over PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = each_alone(engine)  # each call is one statement, or two

    async def head(self) -> Place:
        """As `Feed.head`."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_HEAD)).one()
            return Place(row.generation, row.seq)

    async def behind(self, cursors: Mapping[str, int], batch: int) -> dict[str, list[tuple[int, str]]]:
        """As `Feed.behind`: one query for all topics."""
        values = {"topics": list(cursors), "cursors": list(cursors.values()), "batch": batch}
        found: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        async with self._engine.connect() as connection:
            for row in await connection.execute(_BEHIND, values):
                found[row.topic].append((row.seq, row.payload))
        return found

    async def floor(self, topic: str, consumers: Sequence[str]) -> int:
        """As `Feed.floor`."""
        async with self._engine.begin() as connection:
            return await floors.lowest(connection, topic, consumers)

    async def raise_generation(self, generation: int) -> None:
        """As `Feed.raise_generation`."""
        async with self._engine.begin() as connection:
            await connection.execute(_NEXT_GENERATION, {"generation": generation})


async def feed_head(engine: AsyncEngine) -> int:
    """The place of the newest event in the feed; 0 where there is none."""
    return (await PostgresFeed(engine).head()).seq
