"""End background tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

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
