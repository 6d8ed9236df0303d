"""Whatever fails while vectors are written ahead, the shard is embedded; a server that failed is left alone."""

import logging
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy.exc import OperationalError

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import LOCAL_TENANT, Context, Draft, Envelope
from events.log.drafts import record
from events.processing import Stage, StageRequested
from rag_manager.jobs.vector_tables import vectors_table
from rag_manager.jobs.write_ahead import WriteAhead
from rag_manager.ports import CollectionMissing
from rag_manager.rows import ahead, generations
from rag_manager.stages.collection_names import CollectionNames
from runtime.faults import Cancelled, Permanent
from tests.fakes.vectors import MemoryVectors
from tests.support.index import ARun
from tests.support.kernel import AT

ANALYSIS = UUID(int=1)
IDS = ["a", "b"]
ARTIFACT = ArtifactRef(kind=ArtifactKind.VECTORS, key="v", sha256="f" * 64, rows=2, bytes=1, shard=0)
DATABASE_AWAY = OperationalError("SELECT", {}, ConnectionError("the database is away"))


class Stored:
    """The artifact."""

    async def get(self, *_: object) -> bytes:
        return vectors_table(IDS, IDS, dict(zip(IDS, np.eye(2, dtype=np.float32), strict=True)), "a model", 2)


class Fails:
    """Raises an error, whatever it is called with."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def __call__(self, *_: object, **__: object) -> None:
        raise self._error


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> Any:  # it stands for Backends
    async def names(*_: object) -> CollectionNames:
        return CollectionNames(UUID(int=3), b"key")

    async def begin(*_: object, **__: object) -> bool:
        return True

    monkeypatch.setattr(generations, "collection_names", names)
    monkeypatch.setattr(ahead, "begin", begin)
    return SimpleNamespace(engine=None, objects=Stored(), vectors=MemoryVectors())


def a_request() -> Envelope:
    event = StageRequested(analysis_id=ANALYSIS, run_id=uuid4(), stage=Stage.EMBED, shards=2, attempt=1, url="")
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4(), repository_id=UUID(int=2))
    draft = Draft(event_id=uuid4(), occurred_at=AT, context=context, event=event, stage=Stage.EMBED.value)
    return record(draft, f"analysis/{ANALYSIS}", 1)


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("names", DATABASE_AWAY),
        ("begin", DATABASE_AWAY),
        ("get", Permanent("artifact_missing", "It is gone.")),
        ("create", ValueError("the client takes no such name")),
        ("upsert", CollectionMissing("c")),
        ("upsert", ValueError("the client takes no such vectors")),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_whatever_fails_is_a_line_in_the_log(
    backends: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str, error: Exception
) -> None:
    owner: Any = {"names": generations, "begin": ahead, "get": backends.objects}.get(where, backends.vectors)
    ahead_of = WriteAhead(backends)
    with monkeypatch.context() as broken:
        broken.setattr(owner, "collection_names" if where == "names" else where, Fails(error))
        with caplog.at_level(logging.WARNING):
            await ahead_of(a_request(), ARTIFACT, ARun())

    [line] = caplog.records
    assert type(error).__name__ in line.getMessage()
    await ahead_of(a_request(), ARTIFACT, ARun())  # and the next shard is written
    assert backends.vectors.written == IDS


async def test_who_is_told_to_stop_stops(backends: Any) -> None:
    with pytest.raises(Cancelled):
        await WriteAhead(backends)(a_request(), ARTIFACT, ARun(cancelled=True))

    assert backends.vectors.written == []


async def test_a_server_that_failed_is_left_alone_for_a_while(backends: Any) -> None:
    patient, hasty = WriteAhead(backends), WriteAhead(backends, pause=0.0)
    backends.vectors.down = 2
    for each in (patient, hasty):
        await each(a_request(), ARTIFACT, ARun())
    assert backends.vectors.down == 0, "both have asked it"

    await patient(a_request(), ARTIFACT, ARun())
    assert (backends.vectors.collections, backends.vectors.written) == ({}, [])

    await hasty(a_request(), ARTIFACT, ARun())
    assert backends.vectors.written == IDS
