"""`EarlierRuns` without a database: what jobs said, kept in a list, newest analysis first."""

from dataclasses import dataclass, field

from events.base import Envelope
from events.delivery.work import Result
from events.log.earlier import EarlierRun, EarlierRuns
from events.processing import Stage, StageCompleted
from tests.support.jobs import said


@dataclass
class RecordedRuns(EarlierRuns):
    """Remembers each result that is told to it."""

    runs: list[EarlierRun] = field(default_factory=list)

    async def of(self, envelope: Envelope, *stages: Stage) -> tuple[EarlierRun, ...]:
        streams = list(dict.fromkeys(run.stream_id for run in reversed(self.runs)))
        return tuple(
            run
            for stream in streams
            for run in self.runs
            if run.stream_id == stream and run.stage in stages and stream != envelope.stream_id
        )

    async def beside(self, _envelope: Envelope) -> list[Envelope]:
        return []

    def record(self, stream_id: str, result: Result) -> StageCompleted:
        """Keep what a run of an analysis completed; its event."""
        event = said(result, StageCompleted)
        run = EarlierRun(stream_id, event.stage, event.shard, event.artifacts, event.files_processed, event.counts)
        self.runs.append(run)
        return event
