"""Live channels over Redis: progress ticks and answer tokens. They may be lost; the log holds what is true.

A tick is one JSON object on the stream `live.ticks`; a token is one JSON object on `live.answer.<question id>`.
"""

import json
import time
from dataclasses import asdict, dataclass
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

TICKS = "live.ticks"
WRITTEN = "written"  # the type of an answer's last part here; that it is recorded, only the log says
_TICKS_KEPT = 10_000
_ANSWER_KEPT = 20_000
_ANSWER_SECONDS = 3_600
_TICK_INTERVAL = 0.25  # seconds: at most 4 ticks a second and run


@dataclass(frozen=True)
class Tick:
    """How far one run is: `done` of `total` units; `current` is what it is working on (a path, mostly)."""

    analysis_id: str
    run_id: str
    stage: str
    shard: int
    shards: int
    done: int
    total: int
    current: str


class Ticker:
    """Sends the ticks of one run, at most four a second. A Redis that is down is not the stage's problem."""

    def __init__(self, redis: Redis, *, analysis_id: UUID, run_id: UUID, stage: str, shard: int, shards: int) -> None:
        self._redis = redis
        self._fixed = {
            "analysis_id": str(analysis_id),
            "run_id": str(run_id),
            "stage": stage,
            "shard": shard,
            "shards": shards,
        }
        self._last = 0.0

    async def tick(self, done: int, total: int, current: str = "") -> None:
        """Say how far the run is; dropped where the last tick is younger than a quarter of a second."""
        now = time.monotonic()
        if now - self._last < _TICK_INTERVAL and done < total:
            return
        self._last = now
        tick = Tick(**self._fixed, done=done, total=total, current=current)  # type: ignore[arg-type]  # a plain dict
        try:
            await self._redis.xadd(TICKS, {"tick": json.dumps(asdict(tick))}, maxlen=_TICKS_KEPT, approximate=True)
        except RedisError:
            return


def answer_channel(question_id: UUID | str) -> str:
    """The Redis stream that carries one answer while it is written."""
    return f"live.answer.{question_id}"


async def send_answer_part(redis: Redis, question_id: UUID, part: dict[str, object]) -> bool:
    """Append one part of an answer: `{"type": "status"|"token"|"reset"|"written", …}`. Never fails.

    Returns whether it was sent. `reset` takes back all tokens before it; `written` says that the writer is about to
    record an answer or a failure.
    """
    channel = answer_channel(question_id)
    try:
        async with redis.pipeline(transaction=False) as pipe:
            pipe.xadd(channel, {"part": json.dumps(part)}, maxlen=_ANSWER_KEPT, approximate=True)
            pipe.expire(channel, _ANSWER_SECONDS)
            await pipe.execute()
    except RedisError:
        return False
    return True
