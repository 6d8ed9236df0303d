"""Reads many entries in one piece. A reply of thousands of small parts costs more to take apart than to handle."""

from redis.asyncio import Redis

from events.delivery.entries import FIELD
from events.delivery.reclaim import Claimed

# KEYS: stream. ARGV: group, consumer, count. Answers one string: for each entry `id length\n` and its payload.
_READ = """
local replies = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>')
if not replies then return '' end
local parts = {}
for _, entry in ipairs(replies[1][2]) do
  local payload = ''
  for i = 1, #entry[2], 2 do if entry[2][i] == 'event' then payload = entry[2][i + 1] end end
  parts[#parts + 1] = entry[1] .. ' ' .. #payload .. '\\n' .. payload
end
return table.concat(parts)
"""


async def read_packed(redis: Redis, topic: str, group: str, name: str, count: int) -> list[Claimed]:
    """What is new in a stream, at most `count` entries; does not wait. Raises RedisError, as XREADGROUP does."""
    reply: bytes = await redis.register_script(_READ)(keys=[topic], args=[group, name, count])
    return unpack(reply)


def unpack(reply: bytes) -> list[Claimed]:
    """The entries in one reply of the script, as new ones."""
    entries: list[Claimed] = []
    at = 0
    while at < len(reply):
        end = reply.index(b"\n", at)
        entry_id, _, length = reply[at:end].partition(b" ")
        at = end + 1 + int(length)
        entries.append((entry_id, {FIELD: reply[end + 1 : at]}, 0, 0))
    return entries
