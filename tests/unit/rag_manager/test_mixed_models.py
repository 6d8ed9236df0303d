"""Vectors of two models: promote says so as often as it finds them, and who counts is the workflow."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from events.base import LOCAL_TENANT, Context, Draft, Envelope
from events.index import EmbedderChanged, GenerationKind
from events.log.drafts import record
from events.processing import Stage, StageFailed, StageRequested
from rag_manager.jobs.activate_generation import ActivateGeneration
from rag_manager.rows import generations, reading
from rag_manager.stages.collection_names import CollectionNames
from runtime.faults import Permanent
from tests.support.index import ARun

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANALYSIS = UUID(int=1)


@pytest.fixture(autouse=True)
def _mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def indexed(*_: object) -> reading.Indexed:
        return reading.Indexed(NOON, 1, 1)

    async def names(*_: object) -> CollectionNames:
        return CollectionNames(uuid4(), b"key")

    async def mixed(*_: object) -> None:
        raise Permanent("mixed_models", "Two models.")

    monkeypatch.setattr(reading, "indexed", indexed)
    monkeypatch.setattr(generations, "collection_names", names)
    monkeypatch.setattr(ActivateGeneration, "_extended", mixed)


def a_request(attempt: int) -> Envelope:
    event = StageRequested(analysis_id=ANALYSIS, run_id=uuid4(), stage=Stage.PROMOTE, attempt=attempt, url="")
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4(), repository_id=UUID(int=2))
    draft = Draft(event_id=uuid4(), occurred_at=NOON, context=context, event=event, stage=Stage.PROMOTE.value)
    return record(draft, f"analysis/{ANALYSIS}", attempt)


def a_job(kind: GenerationKind) -> ActivateGeneration:
    backends: Any = SimpleNamespace(engine=None, redis=None)  # none of them is asked
    return ActivateGeneration(backends, kind, "wanted")


@pytest.mark.parametrize("attempt", [1, 6, 40])
async def test_however_often_it_was_promoted_a_mixture_is_said_to_be_one(attempt: int) -> None:
    result = await a_job(GenerationKind.FULL)(a_request(attempt), ARun())

    failed, changed = (draft.event for append in result.appends for draft in append.drafts)
    assert isinstance(failed, StageFailed)
    assert failed.code == "mixed_models"
    assert isinstance(changed, EmbedderChanged)
    assert (changed.model, changed.wanted) == ("", "wanted")


async def test_of_the_quick_generation_whose_model_is_no_setting_it_is_a_fault() -> None:
    with pytest.raises(Permanent):
        await a_job(GenerationKind.QUICK)(a_request(1), ARun())
