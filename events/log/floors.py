"""Floors: the place in the feed up to which a consumer is done with its topic. Below it no inbox rows are kept."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ENSURE = text("INSERT INTO es.consumers (consumer, topic) VALUES (:consumer, :topic) ON CONFLICT DO NOTHING")
_LOWEST = text("SELECT min(floor_seq) FROM es.consumers WHERE topic = :topic AND consumer = ANY (:consumers)")

# Walks over what is done from each floor up to the first that is not, at most :reach events at once. The feed is
# dense and grows at its end only, so nothing can appear below a floor.
_ADVANCE = text("""
WITH walked AS (
  SELECT c.consumer, c.topic, c.floor_seq, w.reached
  FROM es.consumers c
  CROSS JOIN LATERAL (
    SELECT max(s.seq) FILTER (WHERE s.whole) AS reached
    FROM (
      SELECT n.seq, bool_and(i.seq IS NOT NULL) OVER (ORDER BY n.seq) AS whole
      FROM (
        SELECT f.seq FROM es.feed f WHERE f.topic = c.topic AND f.seq > c.floor_seq ORDER BY f.seq LIMIT :reach
      ) n
      LEFT JOIN es.inbox i ON i.consumer = c.consumer AND i.seq = n.seq
    ) s
  ) w
  WHERE w.reached > c.floor_seq
)
UPDATE es.consumers c SET floor_seq = walked.reached
FROM walked WHERE c.consumer = walked.consumer AND c.topic = walked.topic AND c.floor_seq = walked.floor_seq
RETURNING c.consumer, c.floor_seq
""")
# A plan made while the tables were small would read them whole.
_BY_INDEX = text("SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_seqscan', 'enable_hashjoin']) name")
_COMPACT = text("""
DELETE FROM es.inbox i USING es.consumers c WHERE i.consumer = c.consumer AND i.seq <= c.floor_seq
""")


async def ensure(connection: AsyncConnection, consumers: Mapping[str, Sequence[str]]) -> None:
    """See that every consumer has a floor. A new one begins at 0: it will hear everything there ever was."""
    rows = [{"consumer": name, "topic": topic} for topic, names in consumers.items() for name in names]
    if rows:
        await connection.execute(_ENSURE, rows)


async def lowest(connection: AsyncConnection, topic: str, consumers: Sequence[str]) -> int:
    """The lowest floor of a topic's consumers; makes what is missing."""
    await ensure(connection, {topic: consumers})
    found: int | None = (await connection.execute(_LOWEST, {"topic": topic, "consumers": consumers})).scalar_one()
    return found or 0


async def advance(connection: AsyncConnection, *, reach: int = 5_000) -> dict[str, int]:
    """Raise every floor as far as is done; the consumers whose floor rose, and where it is now."""
    await connection.execute(_BY_INDEX)
    rows = await connection.execute(_ADVANCE, {"reach": reach})
    return {row.consumer: row.floor_seq for row in rows}


async def compact(connection: AsyncConnection) -> int:
    """Delete inbox rows at or below the floors. In a transaction of its own, after the floors are committed."""
    await connection.execute(_BY_INDEX)
    return (await connection.execute(_COMPACT)).rowcount
