"""Streams as they were at any version or moment, for whoever looks at them.

A long stream is folded once and remembered for some seconds by its states, so that a slider has its next point soon.
What was deleted is not shown out of that memory: the log is asked first, each time.
"""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from events.base import Envelope
from events.log.journal import Journal
from events.replay.past import Past, shown_at
from orchestrator.adapters.journals import Journals
from orchestrator.adapters.repository_pasts import Analyses, RepositoryPasts
from orchestrator.projections.pasts import fold_of
from orchestrator.projections.repository_past import Step, Steps, moments, repository_at, repository_steps

_SECONDS = 50.0  # none outlives a deletion by a minute
_MOST = 16  # pasts remembered; the oldest go first
_PAGE = 500
_LEAP = 1_000  # events of an analysis, which are small
# Of a conversation, what somebody said whose account is deleted is left out of each reading anew.
_REMEMBERED = "analysis/"
REPOSITORY = "repository/"
_BEFORE, _NOW = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

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
    """Which point: a version, or a moment, else the newest; and another one, else the version before it."""

    version: int | None = None
    moment: datetime | None = None
    against: int | None = None
    against_moment: datetime | None = None


@dataclass(frozen=True)
class _Whole:
    """A repository: its own events, and the steps of it and of its analyses."""

    events: list[Envelope]
    own: Steps
    analyses: Analyses

    @property
    def newest(self) -> int:
        return self.events[-1].version

    def until(self, version: int) -> datetime:
        """The last moment of a version."""
        if version <= 0:
            return _BEFORE
        later = next((one for one in self.events if one.version > version), None)
        return _NOW if later is None else later.timestamp - timedelta(microseconds=1)

    def version_at(self, moment: datetime) -> int:
        return max((one.version for one in self.events if one.timestamp <= moment), default=0)

    def shown(self, moment: datetime) -> Json:
        there = repository_at(self.own, self.analyses.steps, moment)
        return there | ({"analyses_left_out": left} if there and (left := self.analyses.left_out) else {})


class Inspection:
    """Folds the streams of tenants, each for its own tenant alone."""

    def __init__(
        self,
        journals: Journals,
        repositories: RepositoryPasts,
        *,
        seconds: float = _SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journals = journals
        self._repositories = repositories
        self._seconds = seconds
        self._clock = clock
        self._known: OrderedDict[Key, tuple[float, Past[Any]]] = OrderedDict()  # the oldest first

    async def look(self, tenant: UUID, stream_id: str, at: At) -> Look | None:
        """The stream at a point; None where the tenant has no such stream. A version after the newest is the newest."""
        if stream_id.startswith(REPOSITORY):
            return await self._repository(tenant, stream_id, at)
        journal = self._journals.of(tenant)
        past = await self._past(journal, (tenant, stream_id))
        if past is None:
            return None
        wanted = past.version_at(at.moment) if at.moment is not None else at.version
        version = past.version if wanted is None else min(wanted, past.version)
        other = past.version_at(at.against_moment) if at.against_moment is not None else at.against
        against = max(0, version - 1) if other is None else min(other, past.version)
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

    async def moments(self, tenant: UUID, stream_id: str) -> tuple[list[tuple[str, Step]], int] | None:
        """When anything of a repository changed; and how many analyses are left out. None where there is none such."""
        found = await self._whole(tenant, stream_id)
        return None if found is None else (moments(found.own, found.analyses.steps), found.analyses.left_out)

    async def _repository(self, tenant: UUID, stream_id: str, at: At) -> Look | None:
        """A repository with its analyses. At a version it is as it was before the next one; at the newest, as it is."""
        found = await self._whole(tenant, stream_id)
        if found is None:
            return None
        wanted = found.newest if at.version is None else at.version
        moment = at.moment if at.moment is not None else found.until(wanted)
        version = found.version_at(moment)
        other = max(0, version - 1) if at.against is None else at.against
        beside = at.against_moment if at.against_moment is not None else found.until(other)
        event = next((one for one in found.events if one.version == version), None)
        against = found.version_at(beside)
        return Look(found.newest, version, against, event, found.shown(beside), found.shown(moment))

    async def _whole(self, tenant: UUID, stream_id: str) -> "_Whole | None":
        journal = self._journals.of(tenant)
        events = await journal.read_stream(stream_id)  # few: it was registered, it was deleted
        if not events or events[0].tenant_id != tenant or (repository := events[0].repository_id) is None:
            return None
        own = repository_steps()
        own.extend(events)
        return _Whole(events, own, await self._repositories.analyses(journal, tenant, repository))

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
