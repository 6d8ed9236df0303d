"""Streams as they were at any version or moment, for whoever looks at them.

A long stream is folded once and remembered for some seconds by its states, so that a slider has its next point soon.
What was deleted is not shown out of that memory: the log is asked first, each time.
"""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from events.base import Envelope
from events.log.journal import Journal
from events.replay.past import Past, shown_at
from orchestrator.adapters.journals import Journals
from orchestrator.projections.pasts import fold_of

_SECONDS = 50.0  # none outlives a deletion by a minute
_MOST = 16  # pasts remembered; the oldest go first
_PAGE = 500
_LEAP = 1_000  # events of an analysis, which are small
# Of a conversation, what somebody said whose account is deleted is left out of each reading anew.
_REMEMBERED = "analysis/"

Key = tuple[UUID, str]
Json = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """A stream at one version, beside another one. `envelope` is the event that made it that version, if any did."""

    newest: int
    version: int
    against: int
    envelope: Envelope | None
    before: Json
    after: Json


@dataclass(frozen=True)
class At:
    """Which point: a version, or a moment, else the newest. It is compared with `against`, else the version before."""

    version: int | None = None
    moment: datetime | None = None
    against: int | None = None


class Inspection:
    """Folds the streams of tenants, each for its own tenant alone."""

    def __init__(
        self, journals: Journals, *, seconds: float = _SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._journals = journals
        self._seconds = seconds
        self._clock = clock
        self._known: OrderedDict[Key, tuple[float, Past[Any]]] = OrderedDict()  # the oldest first

    async def look(self, tenant: UUID, stream_id: str, at: At) -> Look | None:
        """The stream at a point; None where the tenant has no such stream. A version after the newest is the newest."""
        journal = self._journals.of(tenant)
        past = await self._past(journal, (tenant, stream_id))
        if past is None:
            return None
        wanted = past.version_at(at.moment) if at.moment is not None else at.version
        version = past.version if wanted is None else min(wanted, past.version)
        against = max(0, version - 1) if at.against is None else min(at.against, past.version)
        first, last = sorted((version, against))
        start = past.before(first)
        missing = last - start[0]
        envelopes = await journal.read_stream(stream_id, after=start[0], limit=missing) if missing else []
        envelopes = [one for one in envelopes if one.version <= last]
        low, high = shown_at(fold_of(stream_id), start, envelopes, (first, last))
        event = next((one for one in envelopes if one.version == version), None)
        if event is None and version:
            event = next(iter(await journal.read_stream(stream_id, after=version - 1, limit=1)), None)
        before, after = (low, high) if version >= against else (high, low)
        return Look(past.version, version, against, event, before, after)

    async def events(self, tenant: UUID, stream_id: str) -> AsyncIterator[list[Envelope]]:
        """All events of a stream in their order, page by page."""
        journal, after = self._journals.of(tenant), 0
        while page := await journal.read_stream(stream_id, after=after, limit=_PAGE):
            yield page
            after = page[-1].version

    async def _past(self, journal: Journal, key: Key) -> Past[Any] | None:
        """What is known of a stream, and what came since then; None where there is no such stream any more."""
        self._forget()
        tenant, stream_id = key
        if not (head := await journal.read_stream(stream_id, limit=1)) or head[0].tenant_id != tenant:
            self._known.pop(key, None)
            return None
        since, past = self._known.get(key) or (self._clock(), Past(fold_of(stream_id)))
        leap = _LEAP if stream_id.startswith(_REMEMBERED) else _PAGE
        while page := await journal.read_stream(stream_id, after=past.version, limit=leap):
            past.extend(page)
        if stream_id.startswith(_REMEMBERED):
            self._known[key] = since, past
        return past

    def _forget(self) -> None:
        oldest = self._clock() - self._seconds
        while self._known and (len(self._known) > _MOST or next(iter(self._known.values()))[0] < oldest):
            self._known.popitem(last=False)
