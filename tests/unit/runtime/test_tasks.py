"""Background tasks end, also where a driver has swallowed the cancellation of one of them."""

import asyncio

import pytest

from runtime.faults import Cancelled
from runtime.tasks import end_tasks, on_loop


async def test_a_task_that_missed_its_cancellation_is_told_again() -> None:
    missed = 0

    async def deaf_once() -> None:
        nonlocal missed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                missed += 1
                if missed > 1:
                    raise

    tasks = [asyncio.create_task(deaf_once()), asyncio.create_task(asyncio.sleep(60))]
    await asyncio.sleep(0)

    await asyncio.wait_for(end_tasks(tasks), 10)

    assert missed == 2
    assert all(task.cancelled() for task in tasks)


async def test_what_has_ended_or_failed_before_is_left_as_it_is() -> None:
    async def fail() -> None:
        raise ValueError("on purpose")

    failed, done = asyncio.create_task(fail()), asyncio.create_task(asyncio.sleep(0))
    await asyncio.wait([failed, done])

    await end_tasks([failed, done])
    await end_tasks([])

    assert isinstance(failed.exception(), ValueError)
    assert not done.cancelled()


async def test_a_thread_waits_for_what_is_done_on_the_loop_until_it_is_told_not_to() -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async def at_once(value: int) -> int:
        return value

    async def late() -> None:
        raise TimeoutError("its own")

    def stop() -> None:
        raise Cancelled("on purpose")

    assert await asyncio.to_thread(on_loop, at_once(3), loop, seconds=9, check=stop) == 3
    with pytest.raises(TimeoutError, match="its own"):
        await asyncio.to_thread(on_loop, late(), loop, seconds=9, check=stop)
    for check, raised in ((stop, Cancelled), (lambda: None, TimeoutError)):
        ended.clear()
        with pytest.raises(raised):
            await asyncio.to_thread(on_loop, forever(), loop, seconds=0.1, check=check)
        await asyncio.wait_for(ended.wait(), 5)
