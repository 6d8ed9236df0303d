"""Count in Redis what is asked for, by the sliding window counter of the library `limits`; in this process without it.

All rules of a request are looked at in one call and taken together or not at all: what a narrow rule refuses is not
held against a wider one, so nobody uses up what others of the tenant share by asking in vain.
"""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from limits.aio.storage import MemoryStorage
from limits.aio.storage.redis.bridge import RedisBridge
from redis.asyncio import Redis
from redis.exceptions import RedisError

from orchestrator.limits.rules import Rule
from orchestrator.limits.windows import Standing, Window, standing_of

_log = structlog.get_logger(__name__)
PREFIX = "limits"
PAUSE = 2.0  # seconds without Redis before one request tries it again
_AT_ONCE = 12  # looks; who waits here is not taken for an outage, and hears of one
_UNBOUNDED = 2**53 - 1  # what was used already is counted, however much it is
# The library's own scripts, as functions: look at every window, then take all or nothing.
_TAKE = f"""
local function acquire(KEYS, ARGV)
{RedisBridge.SCRIPT_ACQUIRE_SLIDING_WINDOW.decode()}
end
local function window(KEYS, ARGV)
{RedisBridge.SCRIPT_SLIDING_WINDOW.decode()}
end
local windows, refused = {{}}, 0
for i = 1, #KEYS / 2 do
  local keys = {{KEYS[2 * i - 1], KEYS[2 * i]}}
  local limit, expiry = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])
  local cost, owed = tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i])
  if owed > 0 then acquire(keys, {{{_UNBOUNDED}, expiry, owed}}) end
  local found = window(keys, {{expiry}})
  for j = 1, 4 do
    found[j] = math.max(0, tonumber(found[j] or 0))
    windows[4 * i - 4 + j] = found[j]
  end
  local weighted = math.floor(found[1] * found[2] / (expiry * 1000)) + found[3]
  if refused == 0 and weighted + math.max(1, cost) > limit then refused = i end
end
if refused == 0 then
  for i = 1, #KEYS / 2 do
    local cost = tonumber(ARGV[4 * i - 1])
    if cost > 0 then
      acquire({{KEYS[2 * i - 1], KEYS[2 * i]}}, {{ARGV[4 * i - 3], ARGV[4 * i - 2], cost}})
    end
  end
end
table.insert(windows, refused)
return windows
"""


@dataclass(frozen=True)
class Charge:
    """What somebody asks for under one rule. `owed` was used before and always counts; a cost of 0 only asks."""

    rule: Rule
    identity: str
    cost: int = 1
    owed: int = 0

    @property
    def key(self) -> str:
        """The name of its counter."""
        return self.rule.key_for(self.identity)


class Rates:
    """Takes charges. `redis` gives up early; `local` says whether the last ones were counted in this process alone."""

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._take = redis.register_script(_TAKE)
        self._memory = MemoryStorage()
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._clock = clock
        self._again_at = 0.0
        self.local = False

    async def take(self, charges: Sequence[Charge]) -> list[Standing]:
        """Take them all, or none where one is refused (its standing has a `wait`). Never raises for want of Redis."""
        if not charges:
            return []
        if self._is_tried():
            async with self._turn:
                if self._is_tried():
                    self._again_at = math.inf  # without Redis one at a time finds out whether it is back
                    try:
                        found = await self._attempt(charges)
                    finally:
                        self._again_at = self._clock() + PAUSE
                    if found is not None:
                        return _standings(charges, *found)
        return _standings(charges, *await self._own(charges))

    def _is_tried(self) -> bool:
        return not self.local or self._clock() >= self._again_at

    async def _attempt(self, charges: Sequence[Charge]) -> tuple[list[Window], int | None] | None:
        """What Redis says; None where it says nothing. A change of its health is logged once."""
        was_local = self.local
        try:
            found = await self._shared(charges)
        except (RedisError, OSError) as error:
            self.local = True
            if not was_local:
                _log.warning("limits_local", error=repr(error)[:300])
            return None
        self.local = False
        if was_local:
            _log.info("limits_shared")
        return found

    async def _shared(self, charges: Sequence[Charge]) -> tuple[list[Window], int | None]:
        keys: list[str] = []
        values: list[int] = []
        for charge in charges:
            name = f"{PREFIX}:{{{charge.key}}}"
            keys += [f"{name}/-1", name]
            values += [charge.rule.amount, charge.rule.seconds, charge.cost, charge.owed]
        *found, refused = await self._take(keys, values)
        windows = [Window(*_seconds(found[i : i + 4])) for i in range(0, len(found), 4)]
        return windows, refused - 1 if refused else None

    async def _own(self, charges: Sequence[Charge]) -> tuple[list[Window], int | None]:
        """The same in memory, never wider than the rule for this process. Nothing in between waits, so it is atomic."""
        windows = []
        for charge in charges:
            key, period = charge.key, charge.rule.seconds
            if charge.owed:
                await self._memory.acquire_sliding_window_entry(key, _UNBOUNDED, period, charge.owed)
            windows.append(Window(*await self._memory.get_sliding_window(key, period)))
        for place, (charge, window) in enumerate(zip(charges, windows, strict=True)):
            if window.weighted(charge.rule.seconds) + max(1, charge.cost) > charge.rule.amount:
                return windows, place
        for place, charge in enumerate(charges):
            if charge.cost and not await self._memory.acquire_sliding_window_entry(
                charge.key, charge.rule.amount, charge.rule.seconds, charge.cost
            ):
                return windows, place
        return windows, None


def _seconds(row: Sequence[int]) -> tuple[int, float, int, float]:
    return row[0], row[1] / 1_000, row[2], row[3] / 1_000


def _standings(charges: Sequence[Charge], windows: Sequence[Window], refused: int | None) -> list[Standing]:
    if refused is not None:
        charge = charges[refused]
        return [standing_of(charge.rule, windows[refused], cost=charge.cost, refused=True)]
    return [
        standing_of(charge.rule, window, cost=charge.cost, refused=False)
        for charge, window in zip(charges, windows, strict=True)
    ]
