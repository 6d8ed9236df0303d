"""What was made a moment ago by any process, shared over Valkey: sealed, bounded, and made once for all who ask.

A Valkey that is away or slow is no error: then each process makes what it needs, and asks again a little later.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from rag_manager.stages.shared_memory import SECONDS, Entry, entry_of
from runtime.metrics import cache_lookups

_ANSWER = 0.25  # seconds that Valkey has
_MUTE = 5.0  # seconds without it, after it failed
_LEASE = 3.0  # seconds that one process has to make something before another one does
_LOOK = 0.02  # seconds between two looks at whether it is made
# KEYS: entries, lease. ARGV: place, tag, lease, milliseconds. What is kept at the place where it has the tag; else
# whether the lease to make it was to be had: what is made meanwhile is there before its lease is given back.
_FIND = """
local found = redis.call('HGET', KEYS[1], ARGV[1])
if found and string.sub(found, 1, #ARGV[2]) == ARGV[2] then return {found, 0} end
return {false, redis.call('SET', KEYS[2], ARGV[3], 'NX', 'PX', ARGV[4]) and 1 or 0}
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
Reply = TypeVar("Reply")
Made = Callable[[], Awaitable[bytes | None]]


class ValkeyMemory:
    """See `ports.SharedMemory`. `key` gives the installation's own key, which Valkey does not have."""

    def __init__(self, redis: Redis, key: Callable[[], Awaitable[bytes]]) -> None:
        self._redis = redis
        self._key_of_installation = key
        self._key: bytes | None = None
        self._find = redis.register_script(_FIND)
        self._mute_until = 0.0

    async def get(self, name: str, tenant_id: UUID, analysis_id: UUID, asked: str, make: Made) -> bytes | None:
        """See `ports.SharedMemory`."""
        if time.monotonic() < self._mute_until:
            cache_lookups.labels(name, "away").inc()
            return await make()
        entry = await self._entry(tenant_id, analysis_id, asked)
        found, lease = await self._looked_up(name, entry)
        if found is not None:
            return found
        made: bytes | None = None
        try:
            made = await make()
        finally:
            await self._settle(entry, lease, made)
        return made

    async def _entry(self, tenant_id: UUID, analysis_id: UUID, asked: str) -> Entry:
        if self._key is None:
            self._key = await self._key_of_installation()
        return entry_of(self._key, tenant_id, analysis_id, asked)

    async def _looked_up(self, name: str, entry: Entry) -> tuple[bytes | None, str | None]:
        """What is kept; else the lease to make it, or neither: Valkey is away, or whoever makes it takes too long."""
        lease, until, outcome = secrets.token_hex(8), time.monotonic() + _LEASE, "hit"
        keys = [entry.name, entry.lease]
        args: list[bytes | str | int] = [entry.place, entry.tag, lease, int(_LEASE * 1_000)]
        while time.monotonic() < until:
            reply = await self._asked(self._find(keys=keys, args=args))
            if reply is None:
                break
            found = entry.open(reply[0])
            if found is not None:
                cache_lookups.labels(name, outcome).inc()
                return found, None
            if reply[1] or (reply[0] is not None and await self._took(entry, lease)):
                cache_lookups.labels(name, "miss").inc()
                return None, lease
            outcome = "shared"
            await asyncio.sleep(_LOOK)
        cache_lookups.labels(name, "away").inc()
        return None, None

    async def _took(self, entry: Entry, lease: str) -> bool:
        """The lease to make again what is there and cannot be opened."""
        return bool(await self._asked(self._redis.set(entry.lease, lease, nx=True, px=int(_LEASE * 1_000))))

    async def _settle(self, entry: Entry, lease: str | None, made: bytes | None) -> None:
        """Keep what was made, and give the lease back."""
        sealed = None if made is None else entry.seal(made)
        async with self._redis.pipeline(transaction=False) as pipeline:
            if sealed is not None:
                pipeline.hset(entry.name, entry.place, sealed)
                pipeline.expire(entry.name, SECONDS)
            if lease is not None:
                pipeline.eval(_RELEASE, 1, entry.lease, lease)
            if pipeline.command_stack:
                await self._asked(pipeline.execute())

    async def _asked(self, reply: Awaitable[Reply]) -> Reply | None:
        """What Valkey says; None where it does not, and it is left alone for a while then."""
        with suppress(RedisError, TimeoutError):
            async with asyncio.timeout(_ANSWER):
                return await reply
        self._mute_until = time.monotonic() + _MUTE
        return None
