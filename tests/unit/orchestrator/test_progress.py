"""Frames, mailboxes and the hub: what a viewer is sent, and what is dropped first."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import pytest

from events.base import Envelope
from events.log.journal import Journal
from events.log.memory import MemoryJournal
from events.processing import CancelRequested, Stage, StageFailed, StageStarted
from orchestrator.progress import frames
from orchestrator.progress.hub import BEATS, Hub
from orchestrator.progress.sse import StreamEvents
from orchestrator.progress.viewer import CAPACITY, Mailbox, Message
from tests.support.analyses import ANALYSIS, CONTEXT, STREAM, requested
from tests.support.kernel import a_draft

TENANT = uuid4()


def a_milestone(version: int) -> Message:
    return Message(f"m{version}".encode(), version=version)


def a_tick(run: str, n: int = 0) -> Message:
    return Message(f"{run}{n}".encode(), run_id=run)


def taken(mailbox: Mailbox) -> list[bytes]:
    found = []
    while mailbox:
        found.append(mailbox.take().frame)
    return found


def test_a_frame_has_one_data_line_for_each_line() -> None:
    assert frames.frame("tick", "a\nb", id_="7") == b"id: 7\nevent: tick\ndata: a\ndata: b\n\n"
    assert frames.frame("heartbeat", "{}") == b"event: heartbeat\ndata: {}\n\n"


async def test_a_milestone_is_its_envelope_with_its_version_as_id() -> None:
    [envelope] = await MemoryJournal().append(STREAM, [a_draft(requested())])
    lines = frames.milestone(envelope).decode().split("\n")

    assert lines[:2] == ["id: 1", "event: milestone"]
    assert Envelope.model_validate_json(lines[2].removeprefix("data: ")) == envelope


@pytest.mark.parametrize(
    ("header", "query", "after"),
    [
        ("7", 3, 7),
        (None, 3, 3),
        (None, None, 0),
        ("abc", 3, 3),
        ("-1", None, 0),
        ("9" * 40, 2, 2),
        ("٣", 1, 3),
        ("", 4, 4),
    ],
)
def test_where_a_viewer_goes_on(header: str | None, query: int | None, after: int) -> None:
    assert frames.last_event_id(header, query) == after


def test_a_newer_tick_of_a_run_replaces_the_waiting_one() -> None:
    mailbox = Mailbox()
    for message in (a_tick("a", 1), a_milestone(1), a_tick("b", 1), a_tick("a", 2)):
        mailbox.put(message)

    assert taken(mailbox) == [b"m1", b"b1", b"a2"]


def test_a_full_mailbox_drops_the_oldest_tick_and_never_a_milestone() -> None:
    mailbox = Mailbox(capacity=3)
    for message in (a_tick("a"), a_tick("b"), a_milestone(1), a_milestone(2), a_milestone(3), a_tick("c")):
        mailbox.put(message)

    assert taken(mailbox) == [b"m1", b"m2", b"m3"]
    assert not mailbox.overflowed


def test_a_milestone_that_finds_no_room_is_noted() -> None:
    mailbox = Mailbox(capacity=2)
    for version in (1, 2, 3):
        mailbox.put(a_milestone(version))

    assert taken(mailbox) == [b"m1", b"m2"]
    assert mailbox.overflowed


def test_a_lost_tick_is_no_loss() -> None:
    mailbox = Mailbox(capacity=1)
    mailbox.put(a_milestone(1))
    mailbox.put(a_tick("a"))

    assert taken(mailbox) == [b"m1"]
    assert not mailbox.overflowed


async def test_only_viewers_of_an_analysis_get_its_events() -> None:
    journal, hub = await _stream_of(1), Hub()
    [other] = await journal.append(f"repository/{uuid4()}", [a_draft(CancelRequested())])
    async with watching(hub, journal) as mine, watching(hub, MemoryJournal(), stream=f"analysis/{uuid4()}") as theirs:
        [envelope] = await journal.append(STREAM, [a_draft(CancelRequested())])
        hub.publish(envelope)
        hub.publish(other)

    assert mine.versions == [1, 2]
    assert theirs.versions == []
    assert hub.viewers == 0


async def test_viewers_of_a_repository_hear_once_a_flush_that_an_analysis_of_it_grew() -> None:
    hub, repository = Hub(), uuid4()
    about = CONTEXT.model_copy(update={"repository_id": repository})
    journal, drafts = MemoryJournal(), [a_draft(CancelRequested()).model_copy(update={"context": about}) for _ in "ab"]
    events = await journal.append(STREAM, drafts)
    its_own, another = (watching(hub, MemoryJournal(), stream=f"repository/{id_}") for id_ in (repository, uuid4()))
    async with its_own as its, another as no:
        for envelope in events:
            hub.publish(envelope)
        for _ in range(2):
            hub.flush_ticks()

    assert its.text.count("event: grown") == 1
    assert its.versions == []
    assert "grown" not in no.text


async def test_ticks_of_another_tenants_channel_reach_nobody_whatever_they_say() -> None:
    hub = Hub()
    async with watching(hub, MemoryJournal()) as viewer:
        assert hub.tenants == [TENANT]
        hub.offer_tick(uuid4(), ANALYSIS, "r", "forged")
        hub.flush_ticks()

    assert "forged" not in viewer.text
    assert hub.tenants == []


async def test_ticks_are_handed_on_at_the_flush_and_only_the_newest_of_each_run() -> None:
    hub = Hub()
    hub.offer_tick(TENANT, ANALYSIS, "r", "lost")
    async with watching(hub, MemoryJournal()) as viewer:
        for n in range(50):
            hub.offer_tick(TENANT, ANALYSIS, "r", json.dumps(n))
        assert "tick" not in viewer.text
        hub.flush_ticks()
        hub.flush_ticks()

    assert viewer.text.count("event: tick") == 1
    assert viewer.text.endswith(frames.frame("tick", "49").decode())


async def test_who_comes_later_is_told_how_far_the_runs_are_that_are_not_over() -> None:
    journal, hub = await _stream_of(1), Hub()
    over, started = uuid4(), StageStarted(run_id=uuid4(), stage=Stage.PARSE, shard=1, attempt=1, worker="w")
    async with watching(hub, journal):
        assert hub.newly_watched() == [(TENANT, ANALYSIS)]
        for run in (over, started.run_id):
            hub.offer_tick(TENANT, ANALYSIS, str(run), json.dumps(f"at work: {run}"))
        hub.flush_ticks()
        hub.offer_tick(TENANT, ANALYSIS, str(over), json.dumps("the last of it"))
        failed = StageFailed(
            run_id=over,
            stage=Stage.PARSE,
            shard=0,
            attempt=1,
            shards=2,
            duration=1.0,
            kind="transient",
            code="c",
            message="",
        )
        for envelope in await journal.append(STREAM, [a_draft(started), a_draft(failed)]):
            hub.publish(envelope)
        hub.flush_ticks()
        async with watching(hub, journal) as later:
            await later.until(lambda: "event: tick" in later.text)

    assert later.text.index("id: 3") < later.text.index(f"at work: {started.run_id}")
    assert str(over) not in later.text.partition("event: tick")[2]
    assert hub.newly_watched() == []


class Connection:
    """One ASGI connection, that reads for as long as it likes."""

    def __init__(self, response: StreamEvents) -> None:
        self.bodies: list[bytes] = []
        self.gone = asyncio.Event()
        self.quick = asyncio.Event()
        self.quick.set()
        self.news = asyncio.Event()
        self.task = asyncio.create_task(response.serve(self._receive, self._send))

    async def _receive(self) -> dict[str, object]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, object]) -> None:
        if not self.quick.is_set():
            await self.quick.wait()
        body = message.get("body", b"")
        assert isinstance(body, bytes)
        self.bodies.append(body)
        self.news.set()
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.gone.set()

    @property
    def text(self) -> str:
        return b"".join(self.bodies).decode()

    @property
    def versions(self) -> list[int]:
        return [int(line[4:]) for line in self.text.split("\n") if line.startswith("id: ")]

    async def saw(self, version: int) -> None:
        """Return once it saw a version."""
        await self.until(lambda: version in self.versions)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(2):
            while not condition():
                self.news.clear()
                await self.news.wait()

    async def leave(self) -> None:
        self.gone.set()
        await self.task


@asynccontextmanager
async def watching(hub: Hub, journal: Journal, *, after: int = 0, stream: str = STREAM) -> AsyncIterator[Connection]:
    """A viewer who has been greeted, and who leaves."""
    connection = Connection(StreamEvents(TENANT, stream, after=after, journal=journal, hub=hub))
    await connection.until(lambda: "retry: " in connection.text)
    yield connection
    await connection.leave()


class CountingJournal(MemoryJournal):
    """Counts how often a stream is read."""

    reads = 0

    async def read_stream(self, stream_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        self.reads += 1
        return await super().read_stream(stream_id, after=after, limit=limit)


async def _stream_of(length: int) -> CountingJournal:
    journal = CountingJournal()
    await journal.append(STREAM, [a_draft(requested()), *(a_draft(CancelRequested()) for _ in range(length - 1))])
    return journal


async def _happens(journal: MemoryJournal, hub: Hub) -> None:
    for envelope in await journal.append(STREAM, [a_draft(CancelRequested())]):
        hub.publish(envelope)


async def test_a_viewer_gets_what_was_missed_and_then_what_happens_without_doubles() -> None:
    journal, hub = await _stream_of(5), Hub()
    async with watching(hub, journal, after=2) as viewer:
        for envelope in await journal.read_stream(STREAM):
            hub.publish(envelope)
        await _happens(journal, hub)

    assert viewer.versions == [3, 4, 5, 6]
    assert viewer.text.startswith("retry: ")


async def test_a_gap_is_filled_from_the_log() -> None:
    journal, hub = await _stream_of(1), Hub()
    async with watching(hub, journal) as viewer:
        unpublished = await journal.append(STREAM, [a_draft(CancelRequested()) for _ in range(3)])
        hub.publish(unpublished[-1])
        await viewer.saw(4)

    assert viewer.versions == [1, 2, 3, 4]


async def test_who_comes_while_others_watch_is_served_from_memory() -> None:
    journal, hub = await _stream_of(5), Hub()
    async with watching(hub, journal):
        await _happens(journal, hub)
        read = journal.reads
        async with watching(hub, journal) as whole, watching(hub, journal, after=4) as back:
            await _happens(journal, hub)
        assert journal.reads == read

    assert whole.versions == [1, 2, 3, 4, 5, 6, 7]
    assert back.versions == [5, 6, 7]


async def test_of_a_conversation_nothing_is_served_from_memory() -> None:
    """Each reading leaves out what somebody said whose account was deleted meanwhile."""
    journal, hub, talk = CountingJournal(), Hub(), f"conversation/{uuid4()}"
    await journal.append(talk, [a_draft(CancelRequested())])
    async with watching(hub, journal, stream=talk) as first:
        for envelope in await journal.append(talk, [a_draft(CancelRequested())]):
            hub.publish(envelope)
        read = journal.reads
        async with watching(hub, journal, stream=talk) as second:
            pass

    assert (first.versions, second.versions, journal.reads) == ([1, 2], [1, 2], read + 1)
    assert hub.newly_watched() == []


async def test_who_wants_more_than_memory_has_is_served_from_the_log() -> None:
    journal, hub = await _stream_of(5), Hub()
    async with watching(hub, journal, after=3), watching(hub, journal, after=1) as further:
        await _happens(journal, hub)

    assert further.versions == [2, 3, 4, 5, 6]


async def test_memory_with_a_gap_is_not_served() -> None:
    journal, hub = await _stream_of(2), Hub()
    async with watching(hub, journal):
        unpublished = await journal.append(STREAM, [a_draft(CancelRequested()) for _ in range(3)])
        hub.publish(unpublished[-1])
        async with watching(hub, journal, after=1) as back:
            await back.saw(5)

    assert back.versions == [2, 3, 4, 5]


async def test_after_a_recall_nothing_is_served_from_memory() -> None:
    journal, hub = await _stream_of(2), Hub()
    async with watching(hub, journal) as viewer:
        await journal.append(STREAM, [a_draft(CancelRequested())])
        hub.recall()
        async with watching(hub, journal, after=2) as back:
            pass

    assert viewer.text.endswith("event: resync\ndata: {}\n\n")
    assert back.versions == [3]


async def test_every_viewer_gets_one_heartbeat_in_a_round() -> None:
    hub, journal = Hub(), await _stream_of(1)
    async with AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(watching(hub, journal)) for _ in range(BEATS + 3)]
        for _ in range(BEATS):
            hub.beat()

    assert [viewer.text.count("event: heartbeat") for viewer in viewers] == [1] * len(viewers)


async def test_a_viewer_who_does_not_read_misses_nothing_and_holds_up_nobody() -> None:
    journal, hub = await _stream_of(1), Hub()
    async with watching(hub, journal) as viewer, watching(hub, journal) as other:
        viewer.quick.clear()
        for _ in range(CAPACITY + 5):
            await _happens(journal, hub)
        assert other.versions == list(range(1, CAPACITY + 7))
        assert viewer.versions == [1]
        viewer.quick.set()
        await viewer.saw(CAPACITY + 6)
        await _happens(journal, hub)
        await viewer.saw(CAPACITY + 7)

    assert viewer.versions == list(range(1, CAPACITY + 8))


async def test_a_viewer_who_leaves_in_the_middle_of_a_write_leaves_nothing_behind() -> None:
    journal, hub = await _stream_of(1), Hub()
    async with watching(hub, journal) as viewer:
        viewer.quick.clear()
        await _happens(journal, hub)
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)

    assert hub.viewers == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_viewer_whose_gap_cannot_be_read_is_sent_back() -> None:
    class Broken(CountingJournal):
        async def read_stream(self, stream_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
            if after >= 1:
                raise OSError("no database")
            return await super().read_stream(stream_id, after=after, limit=limit)

    journal, hub = Broken(), Hub()
    await journal.append(STREAM, [a_draft(requested())])
    async with watching(hub, journal) as viewer:
        unpublished = await journal.append(STREAM, [a_draft(CancelRequested()) for _ in range(3)])
        hub.publish(unpublished[-1])
        hub.recall()  # also what it learned: the gap has to be read
        async with asyncio.timeout(2):
            await viewer.task

    assert viewer.text.endswith("event: resync\ndata: {}\n\n")


async def test_a_process_that_stops_sends_its_viewers_away() -> None:
    hub = Hub()
    async with watching(hub, MemoryJournal()) as viewer:
        hub.close()
        async with asyncio.timeout(1):
            await viewer.task
        async with watching(hub, MemoryJournal()) as late, asyncio.timeout(1):
            await late.task
