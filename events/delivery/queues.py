"""How much waits in the transport, and who works on it. Looks only; changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_AT_WORK_MS = 60_000  # a worker asks for more, or says that it is alive, far more often
_UNPLACED = text("""
SELECT count(*) AS events, coalesce(extract(epoch FROM clock_timestamp() - min(e.recorded_at)), 0)::float AS seconds
FROM es.outbox o JOIN es.events e USING (position)
""")


@dataclass(frozen=True)
class Queue:
    """One group of consumers on one topic.

    `waiting` entries were given to nobody yet (None: the transport cannot say), `held` were given out and are not
    acknowledged; `workers` asked for work or held some within a minute: each does one thing at a time, and a process
    has several.
    """

    topic: str
    consumer: str
    waiting: int | None
    held: int
    workers: int


@dataclass(frozen=True)
class Backlog:
    """What is committed and not carried on yet: how many events, and for how many seconds the oldest."""

    events: int
    seconds: float


async def queues(redis: Redis, consumers: Mapping[str, Sequence[str]]) -> list[Queue]:
    """Every group of `consumers` (by topic), in their order. A topic without entries or groups has nothing waiting.

    Raises RedisError where the transport does not answer.
    """
    return [await _queue(redis, topic, group) for topic, groups in consumers.items() for group in groups]


async def backlog(engine: AsyncEngine) -> Backlog:
    """The events that have no place in the feed yet."""
    async with engine.connect() as connection:
        row = (await connection.execute(_UNPLACED)).one()
    return Backlog(row.events, row.seconds)


async def _queue(redis: Redis, topic: str, group: str) -> Queue:
    try:
        groups: list[dict[str, Any]] = await redis.xinfo_groups(topic)
        workers: list[dict[str, Any]] = await redis.xinfo_consumers(topic, group)
    except ResponseError:  # no such stream, or no such group in it: nothing was ever relayed there
        return Queue(topic, group, 0, 0, 0)
    own = next((each for each in groups if _text(each["name"]) == group), None)
    if own is None:
        return Queue(topic, group, 0, 0, 0)
    at_work = [worker for worker in workers if worker["idle"] < _AT_WORK_MS]
    return Queue(topic, group, own.get("lag"), own["pending"], len(at_work))


def _text(raw: object) -> str:
    return raw.decode() if isinstance(raw, bytes) else str(raw)
