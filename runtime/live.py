"""Live channels over Redis: progress ticks and answer tokens. They may be lost; the log holds what is true.

Each tenant has its own: one stream of ticks, each a JSON object, and one stream for each answer that is written, each
part of it a JSON object.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

WRITTEN = "written"  # the type of an answer's last part here; that it is recorded, only the log says
_TICKS_KEPT = 10_000
_ANSWER_KEPT = 20_000
_KEPT_SECONDS = 3_600  # after the last tick or part
_TICK_INTERVAL = 0.25  # seconds: at most 4 ticks a second and run


@dataclass(frozen=True)
class LiveChannels:
    """The names of one tenant's live channels, which nothing else makes."""

    tenant_id: UUID

    @property
    def ticks(self) -> str:
        """The Redis stream of the ticks of all runs."""
        return f"live.{self.tenant_id}.ticks"

    def answer(self, question_id: UUID | str) -> str:
        """The Redis stream that carries one answer while it is written."""
        return f"live.{self.tenant_id}.answer.{question_id}"

    @property
    def every(self) -> str:
        """The pattern of all that are the tenant's."""
        return f"live.{self.tenant_id}.*"


@dataclass(frozen=True)
class Tick:
    """How far one run is: `done` of `total` units; `current` is what it is working on (a path, mostly)."""

    analysis_id: str
    run_id: str
    stage: str
    shard: int
    shards: int
    done: int = 0
    total: int = 0
    current: str = ""


class Ticker:
    """Sends the ticks of one run, at most four a second. A Redis that is down is not the stage's problem."""

    def __init__(self, redis: Redis, channels: LiveChannels, begun: Tick) -> None:
        """`begun` is the run's tick before anything was done."""
        self._redis = redis
        self._channel = channels.ticks
        self._begun = begun
        self._last = 0.0

    async def tick(self, done: int, total: int, current: str = "") -> None:
        """Say how far the run is; dropped where the last tick is younger than a quarter of a second."""
        now = time.monotonic()
        if now - self._last < _TICK_INTERVAL and done < total:
            return
        self._last = now
        tick = replace(self._begun, done=done, total=total, current=current)
        await _send(self._redis, self._channel, {"tick": json.dumps(asdict(tick))}, kept=_TICKS_KEPT)


async def send_answer_part(redis: Redis, channel: str, part: dict[str, object]) -> bool:
    """Append one part of an answer: `{"type": "status"|"token"|"reset"|"written", …}`. Never fails.

    Returns whether it was sent. `reset` takes back all tokens before it; `written` says that the writer is about to
    record an answer or a failure.
    """
    return await _send(redis, channel, {"part": json.dumps(part)}, kept=_ANSWER_KEPT)


async def _send(redis: Redis, channel: str, fields: dict[str, str], *, kept: int) -> bool:
    try:
        async with redis.pipeline(transaction=False) as pipe:
            pipe.xadd(channel, fields, maxlen=kept, approximate=True)  # type: ignore[arg-type]  # invariant in its keys
            pipe.expire(channel, _KEPT_SECONDS)
            await pipe.execute()
    except RedisError:
        return False
    return True
