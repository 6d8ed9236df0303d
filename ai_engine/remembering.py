"""Offer what was answered before to the same question about the same generation.

An earlier answer is looked for in the log, where it is sealed and from where it goes with its conversation: no copy is
kept to be found, nothing has to be invalidated. Of those who ask the same at one moment one asks the model.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from ai_engine.ports import Earlier, Found, Turns
from events.delivery.work import Run
from runtime.metrics import cache_lookups

_CACHE = "answers"
_LOOK = 0.2  # seconds between two looks at whether another one's answer is there


@dataclass(frozen=True)
class Wanted:
    """An answer to look for."""

    tenant_id: UUID
    generation_id: UUID
    question_id: UUID
    fingerprint: str


class Remembering:
    """Looks for earlier answers, and lets one at a time ask for what is not there."""

    def __init__(self, earlier: Earlier, turns: Turns) -> None:
        self._earlier = earlier
        self._turns = turns

    @asynccontextmanager
    async def offered(self, wanted: Wanted | None, run: Run, seconds: float) -> AsyncIterator[Found | None]:
        """The earlier answer; or None, and inside is whose turn it is to ask, for `seconds` at most.

        Who waits for another one's answer does so for half of that, then asks as well.
        """
        if wanted is None:
            yield None
            return
        found, waited = await self._found(wanted, run, seconds)
        cache_lookups.labels(_CACHE, "miss" if found is None else "shared" if waited else "hit").inc()
        if found is not None:
            yield found
            return
        is_answered = False
        try:
            yield None
            is_answered = True
        finally:
            over = self._turns.end if is_answered else self._turns.give_back
            await over(wanted.tenant_id, wanted.fingerprint)

    async def _found(self, wanted: Wanted, run: Run, seconds: float) -> tuple[Found | None, bool]:
        until, waited = time.monotonic() + seconds / 2, False
        while (found := await self._look(wanted)) is None:
            run.check()
            if await self._turns.take(wanted.tenant_id, wanted.fingerprint, wanted.question_id, seconds):
                found = await self._look(wanted)  # it may have come between the two
                if found is not None:
                    await self._turns.give_back(wanted.tenant_id, wanted.fingerprint)
                return found, waited
            if time.monotonic() > until:
                return None, waited
            waited = True
            await asyncio.sleep(_LOOK)
        return found, waited

    async def _look(self, wanted: Wanted) -> Found | None:
        return await self._earlier.find(wanted.tenant_id, wanted.generation_id, wanted.fingerprint)
