"""What a stage paid a provider, out of its event."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from events.base import Draft, Envelope, Event
from events.processing import Stage
from orchestrator.projections.embedding_costs import cost_of
from tests.support.analyses import CONTEXT, completed, failed, parked, record


def told(event: Event) -> Envelope:
    draft = Draft(event_id=uuid4(), occurred_at=datetime.now(UTC), context=CONTEXT, event=event)
    return record(draft, "analysis/x", 1, 1)


@pytest.mark.parametrize("said", [None, [], {}, {"cost_usd": None}, {"cost_usd": "3"}, {"cost_usd": 0}])
def test_a_stage_that_tells_no_cost_has_none(said: object) -> None:
    envelope = told(completed(Stage.EMBED))

    assert cost_of(envelope.model_copy(update={"data": {**envelope.data, "facts": said}})) == 0.0


def test_a_stage_tells_what_it_paid_until_it_was_done_or_failed() -> None:
    assert cost_of(told(completed(Stage.REFINE, facts={"cost_usd": 0.125}))) == 0.125
    assert cost_of(told(failed(Stage.REFINE))) == 0.0
    assert cost_of(told(failed(Stage.REFINE).model_copy(update={"cost_usd": 0.5}))) == 0.5
    assert cost_of(told(parked(Stage.REFINE))) == 0.0
