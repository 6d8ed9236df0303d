"""What a stage's run says of itself: started, completed, failed, parked. Pure but for the default clock.

Each function takes the envelope of a `processing.stage.requested` and gives appends for that event's own stream.
The event ids derive from the request, so a run that is delivered twice says each thing once.
`started`, `failed` and `parked` fit `EventSubscriber.long` as they are (`on_start`, `on_fault`, `on_parked`).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from events import catalog
from events.artifacts import ArtifactRef
from events.base import Envelope, Event, caused_by
from events.delivery.work import Append, Run
from events.processing import FaultKind, StageCompleted, StageFailed, StageParked, StageRequested, StageStarted
from runtime.faults import Fault

Payload = TypeVar("Payload", bound=Event)


def read(envelope: Envelope, expected: type[Payload]) -> Payload:
    """The event in `envelope`, as the class its consumer expects. Raises TypeError where it is another one."""
    event = catalog.decode(envelope)
    if not isinstance(event, expected):
        raise TypeError(f"{envelope.event_type} is not {expected.event_type}")
    return event


def started(envelope: Envelope, run: Run, at: datetime | None = None) -> tuple[Append, ...]:
    """A worker has taken the run. `at` is now where it is left out."""
    request = read(envelope, StageRequested)
    event = StageStarted(
        run_id=request.run_id, stage=request.stage, shard=request.shard, attempt=request.attempt, worker=run.worker
    )
    return (_append(envelope, request, (event,), at),)


def failed(  # noqa: PLR0913  # one argument for each field of the event that a stage decides
    envelope: Envelope,
    fault: Fault,
    at: datetime | None = None,
    *,
    after: Sequence[Event] = (),
    artifacts: Sequence[ArtifactRef] = (),
    tokens: int = 0,
    cost_usd: float | None = None,
) -> tuple[Append, ...]:
    """The run ended in `fault`, after it made `artifacts` that the next one makes use of, for `tokens` and US dollars.

    `after` are events of the same stream that follow; `at` is now where it is left out.
    """
    request = read(envelope, StageRequested)
    event = StageFailed(
        run_id=request.run_id,
        stage=request.stage,
        shard=request.shard,
        shards=request.shards,
        attempt=request.attempt,
        kind=FaultKind(fault.kind),
        code=fault.code,
        message=fault.message,
        retry_after=fault.retry_after or 0.0,
        artifacts=tuple(artifacts),
        tokens=tokens,
        cost_usd=cost_usd,
    )
    return (_append(envelope, request, (event, *after), at),)


def parked(envelope: Envelope, deliveries: int, at: datetime | None = None) -> tuple[Append, ...]:
    """The run was delivered `deliveries` times without an end and is set aside. `at` is now where it is left out."""
    request = read(envelope, StageRequested)
    event = StageParked(
        run_id=request.run_id,
        stage=request.stage,
        shard=request.shard,
        shards=request.shards,
        attempt=request.attempt,
        deliveries=deliveries,
        message=f"Its worker ended {deliveries} times without a result. Look at the worker's log, then retry.",
    )
    return (_append(envelope, request, (event,), at),)


def completed(  # noqa: PLR0913  # one argument for each field of the event that a stage decides
    envelope: Envelope,
    *,
    started_at: datetime,
    files_processed: int,
    counts: Mapping[str, int] | None = None,
    artifacts: Sequence[ArtifactRef] = (),
    metadata_extracted: Mapping[str, object] | None = None,
    facts: Mapping[str, object] | None = None,
    before: Sequence[Event] = (),
    at: datetime | None = None,
) -> Append:
    """The run is done. `before` are other events of the same stream that come first; `at` is now where left out."""
    request = read(envelope, StageRequested)
    ended_at = at or datetime.now(UTC)
    event = StageCompleted(
        run_id=request.run_id,
        stage=request.stage,
        shard=request.shard,
        shards=request.shards,
        attempt=request.attempt,
        duration=max(0.0, (ended_at - started_at).total_seconds()),
        files_processed=files_processed,
        counts=dict(counts or {}),
        artifacts=tuple(artifacts),
        metadata_extracted=dict(metadata_extracted or {}),
        facts=dict(facts or {}),
    )
    return _append(envelope, request, (*before, event), ended_at)


def _append(envelope: Envelope, request: StageRequested, events: Sequence[Event], at: datetime | None) -> Append:
    moment = at or datetime.now(UTC)
    drafts = tuple(
        caused_by(envelope, envelope.stream_id, event, ordinal=ordinal, at=moment, stage=request.stage)
        for ordinal, event in enumerate(events)
    )
    return Append(envelope.stream_id, drafts)
