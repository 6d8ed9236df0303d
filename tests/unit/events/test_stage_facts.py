from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from events.base import LOCAL_TENANT, Envelope
from events.delivery import stages
from events.processing import (
    FaultKind,
    ProcessingStarted,
    Stage,
    StageCompleted,
    StageFailed,
    StageParked,
    StageRequested,
    StageStarted,
)
from runtime.faults import Cancelled, Permanent, ResourceExhausted, Transient

AT = datetime(2026, 1, 1, tzinfo=UTC)
ANALYSIS = UUID("11111111-1111-4111-8111-111111111111")
REQUEST = StageRequested(
    analysis_id=ANALYSIS, run_id=uuid4(), stage=Stage.PARSE, shard=2, shards=5, attempt=3, url="https://h/o/n"
)


class FakeRun:
    worker = "worker-7"
    token = 4
    cancelled = False

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled


def an_envelope(event_type: str = "processing.stage.requested") -> Envelope:
    return Envelope(
        event_id=UUID(int=7),
        event_type=event_type,
        stream_id=f"analysis/{ANALYSIS}",
        version=4,
        repository_id=UUID(int=9),
        tenant_id=LOCAL_TENANT,
        correlation_id=UUID(int=8),
        timestamp=AT,
        data=REQUEST.model_dump(mode="json"),
    )


def test_started_names_the_worker_and_is_caused_by_the_request() -> None:
    (append,) = stages.started(an_envelope(), FakeRun(), AT)

    (draft,) = append.drafts
    assert append.stream_id == f"analysis/{ANALYSIS}"
    assert append.expected is None
    assert draft.context.causation_id == UUID(int=7)
    assert draft.context.correlation_id == UUID(int=8)
    assert draft.context.repository_id == UUID(int=9)
    assert draft.stage == "parse"
    assert draft.event == StageStarted(run_id=REQUEST.run_id, stage=Stage.PARSE, shard=2, attempt=3, worker="worker-7")


def test_failed_carries_for_how_long_a_host_wants_to_be_left_alone() -> None:
    asked = [Transient("host_busy", "Try later.", 90.0), Transient("host_busy", "Try later."), Permanent("gone", "No.")]

    drafts = [stages.failed(an_envelope(), fault, AT)[0].drafts[0] for fault in asked]

    assert [draft.event.model_dump()["retry_after"] for draft in drafts] == [90.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Transient("host_unreachable", "Try later."), FaultKind.TRANSIENT),
        (Permanent("bad_url", "Mend it."), FaultKind.PERMANENT),
        (ResourceExhausted("disk_full", "Free some."), FaultKind.RESOURCE),
    ],
)
def test_failed_carries_kind_code_and_message(fault: Transient, kind: FaultKind) -> None:
    (append,) = stages.failed(an_envelope(), fault, AT)

    event = append.drafts[0].event
    assert isinstance(event, StageFailed)
    assert (event.kind, event.code, event.message) == (kind, fault.code, fault.message)
    assert (event.shard, event.shards, event.attempt) == (2, 5, 3)


def test_parked_says_how_often_it_was_delivered() -> None:
    (append,) = stages.parked(an_envelope(), 5, AT)

    event = append.drafts[0].event
    assert isinstance(event, StageParked)
    assert event.deliveries == 5
    assert "5 times" in event.message


def test_completed_measures_the_duration_and_puts_other_events_first() -> None:
    begun = ProcessingStarted(url="https://h/o/n", commit="c" * 40, ref="main", size=1, file_count=2, skipped_count=3)

    append = stages.completed(
        an_envelope(),
        started_at=AT,
        at=AT + timedelta(seconds=2.5),
        files_processed=9,
        counts={"a": 1},
        before=(begun,),
    )

    first, last = append.drafts
    assert first.event == begun
    assert isinstance(last.event, StageCompleted)
    assert (last.event.duration, last.event.files_processed, last.event.counts) == (2.5, 9, {"a": 1})


def test_a_clock_that_went_back_gives_no_negative_duration() -> None:
    append = stages.completed(an_envelope(), started_at=AT, at=AT - timedelta(seconds=2), files_processed=0)

    event = append.drafts[0].event
    assert isinstance(event, StageCompleted)
    assert event.duration == 0.0


def test_delivered_twice_gives_the_same_event_ids() -> None:
    later = AT + timedelta(hours=1)

    def once(at: datetime) -> list[UUID]:
        appends = [
            *stages.started(an_envelope(), FakeRun(), at),
            *stages.failed(an_envelope(), Permanent("x", "y"), at),
            *stages.parked(an_envelope(), 3, at),
            stages.completed(an_envelope(), started_at=AT, at=at, files_processed=0),
        ]
        return [draft.event_id for append in appends for draft in append.drafts]

    assert once(AT) == once(later)
    assert len(set(once(AT))) == 4


def test_an_event_of_another_type_is_refused() -> None:
    envelope = an_envelope("repository.processing.cancel_requested")

    with pytest.raises(TypeError, match="cancel_requested"):
        stages.started(envelope, FakeRun(), AT)
