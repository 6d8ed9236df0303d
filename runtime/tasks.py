"""Keep background tasks running, and end them for certain."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

Done = TypeVar("Done")

_LOOK = 0.2  # seconds between two looks whether to go on
_PATIENCE = 1.0  # seconds after which a task is told again


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel `tasks` until each has ended; how one ended is not told.

    A cancellation may get lost in a driver that is just cleaning up or has its reply (`asyncio.wait_for` before Python
    3.12 drops one that comes together with the result): then it is said again.
    """
    every = set(tasks)
    pending = every
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_PATIENCE)
    await asyncio.gather(*every, return_exceptions=True)  # so that no failure is left unheard


def on_loop(
    doing: Coroutine[Any, Any, Done], loop: asyncio.AbstractEventLoop, *, seconds: float, check: Callable[[], None]
) -> Done:
    """What comes of something that has to be done on the event loop, from a thread.

    `check` is asked five times a second and may raise: then, and where it takes longer than `seconds` (TimeoutError),
    what is waited for is cancelled.
    """
    future = asyncio.run_coroutine_threadsafe(doing, loop)
    deadline = time.monotonic() + seconds
    try:
        while True:
            try:
                return future.result(_LOOK)
            except TimeoutError:
                if future.done():
                    raise
                check()
                if time.monotonic() > deadline:
                    raise
    finally:
        future.cancel()  # nothing, where it is done


async def keep_running(name: str, part: Callable[[], Awaitable[None]]) -> None:
    """Run `part`, and again after a moment where it ends."""
    while True:
        try:
            await part()
        except Exception as error:  # noqa: BLE001  # whatever ended it, live pages and read models must come back
            logger.warning("%s ended: %s", name, repr(error)[:500])
        await asyncio.sleep(0.5)
