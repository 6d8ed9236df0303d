"""The transport as the relay writes it: three Lua scripts. Each touches one key, and decides and writes in one step."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from events.log.relay import Answer, Place

# KEYS: stream. ARGV: the tip that must be there, then id and payload of each entry.
# Answers {"OK"}, {"TIP", tip} where the tip is another one, {"LOST"} where there is no stream. All or nothing.
_APPEND = """
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if info.err then return {'LOST'} end
local tip
for i = 1, #info, 2 do if info[i] == 'last-generated-id' then tip = info[i + 1] end end
if tip ~= ARGV[1] then return {'TIP', tip} end
for i = 2, #ARGV, 2 do redis.call('XADD', KEYS[1], ARGV[i], 'event', ARGV[i + 1]) end
return {'OK'}
"""

# KEYS: stream. ARGV: the groups that must be there.
# Answers {"TIP", tip}, or {"LOST"} where the stream or one of the groups is missing.
_LOOK = """
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if info.err then return {'LOST'} end
local tip, found = nil, {}
for i = 1, #info, 2 do if info[i] == 'last-generated-id' then tip = info[i + 1] end end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  for i = 1, #group, 2 do if group[i] == 'name' then found[group[i + 1]] = true end end
end
for _, name in ipairs(ARGV) do if not found[name] then return {'LOST'} end end
return {'TIP', tip}
"""

# KEYS: stream. ARGV: the tip to be replaced ('' where the stream or a group is missing), the new tip, the groups.
# Deletes what is there and starts again after the new tip, with every group at the beginning. Answers {"OK"}; or
# {"TIP", tip} where somebody else was faster.
_REBUILD = """
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
  local tip, found, whole = nil, {}, true
  for i = 1, #info, 2 do if info[i] == 'last-generated-id' then tip = info[i + 1] end end
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    for i = 1, #group, 2 do if group[i] == 'name' then found[group[i + 1]] = true end end
  end
  for i = 3, #ARGV do if not found[ARGV[i]] then whole = false end end
  if whole and tip ~= ARGV[1] then return {'TIP', tip} end
end
redis.call('DEL', KEYS[1])
for i = 3, #ARGV do redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[i], '0', 'MKSTREAM') end
redis.call('XSETID', KEYS[1], ARGV[2])
return {'OK'}
"""


class RedisStreams:
    """`relay.Streams` over Redis or Valkey."""

    def __init__(self, redis: Redis) -> None:
        self._append = redis.register_script(_APPEND)
        self._look = redis.register_script(_LOOK)
        self._rebuild = redis.register_script(_REBUILD)

    async def append(self, topic: str, tip: Place, entries: Sequence[tuple[Place, str]]) -> Answer:
        """As `Streams.append`."""
        flat = [part for place, payload in entries for part in (str(place), payload)]
        return _answer(await self._append(keys=[topic], args=[str(tip), *flat]))

    async def look(self, topic: str, groups: Sequence[str]) -> Answer:
        """As `Streams.look`."""
        return _answer(await self._look(keys=[topic], args=list(groups)))

    async def rebuild(self, topic: str, seen: Place | None, tip: Place, groups: Sequence[str]) -> Answer:
        """As `Streams.rebuild`."""
        return _answer(await self._rebuild(keys=[topic], args=[str(seen or ""), str(tip), *groups]))


def _answer(raw: Any) -> Answer:  # noqa: ANN401  # as redis-py gives a script's reply
    said = raw[0].decode() if isinstance(raw[0], bytes) else str(raw[0])
    return Answer(said, Place.of(raw[1]) if said == "TIP" else None)
