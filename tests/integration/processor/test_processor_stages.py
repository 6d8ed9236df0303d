"""The stages through the real kernel: requested in the log, done by a subscriber, completed in the log, once."""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from events.artifacts import ArtifactKind, ArtifactRef, ConnectionRow, ImportRow, LinkRow
from events.base import LOCAL_TENANT, Context, Draft, Envelope, derived_id
from events.catalog import decode
from events.delivery.work import LongHandler
from events.processing import Stage, StageCompleted, StageFailed, StageRequested
from processor.adapters.parser_pool import ParserPool
from processor.jobs.base import Backends
from processor.jobs.clone import Clone
from processor.jobs.history import History
from processor.stages.take_sources import SourceLimits
from processor.subscribers import Slots, handlers, subscribe
from runtime.live import LiveChannels
from tests.support.delivery import Kernel, a_kernel, until
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer, Manner
from tests.support.jobs import Bench

ANALYSIS = UUID("30000000-0000-4000-8000-000000000001")
STREAM = f"analysis/{ANALYSIS}"


async def ask(
    kernel: Kernel, stage: Stage, url: str, inputs: tuple[ArtifactRef, ...] = (), commit: str | None = None
) -> None:
    run_id = derived_id("run", stage, 0)
    request = StageRequested(
        analysis_id=ANALYSIS, run_id=run_id, stage=stage, url=url, inputs=inputs, commit=commit, history_depth=5
    )
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4())
    draft = Draft(
        event_id=derived_id("request", run_id),
        occurred_at="2026-01-01T00:00:00Z",
        context=context,
        event=request,
        stage=stage,
    )
    await kernel.journal.append(STREAM, [draft])


async def history(kernel: Kernel) -> list[Envelope]:
    return await kernel.journal.read_stream(STREAM)


async def completed(kernel: Kernel, stage: Stage) -> StageCompleted | None:
    found = [decode(envelope) for envelope in await history(kernel)]
    return next((event for event in found if isinstance(event, StageCompleted) and event.stage is stage), None)


@pytest.fixture
def served(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    files = {
        "README.md": "# Dog\n\nBarks at people who come by.\n",
        "src/dog.py": "class Dog:\n    def bark(self): ...\n",
        "src/zoo.py": "from dog import Dog\nDog().bark()\n",
    }
    build_repository(folder / "dog.git", [files])
    return folder


def jobs(kernel: Kernel, bench: Bench, pool: ParserPool) -> dict[Stage, tuple[LongHandler, int]]:
    backends = Backends(bench.backends.objects, kernel.redis)
    clone, history = Clone(backends, bench.repositories, SourceLimits()), History(backends, bench.pasts, 100)
    return handlers(backends, clone, history, pool, Slots())


async def test_all_stages_of_an_analysis(database_url: str, redis_url: str, served: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "home")
    with GitServer(served) as server:
        async with a_kernel(database_url, redis_url) as kernel, ParserPool(1) as pool, kernel.carrying():
            subscriber = kernel.subscriber()
            subscribe(subscriber, jobs(kernel, bench, pool))
            await subscriber.start()
            await ask(kernel, Stage.CLONE, server.url("dog"))
            await until(lambda: completed(kernel, Stage.CLONE))
            cloned = await completed(kernel, Stage.CLONE)
            assert cloned is not None
            sources = tuple(ref for ref in cloned.artifacts if ref.kind is ArtifactKind.SOURCES)
            for stage, inputs in (
                (Stage.METADATA, cloned.artifacts),
                (Stage.STRUCTURE, cloned.artifacts),
                (Stage.HISTORY, cloned.artifacts),
                (Stage.PARSE, sources),
            ):
                await ask(kernel, stage, server.url("dog"), inputs, str(cloned.facts["commit"]))
            for stage in (Stage.METADATA, Stage.STRUCTURE, Stage.HISTORY, Stage.PARSE):
                await until(lambda stage=stage: completed(kernel, stage))  # type: ignore[misc]  # bound now
            metadata, parse = await completed(kernel, Stage.METADATA), await completed(kernel, Stage.PARSE)
            assert parse is not None
            await ask(kernel, Stage.LINK, server.url("dog"), (*cloned.artifacts, *parse.artifacts))
            await until(lambda: completed(kernel, Stage.LINK))
            link = await completed(kernel, Stage.LINK)
            assert link is not None
            tables = {
                ref.kind: (await Backends(bench.backends.objects, kernel.redis).rows(row, ref))
                for ref, row in zip(link.artifacts, (ImportRow, LinkRow, ConnectionRow), strict=True)
            }
            ticks = await kernel.redis.xlen(LiveChannels(LOCAL_TENANT).ticks)
            past = await completed(kernel, Stage.HISTORY)
            events = [envelope.event_type for envelope in await history(kernel)]

    assert cloned.counts["files"] == 3
    assert metadata is not None
    assert metadata.metadata_extracted["readme_title"] == "Dog"
    assert past is not None
    assert (past.counts, past.facts["complete"]) == ({"commits": 1, "contributors": 1}, True)
    assert [ref.kind for ref in parse.artifacts] == ["symbols", "edges", "chunks", "outcomes"]
    assert parse.counts["symbols"] == 3  # a class, its method, and the heading of the README
    assert parse.facts == {"failed": {}}
    assert [(row.path, row.target) for row in tables[ArtifactKind.IMPORTS]] == [("src/zoo.py", "src/dog.py")]
    links, connections = tables[ArtifactKind.LINKS], tables[ArtifactKind.CONNECTIONS]
    assert [(row.target, row.level) for row in links] == [("Dog", "exact"), ("Dog.bark", "inferred")]
    assert [(row.path, row.called_by) for row in connections] == [("src/dog.py", 1), ("src/zoo.py", 0)]
    assert events.count("processing.stage.started") == events.count("processing.stage.completed") == 6
    assert events.index("repository.processing.started") == events.index("processing.stage.completed") - 1
    assert ticks > 0
    assert bench.leftovers() == []


async def test_a_clone_that_is_delivered_twice_is_said_once(
    database_url: str, redis_url: str, served: Path, tmp_path: Path
) -> None:
    bench = Bench(tmp_path / "home")
    with GitServer(served) as server:
        async with a_kernel(database_url, redis_url) as kernel, ParserPool(1) as pool:
            subscriber = kernel.subscriber()
            subscribe(subscriber, jobs(kernel, bench, pool))
            await ask(kernel, Stage.CLONE, server.url("dog"))
            await kernel.carry()
            [(_, fields)] = await kernel.redis.xrange("stage.clone")
            await kernel.redis.xadd("stage.clone", fields)  # the relay does not run: it would notice
            await subscriber.start()
            await until(lambda: completed(kernel, Stage.CLONE))
            await asyncio.sleep(0.5)
            events = [envelope.event_type for envelope in await history(kernel)]

    assert events == [
        "processing.stage.requested",
        "processing.stage.started",
        "repository.processing.started",
        "processing.stage.completed",
    ]


async def test_a_repository_that_is_not_there_is_a_failed_stage(
    database_url: str, redis_url: str, served: Path, tmp_path: Path
) -> None:
    bench = Bench(tmp_path / "home")
    with GitServer(served) as server:
        async with a_kernel(database_url, redis_url) as kernel, ParserPool(1) as pool, kernel.carrying():
            subscriber = kernel.subscriber()
            subscribe(subscriber, jobs(kernel, bench, pool))
            await subscriber.start()
            await ask(kernel, Stage.CLONE, server.behave("dog", Manner.ASK_PASSWORD))
            await until(lambda: _failed(kernel))
            [failed] = await _failed(kernel)

    assert (failed.kind, failed.code) == ("permanent", "repository_not_found")


async def _failed(kernel: Kernel) -> list[StageFailed]:
    found = [decode(envelope) for envelope in await history(kernel)]
    return [event for event in found if isinstance(event, StageFailed)]
