"""A person stops an analysis while one of its stages is at work, through the real kernel."""

import time
from collections.abc import Callable

from events.base import Envelope
from events.catalog import CONSUMERS, stage_topic
from events.delivery.subscriber import EventSubscriber
from events.processing import StageRequested
from tests.support.delivery import Kernel, until
from tests.support.kernel import cancel_requested


async def stopped(
    kernel: Kernel,
    subscriber: EventSubscriber,
    request: Envelope,
    at_work: Callable[[], object],
    look: Callable[[], None] = lambda: None,
) -> float:
    """Have a recorded request handled, stop it once it is `at_work`, and wait for its end; the seconds that it took.

    `look` is called right before. Raises where it did not end as cancelled.
    """
    [consumer] = CONSUMERS[stage_topic(StageRequested.model_validate(request.data).stage)]
    await kernel.carry()
    await subscriber.start()
    await until(at_work)
    look()
    await kernel.journal.append(request.stream_id, [cancel_requested()])
    asked = time.monotonic()

    async def is_over() -> bool:
        return bool(await kernel.inbox(consumer))

    await until(is_over)
    took = time.monotonic() - asked
    assert list((await kernel.inbox(consumer)).values()) == ["cancelled"]
    return took
