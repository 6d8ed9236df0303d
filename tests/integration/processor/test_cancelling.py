"""A person stops an analysis while a stage is at work: through the real kernel, with real processes at work."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from events.artifacts import ArtifactKind, ArtifactRef, SourceRow
from events.base import Envelope
from events.catalog import CONSUMERS, stage_topic
from events.delivery.work import LongHandler
from events.processing import Stage, StageRequested
from processor.adapters.parser_pool import ParserPool
from processor.adapters.parser_process import Limits
from processor.jobs.parse import Parse
from processor.subscribers import subscribe
from runtime.parquet import write_rows
from tests.support.delivery import Kernel, a_kernel, until
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer, Manner
from tests.support.jobs import Bench, a_request
from tests.support.kernel import a_draft, cancel_requested
from tests.support.sources import a_source


@pytest.fixture
async def kernel(database_url: str, redis_url: str) -> AsyncIterator[Kernel]:
    async with a_kernel(database_url, redis_url) as kernel:
        yield kernel


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "home")
    yield made
    made.workspace.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    build_repository(tmp_path / "served" / "good.git", [{"a.txt": "one\n"}])
    with GitServer(tmp_path / "served") as running:
        yield running


def leaders() -> set[int]:
    """Processes of ours that lead a session of their own, as every git and every parser does."""
    found = set()
    for child in psutil.Process().children():
        try:
            found |= {child.pid} if os.getsid(child.pid) == child.pid else set()
        except ProcessLookupError:
            continue
    return found


def living(group: int) -> list[int]:
    """The processes of a group that still run: what nobody has reaped yet is over."""
    members = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return members


async def stop_it(
    kernel: Kernel, request: Envelope, handler: LongHandler, at_work: Callable[[], object], before: set[int]
) -> set[int]:
    """Have `request` handled, stop it once it is `at_work`, and wait for the end; the processes that were at work."""
    event = StageRequested.model_validate(request.data)
    topic = stage_topic(event.stage)
    [consumer] = CONSUMERS[topic]
    draft = a_draft(event, stage=event.stage.value)
    draft = draft.model_copy(
        update={"context": draft.context.model_copy(update={"repository_id": request.repository_id})}
    )
    await kernel.journal.append(request.stream_id, [draft])
    await kernel.carry()
    subscriber = kernel.subscriber("a")
    subscribe(subscriber, {event.stage: (handler, 1)})
    await subscriber.start()
    await until(at_work)
    working = leaders() - before
    await kernel.journal.append(request.stream_id, [cancel_requested()])

    async def cancelled() -> bool:
        return list((await kernel.inbox(consumer)).values()) == ["cancelled"]

    await until(cancelled)
    return working


@pytest.mark.parametrize("manner", [Manner.SILENT, Manner.DRIP])
async def test_while_it_is_cloned_git_ends_with_its_children_and_no_folder_is_left(
    kernel: Kernel, bench: Bench, server: GitServer, manner: Manner
) -> None:
    before = leaders()
    server.behave("good", manner)
    request = a_request(Stage.CLONE, server.url("good"))

    def at_work() -> bool:
        asked = [path for path in server.requests if manner is Manner.SILENT or path.endswith("/git-upload-pack")]
        return bool(asked) and bool(leaders() - before)

    working = await stop_it(kernel, request, bench.clone, at_work, before)

    assert working
    assert leaders() <= before
    assert [living(group) for group in working] == [[] for _ in working]
    assert bench.leftovers() == []
    types = [event.event_type for event in await kernel.journal.read_stream(request.stream_id)]
    assert types[-1] == "repository.processing.cancel_requested"


async def test_while_it_is_parsed_the_parsers_end(kernel: Kernel, bench: Bench) -> None:
    before = leaders()
    content = write_rows(SourceRow, [a_source("hang.py", "!hang")])
    stored = await bench.backends.objects.put("sources", ".parquet", content)
    ref = ArtifactRef(
        kind=ArtifactKind.SOURCES, key=stored.key, sha256=stored.sha256, rows=1, bytes=stored.bytes, shard=0
    )
    request = a_request(Stage.PARSE, "https://example.org/x", inputs=(ref,))
    async with ParserPool(1, Limits(), entry="tests.support.faulty_parser_child") as pool:

        def at_work() -> bool:
            return any(tick["current"] == "hang.py" for tick in bench.redis.ticks)

        children = {child.pid for child in psutil.Process().children()}
        working = await stop_it(kernel, request, Parse(bench.backends, pool), at_work, before)

        left = {child.pid for child in psutil.Process().children()} - children
        assert left == set(), (working, left)
