"""A store that does not answer is no verdict on what it holds: nothing is marked, and what was read before is kept."""

from uuid import UUID, uuid4

import pytest
from obstore.store import MemoryStore

from events.artifacts import ArtifactKind, ArtifactRef, TreeRow
from events.base import LOCAL_TENANT, Envelope
from events.processing import Stage, StageCompleted
from orchestrator.projections.contents import Contents
from runtime.faults import Transient
from runtime.objects import Objects
from tests.support.analyses import NOON
from tests.support.orchestrator import put_rows


class Refusing(Objects):
    """A store that refuses to give some of what it has."""

    refused: frozenset[str] = frozenset()

    async def get(self, key: str, sha256: str | None = None) -> bytes:
        if key in self.refused:
            raise Transient("store_unavailable", "Not now.")
        return await super().get(key, sha256)


def told(ref: ArtifactRef) -> Envelope:
    run = StageCompleted(
        run_id=uuid4(), stage=Stage.CLONE, shard=0, shards=1, attempt=1, duration=1, files_processed=1, artifacts=(ref,)
    )
    return Envelope(
        event_id=uuid4(),
        event_type=StageCompleted.event_type,
        stream_id=f"analysis/{UUID(int=1)}",
        version=1,
        seq=1,
        tenant_id=LOCAL_TENANT,
        correlation_id=uuid4(),
        timestamp=NOON,
        data=run.model_dump(mode="json"),
    )


async def a_tree(objects: Objects, path: str) -> ArtifactRef:
    row = TreeRow(
        path=path,
        blob_id="0" * 40,
        mode="100644",
        language="python",
        file_class="source",
        size=1,
        lines=1,
        shard=0,
        skipped=None,
    )
    return await put_rows(objects, ArtifactKind.TREE, TreeRow, [row], 0)


async def test_a_refusal_takes_what_came_before_it_and_is_raised_where_it_comes_first() -> None:
    objects = Refusing(MemoryStore(), tenant=LOCAL_TENANT)
    first, second = await a_tree(objects, "a.py"), await a_tree(objects, "b.py")
    objects.refused = frozenset({second.key})
    contents = Contents(objects)

    assert (await contents.prepare([told(first), told(second)])).taken == 1
    with pytest.raises(Transient, match="store_unavailable"):
        await contents.prepare([told(second)])
    objects.refused = frozenset()
    assert (await contents.prepare([told(first), told(second)])).taken == 2
