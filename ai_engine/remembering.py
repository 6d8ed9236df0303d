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

from ai_engine.ports import Earlier, Found, Turn, Turns
from events.delivery.work import Run
from runtime.metrics import cache_lookups

_CACHE = "answers"
_LOOK = 0.2  # seconds between two looks at whose turn it is
_WAITING = 4  # that wait for others in one process: they hold slots in which somebody else could be answered


@dataclass(frozen=True)
class Wanted:
    """An answer to look for."""

    tenant_id: UUID
    generation_id: UUID
    question_id: UUID
    fingerprint: str


@dataclass
class Offer:
    """The earlier answer, if there is one. Who answers anew says whether that `is_kept`, and offered to others."""

    found: Found | None = None
    is_kept: bool = False


class Remembering:
    """Looks for earlier answers, and lets one at a time ask for what is not there."""

    def __init__(self, earlier: Earlier, turns: Turns) -> None:
        self._earlier = earlier
        self._turns = turns
        self._waiting = 0

    @asynccontextmanager
    async def offered(self, wanted: Wanted | None, run: Run, seconds: float) -> AsyncIterator[Offer]:
        """The earlier answer; or none, and inside is whose turn it is to ask, for `seconds` at most.

        Who waits for another one's answer does so for half of that, then asks as well; so does who finds some waiting.
        """
        if wanted is None:
            yield Offer()
            return
        found, waited = await self._found(wanted, run, seconds)
        cache_lookups.labels(_CACHE, "miss" if found is None else "shared" if waited else "hit").inc()
        offer, passes_on = Offer(found), self._turns.give_back
        if found is not None:
            yield offer
            return
        try:
            yield offer
            passes_on = self._turns.end if offer.is_kept else self._turns.open
        finally:
            await passes_on(wanted.tenant_id, wanted.fingerprint, wanted.question_id)

    async def _found(self, wanted: Wanted, run: Run, seconds: float) -> tuple[Found | None, bool]:
        turn = await self._take(wanted, seconds)  # before the look: what another one recorded until then is there
        if turn is Turn.OWN:
            return await self._own(wanted), False
        if (found := await self._look(wanted)) is not None or self._waiting >= _WAITING:
            return found, False
        self._waiting += 1
        try:
            return await self._waited(wanted, run, seconds), True
        finally:
            self._waiting -= 1

    async def _waited(self, wanted: Wanted, run: Run, seconds: float) -> Found | None:
        """The answer of whose turn it is; None where that does not come in time."""
        until = time.monotonic() + seconds / 2
        while time.monotonic() <= until:
            run.check()
            turn = await self._take(wanted, seconds)
            if turn is Turn.OWN:
                return await self._own(wanted)
            if turn is Turn.OVER and (found := await self._look(wanted)) is not None:
                return found
            await asyncio.sleep(_LOOK)
        return None

    async def _own(self, wanted: Wanted) -> Found | None:
        """What came just before the turn was taken: then that is given back."""
        found = await self._look(wanted)
        if found is not None:
            await self._turns.give_back(wanted.tenant_id, wanted.fingerprint, wanted.question_id)
        return found

    async def _take(self, wanted: Wanted, seconds: float) -> Turn:
        return await self._turns.take(wanted.tenant_id, wanted.fingerprint, wanted.question_id, seconds)

    async def _look(self, wanted: Wanted) -> Found | None:
        return await self._earlier.find(wanted.tenant_id, wanted.generation_id, wanted.fingerprint)
