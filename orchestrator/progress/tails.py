"""The two readers of a process: the feed's tail and the ticks' tail."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from events.log.journal import Journal
from orchestrator.progress.channels import channels_of
from orchestrator.progress.hub import Hub
from runtime.live import TICKS

_log = structlog.get_logger(__name__)
_BATCH = 500
_FLUSH = 0.25  # seconds between ticks of one run
_BLOCK_MS = 1_000


async def tail_feed(journal: Journal, hub: Hub, *, after: int, wait: Callable[[], Awaitable[object]]) -> None:
    """Publish every event with a `seq` greater than `after`, for ever; `wait` returns when there may be more."""
    pause = 0.1
    while True:
        try:
            envelopes = await journal.read_feed(after=after, limit=_BATCH)
            pause = 0.1
        except Exception as error:  # noqa: BLE001  # live pages must come back by themselves once the database does
            _log.warning("feed_tail_faulted", error=repr(error)[:300])
            await asyncio.sleep(pause)
            pause = min(2.0, pause * 2)
            continue
        for envelope in envelopes:
            hub.publish(envelope)
            after = envelope.seq or after
        if len(envelopes) < _BATCH:
            await wait()


async def tail_ticks(redis: Redis, hub: Hub) -> None:
    """Offer every tick to the hub, for ever. A Redis that is down costs ticks, nothing else."""
    last: Any = "$"
    while True:
        try:
            reply: Any = await redis.xread({TICKS: last}, count=1_000, block=_BLOCK_MS)
        except (RedisError, OSError):
            last = "$"
            await asyncio.sleep(0.5)
            continue
        for entry_id, fields in channels_of(reply).get(TICKS, ()):
            last = entry_id
            _offer(hub, fields)


async def flush_ticks(hub: Hub) -> None:
    """Let the hub hand on its ticks, and heartbeats, four times a second, for ever."""
    while True:
        await asyncio.sleep(_FLUSH)
        hub.flush_ticks()
        hub.beat()


def _offer(hub: Hub, fields: dict[Any, Any]) -> None:
    raw: Any = fields.get(b"tick") or fields.get("tick")
    try:
        tick = json.loads(raw)
        hub.offer_tick(UUID(tick["analysis_id"]), str(tick["run_id"]), json.dumps(tick))
    except (TypeError, ValueError, KeyError):
        _log.warning("tick_unreadable")
