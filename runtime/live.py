"""Live channels over Redis: progress ticks and answer tokens. They may be lost; the log holds what is true.

Each tenant has its own: one stream of ticks, each a JSON object; for each analysis a hash of the newest tick of each
run (`stage.shard`), for whoever comes to look; and one stream for each answer that is written, each part a JSON object.
"""

import json
import time
from collections import deque
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

WRITTEN = "written"  # the type of an answer's last part here; that it is recorded, only the log says
_TICKS_KEPT = 10_000
_ANSWER_KEPT = 20_000
_KEPT_SECONDS = 3_600  # after the last tick or part
_TICK_INTERVAL = 0.25  # seconds: at most 4 ticks a second and run
_KEEP_INTERVAL = 1.0  # seconds between two of them that are kept for whoever comes later
_WINDOW = 20.0  # seconds over which a pace is measured …
_LEAST_SECONDS, _LEAST_SHARE = 1.5, 0.01  # … and what must have passed, and been done, before it says anything


@dataclass(frozen=True)
class LiveChannels:
    """The names of one tenant's live channels, which nothing else makes."""

    tenant_id: UUID

    @property
    def ticks(self) -> str:
        """The Redis stream of the ticks of all runs."""
        return f"live.{self.tenant_id}.ticks"

    def newest_ticks(self, analysis_id: UUID | str) -> str:
        """The Redis hash of the newest tick of each run of an analysis that is not done."""
        return f"live.{self.tenant_id}.{analysis_id}.ticks"

    def answer(self, question_id: UUID | str) -> str:
        """The Redis stream that carries one answer while it is written."""
        return f"live.{self.tenant_id}.answer.{question_id}"

    @property
    def every(self) -> str:
        """The pattern of all that are the tenant's."""
        return f"live.{self.tenant_id}.*"


@dataclass(frozen=True)
class Tick:
    """How far one run is: `done` of `total` units; `current` is what it is working on (a path, mostly).

    `unit` says what is counted (`files`, `passages` …); empty where the numbers are per cent of one step among several.
    `share` (0 to 1) is how much of all the work is done, where units differ in size. `rate` (units a second) and `left`
    (seconds) are what was measured over the last seconds, None where that says nothing. `at`: when, Unix seconds.
    """

    analysis_id: str
    run_id: str
    stage: str
    shard: int
    shards: int
    done: int = 0
    total: int = 0
    current: str = ""
    unit: str = ""
    share: float | None = None
    rate: float | None = None
    left: float | None = None
    at: float = 0.0


@dataclass(frozen=True)
class Mark:
    """How far a run was at a moment (seconds): of so many units how many, and which share (0 to 1) of the work."""

    at: float
    done: int
    total: int
    share: float


class Pace:
    """How quickly a run gets on, by what it did in the last seconds. Nothing is guessed."""

    def __init__(self) -> None:
        self._marks: deque[Mark] = deque()

    def measure(self, mark: Mark) -> tuple[float | None, float | None]:
        """Units a second, and seconds until the work is done; None where too little was measured, or done, to tell."""
        if self._marks and _begins_anew(self._marks[-1], mark):
            self._marks.clear()
        self._marks.append(mark)
        while len(self._marks) > 1 and mark.at - self._marks[1].at >= _WINDOW:
            self._marks.popleft()
        first = self._marks[0]
        passed, done, share = mark.at - first.at, mark.done - first.done, mark.share - first.share
        if passed < _LEAST_SECONDS:
            return None, None
        return done / passed, (1 - mark.share) * passed / share if share >= _LEAST_SHARE else None


class Ticker:
    """Sends the ticks of one run, at most four a second. A Redis that is down is not the stage's problem."""

    def __init__(self, redis: Redis, channels: LiveChannels, begun: Tick, *, foresees: bool = False) -> None:
        """`begun` is the run's tick before anything was done.

        It `foresees` where all of the work is counted: then what is left of it says how long that takes.
        """
        self._redis = redis
        self._channel = channels.ticks
        self._newest = channels.newest_ticks(begun.analysis_id)
        self._begun = begun
        self._foresees = foresees
        self._pace = Pace()
        self._last = self._kept = 0.0

    async def tick(
        self, done: int, total: int, current: str = "", share: float | None = None, *, unit: str | None = None
    ) -> None:
        """Say how far the run is; dropped where the last tick is younger than a quarter of a second.

        `unit` where something else is counted just now than what the run's ticks count: then nothing is foreseen.
        """
        now = time.monotonic()
        if now - self._last < _TICK_INTERVAL and done < total:
            return
        self._last = now
        worked = share if share is not None else done / total if total else 0.0
        rate, left = self._pace.measure(Mark(now, done, total, worked))
        tick = replace(
            self._begun,
            done=done,
            total=total,
            current=current,
            unit=self._begun.unit if unit is None else unit,
            share=share,
            at=time.time(),
        )
        if tick.unit:
            tick = replace(tick, rate=rate, left=left if self._foresees and unit is None else None)
        await self._say(tick, now)

    async def _say(self, tick: Tick, now: float) -> None:
        said = json.dumps(asdict(tick))
        place = f"{tick.stage}.{tick.shard}"
        is_over = 0 < tick.total <= tick.done
        keeps = is_over or now - self._kept >= _KEEP_INTERVAL
        self._kept = now if keeps else self._kept
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.xadd(self._channel, {"tick": said}, maxlen=_TICKS_KEPT, approximate=True)
                pipe.expire(self._channel, _KEPT_SECONDS)
                if is_over:
                    pipe.hdel(self._newest, place)
                elif keeps:
                    pipe.hset(self._newest, place, said)
                    pipe.expire(self._newest, _KEPT_SECONDS)
                await pipe.execute()
        except RedisError:
            return


async def send_answer_part(redis: Redis, channel: str, *parts: dict[str, object]) -> bool:
    """Append parts of an answer, together: `{"type": "status"|"token"|"reset"|"written", …}`. Never fails.

    Returns whether they were sent. `reset` takes back all tokens before it; `written` says that the writer is about to
    record an answer or a failure.
    """
    try:
        async with redis.pipeline(transaction=False) as pipe:
            for part in parts:
                pipe.xadd(channel, {"part": json.dumps(part)}, maxlen=_ANSWER_KEPT, approximate=True)
            pipe.expire(channel, _KEPT_SECONDS)
            await pipe.execute()
    except RedisError:
        return False
    return True


def _begins_anew(last: Mark, mark: Mark) -> bool:
    return mark.total != last.total or mark.done < last.done or mark.share < last.share
