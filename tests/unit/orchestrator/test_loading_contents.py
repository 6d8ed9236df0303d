"""A store that does not answer is no verdict on what it holds: nothing is marked, and what was read before is kept.

One that gives everything else is waited for some time only.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID, uuid4

import pytest
from obstore.store import MemoryStore
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactKind, ArtifactRef, TreeRow
from events.base import LOCAL_TENANT, Envelope
from events.processing import Stage, StageCompleted
from orchestrator.projections.contents import Contents
from orchestrator.projections.runner import nothing
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


class Loaded:
    """A database of which one artifact is known: it was loaded before. Of `given_up` it is known that they were not."""

    def __init__(self, key: str, *given_up: str) -> None:
        self._key = key
        self._given_up = given_up
        self._found: list[str] = []

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        yield cast("AsyncConnection", self)

    async def execute(self, _statement: object, values: object = None, execution_options: object = None) -> "Loaded":
        wanted = values["keys"] if isinstance(values, dict) else ()
        self._found = [self._key] if execution_options is None else [key for key in self._given_up if key in wanted]
        return self

    def scalars(self) -> "Loaded":
        return self

    def all(self) -> list[str]:
        return self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)


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


async def test_an_event_waits_ten_minutes_for_what_is_refused_of_it_alone_and_as_long_as_all_is_refused() -> None:
    objects, now = Refusing(MemoryStore(), tenant=LOCAL_TENANT), [0.0]
    before, first, second = [await a_tree(objects, path) for path in ("a.py", "b.py", "c.py")]
    contents = Contents(objects, Loaded(before.key), lambda: now[0])
    events, later, other = [told(first), told(second)], [told(second)], [told(second)]

    async def is_taken(offered: list[Envelope]) -> int:
        try:
            return (await contents.prepare(offered)).taken
        except Transient:
            return 0

    objects.refused = frozenset({before.key, first.key, second.key})
    for now[0], expected in ((0.0, 0), (599.0, 0), (86_400.0, 0)):
        assert await is_taken(events) == expected
    objects.refused -= {before.key}
    assert await is_taken(events) == 1
    for now[0], expected in ((86_400.0, 0), (86_409.0, 0), (86_410.0, 1)):  # the next ones wait no more than a moment
        assert await is_taken(later) == expected
    for now[0], expected in ((88_000.0, 0), (88_599.0, 0), (88_600.0, 1)):  # but on another day as long again
        assert await is_taken(other) == expected


async def test_what_was_given_up_before_is_marked_again_at_once_and_nothing_else_is() -> None:
    objects = Refusing(MemoryStore(), tenant=LOCAL_TENANT)
    before, first, second = [await a_tree(objects, path) for path in ("a.py", "b.py", "c.py")]
    objects.refused = frozenset({first.key, second.key})
    contents = Contents(objects, Loaded(before.key, first.key))

    step = await contents.prepare([told(first)])
    assert (step.taken, step.write is nothing) == (1, False)
    with pytest.raises(Transient, match="store_unavailable"):
        await contents.prepare([told(second)])
