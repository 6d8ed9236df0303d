"""Frames, mailboxes and the hub: what a viewer is sent, and what is dropped first."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from events.base import Envelope
from events.log.memory import MemoryJournal
from events.processing import CancelRequested
from orchestrator.progress import frames
from orchestrator.progress.hub import CAPACITY, Closed, Hub, Mailbox, Message, Overflow
from orchestrator.progress.sse import AnalysisEvents
from tests.support.analyses import ANALYSIS, STREAM, requested
from tests.support.kernel import a_draft


def a_milestone(version: int) -> Message:
    return Message(f"m{version}".encode(), version=version)


def a_tick(run: str, n: int = 0) -> Message:
    return Message(f"{run}{n}".encode(), run_id=run)


async def taken(mailbox: Mailbox) -> list[bytes]:
    found = []
    while (message := await mailbox.get(0.01)) is not None:
        found.append(message.frame)
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


async def test_a_newer_tick_of_a_run_replaces_the_waiting_one() -> None:
    mailbox = Mailbox()
    for message in (a_tick("a", 1), a_milestone(1), a_tick("b", 1), a_tick("a", 2)):
        mailbox.put(message)

    assert await taken(mailbox) == [b"m1", b"b1", b"a2"]


async def test_a_full_mailbox_drops_the_oldest_tick_and_never_a_milestone() -> None:
    mailbox = Mailbox(capacity=3)
    for message in (a_tick("a"), a_tick("b"), a_milestone(1), a_milestone(2), a_milestone(3), a_tick("c")):
        mailbox.put(message)

    assert await taken(mailbox) == [b"m1", b"m2", b"m3"]


async def test_a_viewer_who_missed_a_milestone_gets_the_ones_before_and_is_sent_back() -> None:
    mailbox = Mailbox(capacity=2)
    for version in (1, 2, 3):
        mailbox.put(a_milestone(version))

    assert [(await mailbox.get(1)).frame for _ in range(2)] == [b"m1", b"m2"]  # type: ignore[union-attr]  # they wait
    with pytest.raises(Overflow):
        await mailbox.get(1)


async def test_a_lost_tick_sends_nobody_back() -> None:
    mailbox = Mailbox(capacity=1)
    mailbox.put(a_milestone(1))
    mailbox.put(a_tick("a"))

    assert await taken(mailbox) == [b"m1"]


async def test_closing_wakes_whoever_waits() -> None:
    mailbox = Mailbox()
    waiting = asyncio.create_task(mailbox.get(60))
    await asyncio.sleep(0)
    mailbox.close()

    with pytest.raises(Closed):
        await waiting


async def test_only_viewers_of_an_analysis_get_its_events() -> None:
    journal, hub = MemoryJournal(), Hub()
    [envelope] = await journal.append(STREAM, [a_draft(requested())])
    [other] = await journal.append(f"repository/{uuid4()}", [a_draft(CancelRequested())])
    with hub.subscribe(ANALYSIS) as mine, hub.subscribe(uuid4()) as theirs:
        hub.publish(envelope)
        hub.publish(other)

        assert await taken(mine) == [frames.milestone(envelope)]
        assert await taken(theirs) == []
    assert hub.viewers == 0


async def test_ticks_are_handed_on_at_the_flush_and_only_the_newest_of_each_run() -> None:
    hub = Hub()
    hub.offer_tick(ANALYSIS, "r", "lost")
    with hub.subscribe(ANALYSIS) as mailbox:
        for n in range(50):
            hub.offer_tick(ANALYSIS, "r", json.dumps(n))
        assert await taken(mailbox) == []
        hub.flush_ticks()
        hub.flush_ticks()

        assert await taken(mailbox) == [frames.frame("tick", "49")]


class Viewer:
    """One ASGI connection that reads for as long as it likes."""

    def __init__(self, response: AnalysisEvents) -> None:
        self.bodies: list[bytes] = []
        self.gone = asyncio.Event()
        self.slow = asyncio.Event()
        self.slow.set()
        self.task = asyncio.create_task(response.serve(self._receive, self._send))

    async def _receive(self) -> dict[str, object]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, object]) -> None:
        await self.slow.wait()
        body = message.get("body", b"")
        assert isinstance(body, bytes)
        self.bodies.append(body)

    @property
    def text(self) -> str:
        return b"".join(self.bodies).decode()

    @property
    def versions(self) -> list[int]:
        return [int(line[4:]) for line in self.text.split("\n") if line.startswith("id: ")]

    async def leave(self) -> None:
        self.gone.set()
        await self.task


async def _stream_of(length: int) -> MemoryJournal:
    journal = MemoryJournal()
    await journal.append(STREAM, [a_draft(requested()), *(a_draft(CancelRequested()) for _ in range(length - 1))])
    return journal


async def test_a_viewer_gets_what_was_missed_and_then_what_happens_without_doubles() -> None:
    journal, hub = await _stream_of(5), Hub()
    viewer = Viewer(AnalysisEvents(ANALYSIS, after=2, journal=journal, hub=hub))
    await asyncio.sleep(0.01)
    for envelope in await journal.read_stream(STREAM):
        hub.publish(envelope)
    for envelope in await journal.append(STREAM, [a_draft(CancelRequested())]):
        hub.publish(envelope)
    await asyncio.sleep(0.01)
    await viewer.leave()

    assert viewer.versions == [3, 4, 5, 6]
    assert viewer.text.startswith("retry: ")


async def test_a_gap_is_filled_from_the_log() -> None:
    journal, hub = await _stream_of(1), Hub()
    viewer = Viewer(AnalysisEvents(ANALYSIS, after=0, journal=journal, hub=hub))
    await asyncio.sleep(0.01)
    unpublished = await journal.append(STREAM, [a_draft(CancelRequested()) for _ in range(3)])
    hub.publish(unpublished[-1])
    await asyncio.sleep(0.01)
    await viewer.leave()

    assert viewer.versions == [1, 2, 3, 4]


async def test_silence_is_broken_by_heartbeats() -> None:
    viewer = Viewer(AnalysisEvents(ANALYSIS, after=0, journal=await _stream_of(1), hub=Hub(), heartbeat=0.02))
    await asyncio.sleep(0.1)
    await viewer.leave()

    assert viewer.text.count("event: heartbeat") >= 2


async def test_a_viewer_who_does_not_read_is_sent_back_and_returns_without_loss() -> None:
    journal, hub = await _stream_of(1), Hub()
    viewer = Viewer(AnalysisEvents(ANALYSIS, after=0, journal=journal, hub=hub))
    await asyncio.sleep(0.01)
    viewer.slow.clear()
    for _ in range(CAPACITY + 5):
        for envelope in await journal.append(STREAM, [a_draft(CancelRequested())]):
            hub.publish(envelope)
    await asyncio.sleep(0.01)
    viewer.slow.set()
    await viewer.task

    assert viewer.text.endswith("event: resync\ndata: {}\n\n")
    assert viewer.versions == list(range(1, viewer.versions[-1] + 1))
    back = Viewer(AnalysisEvents(ANALYSIS, after=viewer.versions[-1], journal=journal, hub=hub))
    await asyncio.sleep(0.01)
    await back.leave()
    assert viewer.versions + back.versions == list(range(1, CAPACITY + 7))


async def test_a_process_that_stops_sends_its_viewers_away() -> None:
    hub = Hub()
    viewer = Viewer(AnalysisEvents(UUID(int=1), after=0, journal=MemoryJournal(), hub=hub))
    await asyncio.sleep(0.01)
    hub.close()

    async with asyncio.timeout(1):
        await viewer.task
    viewer.gone.set()
