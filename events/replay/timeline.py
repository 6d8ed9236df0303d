"""How long the runs of an analysis waited and how long they worked, from its events. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from events import processing as facts
from events.base import Envelope

_ENDED = {
    facts.StageCompleted.event_type: "completed",
    facts.StageFailed.event_type: "failed",
    facts.StageParked.event_type: "parked",
}


@dataclass
class Run:
    """One attempt at one shard of one stage. `versions` are the events that asked for, took and ended it; 0 is none.

    `outcome` is completed, failed or parked, else running or queued.
    """

    stage: str
    shard: int
    attempt: int
    requested_at: datetime
    requested_in: int
    started_at: datetime | None = None
    started_in: int = 0
    ended_at: datetime | None = None
    ended_in: int = 0
    outcome: str = "queued"
    worker: str = ""
    code: str = ""
    because: str = ""

    def waited(self, now: datetime) -> float:
        """Seconds in the queue: until a worker took it, else until it ended, else until now."""
        return max(0.0, ((self.started_at or self.ended_at or now) - self.requested_at).total_seconds())

    def worked(self, now: datetime) -> float:
        """Seconds from the first worker that took it to its end, or until now."""
        return max(0.0, ((self.ended_at or now) - self.started_at).total_seconds()) if self.started_at else 0.0


def runs(envelopes: Iterable[Envelope]) -> list[Run]:
    """All attempts in the order in which they were asked for. One that nobody asked for is passed over.

    A run that another worker took over after the first had died counts from the first.
    """
    found: dict[tuple[str, int, int], Run] = {}
    for envelope in envelopes:
        data = envelope.data
        if envelope.event_type == facts.StageRequested.event_type:
            key = _key(data)
            found.setdefault(key, Run(*key, envelope.timestamp, envelope.version, because=str(data.get("because", ""))))
        elif (run := found.get(_key(data))) is not None and not run.ended_in:
            _go_on(run, envelope)
    return list(found.values())


def _key(data: dict[str, object]) -> tuple[str, int, int]:
    shard, attempt = data.get("shard", 0), data.get("attempt", 1)
    numbers = (shard if isinstance(shard, int) else 0, attempt if isinstance(attempt, int) else 1)
    return (str(data.get("stage", "")), *numbers)


def _go_on(run: Run, envelope: Envelope) -> None:
    if envelope.event_type == facts.StageStarted.event_type:
        run.worker, run.outcome = str(envelope.data.get("worker", "")), "running"
        if run.started_at is None:
            run.started_at, run.started_in = envelope.timestamp, envelope.version
    elif outcome := _ENDED.get(envelope.event_type):
        run.ended_at, run.ended_in, run.outcome = envelope.timestamp, envelope.version, outcome
        run.code = str(envelope.data.get("code", ""))
