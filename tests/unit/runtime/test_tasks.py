"""Background tasks end, also where a driver has swallowed the cancellation of one of them."""

import asyncio

from runtime.tasks import end_tasks


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
