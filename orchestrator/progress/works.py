"""Shadows and rebuilds as SSE while they are at work: no event tells of them, so that whoever does one says so."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import structlog
from pydantic import BaseModel
from starlette.types import Send

from events.log.wake import Signal
from orchestrator.progress import frames
from orchestrator.progress.hub import Hub
from orchestrator.progress.telling import Telling, write

_log = structlog.get_logger(__name__)

_LOOK = 5.0  # seconds: a wake-up may be lost, and a heartbeat is due


class Work(BaseModel):
    """How a piece of work stands: `done` of its parts are over. `gone` is what was dropped."""

    state: Literal["asked", "done", "failed", "gone"]
    done: int = 0


class Works:
    """Wakes all viewers of this process when some work went on, in whichever process."""

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        self._waiting: set[asyncio.Event] = set()

    async def run(self) -> None:
        """Pass on what is heard, for ever."""
        while True:
            if await self._signal.wait(_LOOK):
                for waiting in self._waiting:
                    waiting.set()

    @contextmanager
    def waiting(self) -> Iterator[asyncio.Event]:
        """What is set whenever some work went on, for as long as the block lasts."""
        woken = asyncio.Event()
        self._waiting.add(woken)
        try:
            yield woken
        finally:
            self._waiting.discard(woken)


class WorkStream(Telling):
    """One viewer of one piece of work. `look` reads how it stands; the stream ends when it is over."""

    def __init__(self, look: Callable[[], Awaitable[Work]], works: Works, hub: Hub, *, pause: float = _LOOK) -> None:
        super().__init__(hub)
        self._look = look
        self._works = works
        self._pause = pause

    async def tell(self, send: Send) -> None:
        """Say how it stands, now and whenever that is otherwise."""
        told: Work | None = None
        with self._works.waiting() as woken:
            while told is None or told.state == "asked":
                woken.clear()
                try:
                    now = await self._look()
                except Exception as error:  # noqa: BLE001  # it cannot be read: the viewer comes back, and asks again
                    _log.warning("work_unread", error=repr(error)[:300])
                    await write(send, frames.RESYNC)
                    return
                await write(send, frames.frame("work", now.model_dump_json()) if now != told else frames.HEARTBEAT)
                told = now
                if now.state == "asked":
                    await _woken(woken, self._pause)


async def _woken(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
