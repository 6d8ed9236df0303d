"""The two readers of a process: the feed's tail and the ticks' tail."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from events.log.journal import Journal
from orchestrator.progress.channels import Channels, channels_of
from orchestrator.progress.hub import Hub
from runtime.live import LiveChannels

_log = structlog.get_logger(__name__)
_BATCH = 500
_AT_ONCE = 200  # analyses whose newest ticks are read in one round trip
_FLUSH = 0.25  # seconds between ticks of one run
_RECENT = 5  # seconds
_BLOCK_MS = 100  # by then the ticks of whoever came meanwhile are read, too


async def tail_feed(
    journal: Journal, hub: Hub, channels: Channels, *, after: int, wait: Callable[[], Awaitable[object]]
) -> None:
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
            channels.publish(envelope)
            after = envelope.seq or after
        if len(envelopes) < _BATCH:
            await wait()


async def tail_ticks(redis: Redis, hub: Hub) -> None:
    """Offer the ticks of every tenant that somebody watches to the hub, for ever.

    A Redis that is down costs ticks, nothing else.
    """
    places: dict[UUID, str] = {}
    while True:
        try:
            places = await _places(redis, hub.tenants, places)
            await _read_newest(redis, hub, hub.newly_watched())
            if places:
                places |= await _read_ticks(redis, hub, places)
            await asyncio.sleep(_BLOCK_MS / 1_000)  # they are handed on less often than they may come
        except (RedisError, OSError):
            places = {}
            await asyncio.sleep(0.5)


async def _places(redis: Redis, tenants: Sequence[UUID], known: Mapping[UUID, str]) -> dict[UUID, str]:
    """From where each tenant's ticks are read: some seconds ago, where nobody of it was watched until now."""
    if known.keys() == set(tenants):
        return dict(known)
    seconds, _ = await redis.time()
    return {tenant: known.get(tenant, f"{(seconds - _RECENT) * 1_000}-0") for tenant in tenants}


async def _read_ticks(redis: Redis, hub: Hub, places: Mapping[UUID, str]) -> dict[UUID, str]:
    """Offer what comes to the hub; how far each tenant's ticks were read."""
    tenants = {LiveChannels(tenant).ticks: tenant for tenant in places}
    asked: dict[Any, Any] = {channel: places[tenant] for channel, tenant in tenants.items()}
    reply: Any = await redis.xread(asked, count=1_000, block=_BLOCK_MS)
    read = {}
    for channel, entries in channels_of(reply).items():
        for entry_id, fields in entries:
            read[tenants[channel]] = entry_id
            _offer(hub, tenants[channel], fields)
    return read


async def _read_newest(redis: Redis, hub: Hub, analyses: Sequence[tuple[UUID, UUID]]) -> None:
    """Offer the newest tick of each run of analyses that somebody begins to watch: what a reload would lose."""
    for start in range(0, len(analyses), _AT_ONCE):
        some = analyses[start : start + _AT_ONCE]
        async with redis.pipeline(transaction=False) as pipe:
            for tenant, analysis in some:
                pipe.hvals(LiveChannels(tenant).newest_ticks(analysis))
            found: list[list[Any]] = await pipe.execute()
        for (tenant, _), ticks in zip(some, found, strict=True):
            for tick in ticks:
                _offer(hub, tenant, {"tick": tick})


async def flush_ticks(hub: Hub) -> None:
    """Let the hub hand on its ticks, and heartbeats, four times a second, for ever."""
    while True:
        await asyncio.sleep(_FLUSH)
        hub.flush_ticks()
        hub.beat()


def _offer(hub: Hub, tenant_id: UUID, fields: dict[Any, Any]) -> None:
    raw: Any = fields.get(b"tick") or fields.get("tick")
    try:
        tick = json.loads(raw)
        hub.offer_tick(tenant_id, UUID(tick["analysis_id"]), str(tick["run_id"]), json.dumps(tick))
    except (TypeError, ValueError, KeyError):
        _log.warning("tick_unreadable")
