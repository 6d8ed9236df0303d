"""Small builders for tests of the event kernel."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from events.base import LOCAL_TENANT, Context, Draft, Envelope, Event, derived_id
from events.processing import CancelRequested, ProcessingRequested, Stage, StageRequested

AT = datetime(2026, 1, 1, tzinfo=UTC)


def a_context(correlation: UUID | None = None) -> Context:
    return Context(tenant_id=LOCAL_TENANT, correlation_id=correlation or uuid4())


def a_draft(event: Event, *, event_id: UUID | None = None, stage: str | None = None) -> Draft:
    return Draft(event_id=event_id or uuid4(), occurred_at=AT, context=a_context(), event=event, stage=stage)


def requested(number: int = 0) -> Draft:
    """A fact on the topic `workflow`."""
    event = ProcessingRequested(analysis_id=derived_id("analysis", number), url=f"https://example.org/{number}")
    return a_draft(event)


def cancel_requested(reason: str = "") -> Draft:
    return a_draft(CancelRequested(reason=reason))


def stage_requested(stage: Stage = Stage.PARSE, *, number: int = 0, attempt: int = 1) -> Draft:
    """A fact on the topic `stage.<stage>`."""
    run_id = derived_id("run", number, stage, attempt)
    event = StageRequested(
        analysis_id=derived_id("analysis", number),
        run_id=run_id,
        stage=stage,
        attempt=attempt,
        url="https://example.org/x",
    )
    return a_draft(event, event_id=derived_id("request", run_id), stage=str(stage))


def recorded(envelope: Envelope) -> Envelope:
    """The envelope without its place in the feed, which may come later."""
    return envelope.model_copy(update={"seq": None})
