"""Vectors of two models, or none of the wanted one: promote says so, and who counts is the workflow."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import LOCAL_TENANT, Context, Draft, Envelope
from events.index import EmbedderChanged, GenerationKind
from events.log.drafts import record
from events.processing import Stage, StageFailed, StageRequested
from rag_manager.jobs.activate_generation import ActivateGeneration
from rag_manager.jobs.activation import generation_id
from rag_manager.rows import generations, reading
from rag_manager.rows.generations import Generation
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

    async def none(*_: object) -> list[Generation]:
        return []

    monkeypatch.setattr(generations, "built_of", none)
    monkeypatch.setattr(reading, "indexed", indexed)
    monkeypatch.setattr(generations, "collection_names", names)
    monkeypatch.setattr(ActivateGeneration, "_extended", mixed)


def an_artifact(sha256: str = "f" * 64) -> ArtifactRef:
    return ArtifactRef(kind=ArtifactKind.VECTORS, key=f"vectors/{sha256}", sha256=sha256, rows=1, bytes=1, shard=0)


def a_request(attempt: int, *inputs: ArtifactRef) -> Envelope:
    event = StageRequested(
        analysis_id=ANALYSIS, run_id=uuid4(), stage=Stage.PROMOTE, attempt=attempt, url="", inputs=inputs
    )
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


def a_generation(model: str, sha256: str = "f" * 64, number: int = 7) -> Generation:
    ref = an_artifact(sha256)
    return Generation(UUID(int=number), LOCAL_TENANT, ANALYSIS, GenerationKind.FULL, "built", model, 1, 1, "c", (ref,))


def serves(monkeypatch: pytest.MonkeyPatch, generation: Generation) -> None:
    async def built_of(*_: object) -> list[Generation]:
        return [generation]

    monkeypatch.setattr(generations, "built_of", built_of)


async def test_the_very_vectors_that_serve_under_a_former_model_are_no_new_generation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serves(monkeypatch, a_generation("former"))

    with pytest.raises(Permanent, match="not_embedded_anew"):
        await a_job(GenerationKind.FULL)(a_request(2, an_artifact()), ARun())


@pytest.mark.parametrize(
    "there",
    [
        a_generation("wanted"),
        a_generation("former", sha256="e" * 64),
        a_generation("former", number=generation_id(ANALYSIS, GenerationKind.FULL, 0).int),
    ],
    ids=["of the wanted model", "of other vectors", "itself, delivered twice"],
)
async def test_whatever_brings_something_goes_on(monkeypatch: pytest.MonkeyPatch, there: Generation) -> None:
    serves(monkeypatch, there)

    result = await a_job(GenerationKind.FULL)(a_request(2, an_artifact()), ARun())

    [failed, _] = (draft.event for append in result.appends for draft in append.drafts)
    assert isinstance(failed, StageFailed)
    assert failed.code == "mixed_models", "as the next step of this test's promote says"
