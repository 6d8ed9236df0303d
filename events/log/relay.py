"""Carries the feed to Redis Streams: an entry's id is its place in the feed, and it goes only behind its predecessor.

The relay keeps nothing. The tip of a stream *is* the checkpoint: a batch is appended by a script that first compares
the tip with the place that the batch follows. So any number of relays may run, die in the middle, or meet a Redis
that lost its last second, its groups, or everything.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.log import floors
from events.log.scripts import APPEND, LOOK, REBUILD

logger = logging.getLogger(__name__)

BATCH = 500

_HEAD = text("SELECT generation, seq FROM es.feed_head")
_NEXT_GENERATION = text("UPDATE es.feed_head SET generation = generation + 1 WHERE generation = :generation")
_BEHIND = text("""
SELECT f.topic, f.seq, json_build_object(
    'event_id', e.event_id, 'event_type', e.type, 'schema_version', e.schema_version, 'stream_id', e.stream_id,
    'version', e.version, 'seq', f.seq, 'repository_id', e.repository_id, 'user_id', e.user_id,
    'tenant_id', e.tenant_id, 'stage', e.stage, 'correlation_id', e.correlation_id, 'causation_id', e.causation_id,
    'traceparent', e.traceparent, 'timestamp', e.occurred_at, 'data', e.data)::text AS payload
FROM unnest(CAST(:topics AS text[]), CAST(:cursors AS bigint[])) AS t (topic, cursor)
CROSS JOIN LATERAL (
  SELECT * FROM es.feed f WHERE f.topic = t.topic AND f.seq > t.cursor ORDER BY f.seq LIMIT :batch
) f
JOIN es.events e ON e.position = f.position
ORDER BY f.seq
""")


class Place(NamedTuple):
    """The id of an entry: `generation-seq`."""

    generation: int
    seq: int

    def __str__(self) -> str:
        return f"{self.generation}-{self.seq}"

    @classmethod
    def of(cls, entry_id: bytes | str) -> "Place":
        """Read from an id as Redis gives it."""
        generation, _, seq = (entry_id.decode() if isinstance(entry_id, bytes) else entry_id).partition("-")
        return cls(int(generation), int(seq))


@dataclass(frozen=True)
class Answer:
    """What a script said: OK, LOST, or TIP with the place of the last entry."""

    said: str
    tip: Place | None = None


class Relay:
    """Relays `consumers`' topics. One object a process; not to be used by two tasks at once."""

    def __init__(self, engine: AsyncEngine, redis: Redis, consumers: Mapping[str, Sequence[str]]) -> None:
        self._engine = engine
        self._consumers = consumers
        self._append = redis.register_script(APPEND)
        self._look = redis.register_script(LOOK)
        self._rebuild = redis.register_script(REBUILD)
        self._tips: dict[str, Place] = {}
        self._relayed_head: Place | None = None

    async def step(self, *, batch: int = BATCH) -> int:
        """Relay at most `batch` events of each topic; how many. Idle, it costs one read of one row.

        Raises what PostgreSQL and Redis raise; the next step goes on from what Redis then holds.
        """
        for topic in self._consumers:
            if topic not in self._tips:
                await self._find(topic)
        head = await self._head()
        if head == self._relayed_head:
            return 0
        moved, whole = 0, True
        for topic, entries in (await self._behind(batch)).items():
            sent = await self._send(topic, entries, head)
            moved += sent
            whole = whole and sent == len(entries) < batch
        self._relayed_head = head if whole else None
        return moved

    async def check(self) -> None:
        """Compare every stream's tip with what we believe, though there may be nothing to relay."""
        for topic in self._consumers:
            await self._find(topic)

    async def _find(self, topic: str) -> None:
        answer = _answer(await self._look(keys=[topic], args=list(self._consumers[topic])))
        await self._take(topic, answer)

    async def _send(self, topic: str, entries: Sequence[tuple[int, str]], head: Place) -> int:
        tip = self._tips[topic]
        arguments: list[str] = [str(tip)]
        for seq, payload in entries:
            arguments += (str(Place(tip.generation, seq)), payload)
        answer = _answer(await self._append(keys=[topic], args=arguments))
        if answer.said == "OK":
            self._tips[topic] = Place(tip.generation, entries[-1][0])
            return len(entries)
        logger.info("%s: the tip is not %s (%s)", topic, tip, answer)
        await self._take(topic, answer)
        return 0

    async def _take(self, topic: str, answer: Answer) -> None:
        """Believe what Redis says of a stream, where it can be true; else start the stream again."""
        tip = answer.tip
        if tip is not None:
            head = await self._head()  # read after the tip: an honest tip cannot be ahead of it
            if tip.generation == head.generation and tip.seq > head.seq:
                logger.error("%s is at %s, ahead of the log at %s: the log lost events", topic, tip, head)
                await self._raise_generation(head.generation)
            elif tip.generation == head.generation:
                if self._tips.get(topic) != tip:
                    self._relayed_head = None
                self._tips[topic] = tip
                return
        await self._start_again(topic, tip)

    async def _start_again(self, topic: str, tip: Place | None) -> None:
        generation = (await self._head()).generation
        floor = Place(generation, await self._floor(topic))
        groups = list(self._consumers[topic])
        answer = _answer(await self._rebuild(keys=[topic], args=[str(tip) if tip else "", str(floor), *groups]))
        logger.warning("%s is rebuilt from the floor %s (was at %s): %s", topic, floor, tip, answer.said)
        self._relayed_head = None
        if answer.said == "OK":
            self._tips[topic] = floor
        else:
            self._tips.pop(topic, None)  # somebody was faster: look again in the next step

    async def _head(self) -> Place:
        async with self._engine.connect() as connection:
            row = (await connection.execute(_HEAD)).one()
            return Place(row.generation, row.seq)

    async def _floor(self, topic: str) -> int:
        async with self._engine.begin() as connection:
            return await floors.lowest(connection, topic, self._consumers[topic])

    async def _raise_generation(self, generation: int) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(_NEXT_GENERATION, {"generation": generation})
        self._tips.clear()

    async def _behind(self, batch: int) -> dict[str, list[tuple[int, str]]]:
        topics = list(self._tips)
        values = {"topics": topics, "cursors": [self._tips[topic].seq for topic in topics], "batch": batch}
        found: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        async with self._engine.connect() as connection:
            for row in await connection.execute(_BEHIND, values):
                found[row.topic].append((row.seq, row.payload))
        return found


def _answer(raw: Any) -> Answer:  # noqa: ANN401  # as redis-py gives a script's reply
    said = raw[0].decode() if isinstance(raw[0], bytes) else str(raw[0])
    return Answer(said, Place.of(raw[1]) if said == "TIP" else None)
