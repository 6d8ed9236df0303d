"""What a worker takes for a question, kept in Valkey for the worker that follows where it dies.

There is nothing but numbers in a note, and it is gone after an hour. Without Valkey none is kept, and answers go on.
"""

import json
import time
from dataclasses import asdict
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ai_engine.stages.price import Noted, Spend

PREFIX = "spend"
_KEPT = 3_600  # seconds: a message is taken up by another worker within a minute
_MUTE = 2.0  # seconds without Valkey before it is tried again


class ValkeyNotes:
    """See `ports.Notes`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._mute_until = 0.0

    async def keep(self, tenant_id: UUID, question_id: UUID, noted: Noted) -> None:
        """See `Notes.keep`."""
        if time.monotonic() < self._mute_until:
            return
        try:
            await self._redis.set(_key(tenant_id, question_id), json.dumps(asdict(noted)), ex=_KEPT)
        except RedisError:
            self._mute_until = time.monotonic() + _MUTE

    async def find(self, tenant_id: UUID, question_id: UUID) -> Noted | None:
        """See `Notes.find`."""
        if time.monotonic() < self._mute_until:
            return None
        try:
            kept = await self._redis.get(_key(tenant_id, question_id))
        except RedisError:
            self._mute_until = time.monotonic() + _MUTE
            return None
        if not kept:
            return None
        said = json.loads(kept)
        recorded, besides, call = (Spend(**said[part]) for part in ("recorded", "besides", "call"))
        return Noted(recorded, besides, call, said["steps"])


def _key(tenant_id: UUID, question_id: UUID) -> str:
    return f"{PREFIX}.{tenant_id}.{question_id}"
