"""Who looks at a shadow or a rebuild hears at once that it went on, and in time where nobody says so."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from events.log.wake import Signal
from orchestrator.progress import frames
from orchestrator.progress.hub import Hub
from orchestrator.progress.works import Work, Works, WorkStream
from tests.support.delivery import until

ASKED, FURTHER, DONE = Work(state="asked"), Work(state="asked", done=1), Work(state="done", done=2)


class Viewer:
    """One viewer of work that stands as `now`; an exception cannot be looked at."""

    def __init__(self, *, pause: float = 60.0) -> None:
        self.now: Work | Exception = ASKED
        self.signal, self.hub, self.sent, self.looks = Signal(), Hub(), b"", 0
        self.works = Works(self.signal)
        self.passing = asyncio.create_task(self.works.run())
        self.stream = WorkStream(self._look, self.works, self.hub, pause=pause)
        self.serving = asyncio.create_task(self.stream.serve(self._receive, self._send))

    @property
    def told(self) -> list[Work]:
        """What was said of the work."""
        data = [piece.partition(b"data: ")[2] for piece in self.sent.split(b"\n\n") if b"event: work" in piece]
        return [Work(**json.loads(each)) for each in data]

    async def heard(self, *works: Work) -> None:
        await until(lambda: self.told == list(works))

    async def _look(self) -> Work:
        self.looks += 1
        if isinstance(self.now, Exception):
            raise self.now
        return self.now

    async def _receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def _send(self, message: Message) -> None:
        self.sent += message["body"]

    async def close(self) -> None:
        for task in (self.passing, self.serving):
            task.cancel()
        await asyncio.gather(self.passing, self.serving, return_exceptions=True)


@pytest.fixture
async def viewer() -> AsyncIterator[Viewer]:
    viewer = Viewer()
    yield viewer
    await viewer.close()


async def test_each_step_is_told_once_and_at_once_and_the_stream_ends_with_the_work(viewer: Viewer) -> None:
    await viewer.heard(ASKED)
    viewer.now = FURTHER
    viewer.signal.set()
    await viewer.heard(ASKED, FURTHER)
    viewer.signal.set()  # of somebody else's
    await until(lambda: viewer.looks == 3)
    viewer.now = DONE
    viewer.signal.set()

    await asyncio.wait_for(viewer.serving, 5)
    assert viewer.told == [ASKED, FURTHER, DONE]
    assert viewer.looks == 4
    assert not viewer.works._waiting


async def test_what_nobody_said_is_seen_all_the_same_and_the_viewer_hears_that_it_is_connected() -> None:
    viewer = Viewer(pause=0.01)
    await until(lambda: frames.HEARTBEAT in viewer.sent)
    viewer.now = Work(state="gone")

    await asyncio.wait_for(viewer.serving, 5)
    assert viewer.told == [ASKED, Work(state="gone")]
    await viewer.close()


async def test_who_cannot_be_told_is_asked_to_come_back(viewer: Viewer) -> None:
    await viewer.heard(ASKED)
    viewer.now = OSError("the database is away")
    viewer.signal.set()

    await asyncio.wait_for(viewer.serving, 5)
    assert viewer.sent.endswith(frames.RESYNC)
    assert viewer.told == [ASKED]


async def test_it_ends_with_the_right_by_which_it_is_open_and_with_the_process(viewer: Viewer) -> None:
    another = Viewer()
    await viewer.heard(ASKED)
    await another.heard(ASKED)
    viewer.stream.send_away()
    another.hub.close()

    await asyncio.wait_for(asyncio.gather(viewer.serving, another.serving), 5)
    assert frames.RESYNC not in viewer.sent
    assert another.sent.endswith(frames.RESYNC)
    await another.close()
