"""How many streams somebody has open at this moment, over all processes: leases in Redis that expire by themselves.

A lease is held as long as its process says so; one of a process that was killed is over after SECONDS. Without Redis
each process counts its own, and tells Redis of them when it is back.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from orchestrator.limits.rules import Rule

_log = structlog.get_logger(__name__)
SECONDS = 30.0
_AT_ONCE = 1_000  # leases renewed in one call
_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
# KEYS: one for each subject; ARGV: id, milliseconds, and the limit of each. Returns the place of the one that is full.
_OPEN = f"""{_NOW}
for i, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  if redis.call('ZCARD', key) >= tonumber(ARGV[i + 2]) then return i end
end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', key, ARGV[2])
end
return 0
"""
_RENEW = f"""{_NOW}
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""


class Full(Exception):
    """As many are open as the rule allows."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule.words)
        self.rule = rule


class Leases:
    """The streams that this process has open, and the count of all."""

    def __init__(self, redis: Redis, seconds: float = SECONDS) -> None:
        self._redis = redis
        self._open = self._redis.register_script(_OPEN)
        self._renew = self._redis.register_script(_RENEW)
        self._seconds = seconds
        self._held: dict[str, set[str]] = defaultdict(set)

    async def begin(self, rules: Sequence[tuple[Rule, str]]) -> Callable[[], Awaitable[None]]:
        """Hold one lease for each rule, until what is returned is called. Raises Full."""
        keys = [_key(rule, identity) for rule, identity in rules]
        lease = uuid4().hex
        refused = await self._begin(lease, keys, [rule for rule, _ in rules]) if keys else None
        if refused is not None:
            raise Full(refused)
        return partial(self._end, lease, keys)

    async def _begin(self, lease: str, keys: list[str], rules: list[Rule]) -> Rule | None:
        """Count it; the rule that refuses it. Between the look at this process's own and their count nothing waits."""
        try:
            amounts = [rule.amount for rule in rules]
            place = await self._open(keys, [lease, self._milliseconds, *amounts])
            refused = rules[place - 1] if place else None
        except (RedisError, OSError) as error:
            _log.warning("leases_local", error=repr(error)[:300])
            full = [rule for key, rule in zip(keys, rules, strict=True) if len(self._held.get(key, ())) >= rule.amount]
            refused = full[0] if full else None
        if refused is None:
            for key in keys:
                self._held[key].add(lease)
        return refused

    async def _end(self, lease: str, keys: list[str]) -> None:
        for key in keys:
            self._held[key].discard(lease)
            if not self._held[key]:
                del self._held[key]
        if not keys:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.zrem(key, lease)
                await pipeline.execute()
        except (RedisError, OSError):
            return  # it expires by itself

    async def keep(self) -> None:
        """Renew what is held, for ever."""
        while True:
            await asyncio.sleep(self._seconds / 3)
            try:
                for key in list(self._held):
                    leases = list(self._held.get(key, ()))
                    for begin in range(0, len(leases), _AT_ONCE):
                        await self._renew([key], [self._milliseconds, *leases[begin : begin + _AT_ONCE]])
            except (RedisError, OSError) as error:
                _log.warning("leases_not_renewed", error=repr(error)[:300])

    @property
    def _milliseconds(self) -> int:
        return int(self._seconds * 1_000)


def _key(rule: Rule, identity: str) -> str:
    return f"limits:open/{rule.subject}/{identity}"
