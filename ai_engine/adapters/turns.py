"""Whose turn it is to ask a model, over Redis; everybody's where that is away. Implements `Turns`."""

from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ai_engine.ports import Turn

PREFIX = "asking"
_RECORDED = 2_000  # milliseconds until what was written is in the log, for all but a database that is away
_OPEN = 30_000  # milliseconds in which all ask side by side, where another model answers than the first
_GONE = 1
_OVER, _EVERYBODYS = b"", b"*"
_HAND_ON = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
_log = structlog.get_logger(__name__)


class ValkeyTurns:
    """Leases of questions. One that was lost early lets a second one ask: it costs money, and is no error."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._hand_on = redis.register_script(_HAND_ON)

    async def take(self, tenant_id: UUID, fingerprint: str, question_id: UUID, seconds: float) -> Turn:
        """See `ports.Turns.take`."""
        key, own = _key(tenant_id, fingerprint), str(question_id)
        try:
            if await self._redis.set(key, own, px=int(seconds * 1_000), nx=True):
                return Turn.OWN
            held = await self._redis.get(key)
        except RedisError as error:
            _log.warning("nobody waits for another one's answer for now", error=type(error).__name__)
            return Turn.OWN
        if held in (own.encode(), _EVERYBODYS):  # own: of a worker that died over it
            return Turn.OWN
        return Turn.OVER if held == _OVER else Turn.OF_ANOTHER

    async def give_back(self, tenant_id: UUID, fingerprint: str, question_id: UUID) -> None:
        """See `ports.Turns.give_back`."""
        await self._lasts(_key(tenant_id, fingerprint), question_id, _OVER, _GONE)

    async def end(self, tenant_id: UUID, fingerprint: str, question_id: UUID) -> None:
        """See `ports.Turns.end`."""
        await self._lasts(_key(tenant_id, fingerprint), question_id, _OVER, _RECORDED)

    async def open(self, tenant_id: UUID, fingerprint: str, question_id: UUID) -> None:
        """See `ports.Turns.open`."""
        await self._lasts(_key(tenant_id, fingerprint), question_id, _EVERYBODYS, _OPEN)

    async def _lasts(self, key: str, question_id: UUID, value: bytes, milliseconds: int) -> None:
        try:
            await self._hand_on(keys=[key], args=[str(question_id), value, milliseconds])
        except RedisError as error:  # it ends by itself
            _log.warning("a turn was not given back", error=type(error).__name__)


def _key(tenant_id: UUID, fingerprint: str) -> str:
    return f"{PREFIX}.{tenant_id}.{fingerprint}"
