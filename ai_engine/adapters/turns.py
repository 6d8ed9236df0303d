"""Whose turn it is to ask a model, over Redis; everybody's where that is away. Implements `Turns`."""

from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

PREFIX = "asking"
_RECORDED = 2_000  # milliseconds until what was written is in the log, for all but a database that is away
_GONE = 1
_log = structlog.get_logger(__name__)


class ValkeyTurns:
    """Leases of questions. One that was lost early lets a second one ask: it costs money, and is no error."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def take(self, tenant_id: UUID, fingerprint: str, question_id: UUID, seconds: float) -> bool:
        """See `ports.Turns.take`."""
        key, own = _key(tenant_id, fingerprint), str(question_id)
        try:
            if await self._redis.set(key, own, px=int(seconds * 1_000), nx=True):
                return True
            return bool(await self._redis.get(key) == own.encode())  # of a worker that died over it
        except RedisError as error:
            _log.warning("nobody waits for another one's answer for now", error=type(error).__name__)
            return True

    async def give_back(self, tenant_id: UUID, fingerprint: str) -> None:
        """See `ports.Turns.give_back`."""
        await self._lasts(tenant_id, fingerprint, _GONE)

    async def end(self, tenant_id: UUID, fingerprint: str) -> None:
        """See `ports.Turns.end`."""
        await self._lasts(tenant_id, fingerprint, _RECORDED)

    async def _lasts(self, tenant_id: UUID, fingerprint: str, milliseconds: int) -> None:
        try:
            await self._redis.set(_key(tenant_id, fingerprint), b"", px=milliseconds, xx=True)
        except RedisError as error:  # it ends by itself
            _log.warning("a turn was not given back", error=type(error).__name__)


def _key(tenant_id: UUID, fingerprint: str) -> str:
    return f"{PREFIX}.{tenant_id}.{fingerprint}"
