"""A person stops an analysis while a stage is at work: through the real kernel, with real processes at work."""

import asyncio
import gzip
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from events.artifacts import ArtifactKind, ArtifactRef, SourceRow
from events.base import Envelope
from events.delivery.work import LongHandler
from events.processing import Stage, StageRequested
from processor.adapters.archive import UploadedArchives
from processor.adapters.parser_pool import ParserPool
from processor.adapters.parser_process import Limits
from processor.archives.limits import ArchiveLimits
from processor.jobs.link import Link
from processor.jobs.parse import Parse
from processor.subscribers import subscribe
from runtime.objects import Objects
from runtime.parquet import write_rows
from tests.support.archives import raw_header
from tests.support.delivery import Kernel, a_kernel
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer, Manner
from tests.support.jobs import Bench, a_request, an_upload
from tests.support.kernel import a_draft
from tests.support.sources import a_source
from tests.support.stopping import stopped


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
    draft = a_draft(event, stage=event.stage.value)
    context = draft.context.model_copy(update={"repository_id": request.repository_id})
    await kernel.journal.append(request.stream_id, [draft.model_copy(update={"context": context})])
    subscriber = kernel.subscriber("a")
    subscribe(subscriber, {event.stage: (handler, 1)})
    working: set[int] = set()
    took = await stopped(kernel, subscriber, request, at_work, lambda: working.update(leaders() - before))
    assert took < 2
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


async def test_while_an_upload_is_read_the_process_that_reads_it_ends_and_no_file_is_left(
    kernel: Kernel, bench: Bench
) -> None:
    before = leaders()
    endless = ArchiveLimits(total_bytes=10**13, ratio=10**9)
    clone = replace(bench.clone, archives=UploadedArchives(bench.workspace, endless))
    zeros = gzip.compress(bytes(50_000_000), 1)
    raw = gzip.compress(raw_header(b"a", b"%011o\0" % (8**11 - 1))) + zeros * 60
    request = await an_upload(bench, raw)

    def at_work() -> bool:
        return any(psutil.Process(pid).cpu_times().user > 0.3 for pid in leaders() - before)

    working = await stop_it(kernel, request, clone, at_work, before)

    assert len(working) == 1
    assert leaders() <= before
    assert bench.leftovers() == []


@pytest.mark.parametrize("stage", [Stage.CLONE, Stage.LINK])
async def test_while_the_store_does_not_answer_nothing_is_waited_for(
    kernel: Kernel, bench: Bench, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    asked: list[str] = []
    ended: list[str] = []

    async def silent(_objects: Objects, key: str, _sha256: str = "") -> bytes:
        asked.append(key)
        try:
            return await asyncio.Event().wait() or b""
        finally:
            ended.append(key)

    if stage is Stage.CLONE:
        request, handler = await an_upload(bench, b"x" * 300_000), bench.clone
    else:
        tree = ArtifactRef(kind=ArtifactKind.TREE, key="tree", sha256="0" * 64, rows=1, bytes=1, shard=0)
        request, handler = a_request(Stage.LINK, "https://example.org/x", inputs=(tree,)), Link(bench.backends)
    monkeypatch.setattr(Objects, "get", silent)

    await stop_it(kernel, request, handler, lambda: asked, leaders())

    assert len(asked) == 1
    assert ended == asked
    assert bench.leftovers() == []
