from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from events.base import Envelope
from events.catalog import CONSUMERS, ERASURE, QUESTIONS, stage_topic
from events.delivery.leases import run_id_of
from events.processing import Stage


def an_envelope(**data: object) -> Envelope:
    return Envelope(
        event_id=uuid4(),
        event_type="repository.deleted",
        schema_version=1,
        stream_id="repository/1",
        version=1,
        tenant_id=uuid4(),
        correlation_id=uuid4(),
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        data=data,
    )


def test_consumers_of_the_same_messages_do_not_wait_for_each_others_lease() -> None:
    envelope = an_envelope()
    leases = {run_id_of(envelope, consumer) for consumer in CONSUMERS[ERASURE]}

    assert len(leases) == len(CONSUMERS[ERASURE]) == 2
    assert leases == {run_id_of(envelope, consumer) for consumer in CONSUMERS[ERASURE]}


@pytest.mark.parametrize("consumer", [*CONSUMERS[QUESTIONS], *CONSUMERS[stage_topic(Stage.INDEX)]])
def test_who_has_the_messages_alone_has_a_lease_for_the_run_or_the_message(consumer: str) -> None:
    envelope, run_id = an_envelope(), "6f1c0a52-3d0f-4c8e-9a52-0c6f7d1b2a3e"

    assert run_id_of(envelope, consumer) == envelope.event_id
    assert run_id_of(an_envelope(run_id=run_id), consumer) == UUID(run_id)
