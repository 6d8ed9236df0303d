"""Streams as they were at any version or moment, for whoever looks at them.

Of a long analysis states are kept beside the log: a look goes on from the nearest one. What was deleted is not shown
out of these: the log is asked first, each time.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from events.base import Envelope
from events.log.journal import Journal
from events.replay.history import fold
from orchestrator.adapters.journals import Journals
from orchestrator.adapters.repository_pasts import Analyses, RepositoryPasts
from orchestrator.adapters.snapshots import EVERY
from orchestrator.projections.pasts import fold_of
from orchestrator.projections.repository_past import Step, Steps, moments, repository_at, repository_steps

_PAGE = 500
_LEAP = EVERY  # events of an analysis, which are small
_KEPT = "analysis/"
REPOSITORY = "repository/"
_BEFORE, _NOW = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

Json = dict[str, Any]
State = tuple[int, Any]  # what a stream added up to after a version


class Pasts(Protocol):
    """Where streams stand, and the states that are kept of them. `orchestrator.adapters.snapshots` has the real one."""

    async def newest(self, tenant: UUID, stream_id: str) -> int:
        """The newest version of a stream."""
        ...

    async def version_at(self, tenant: UUID, stream_id: str, moment: datetime) -> int:
        """The version at a moment: of the last event that had happened, and all before it; 0 before the first one."""
        ...

    async def before(self, tenant: UUID, stream_id: str, version: int) -> State | None:
        """The newest kept state of an analysis that is not after `version`."""
        ...


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

    def __init__(self, journals: Journals, repositories: RepositoryPasts, pasts: Pasts) -> None:
        self._journals = journals
        self._repositories = repositories
        self._pasts = pasts

    async def look(self, tenant: UUID, stream_id: str, at: At) -> Look | None:
        """The stream at a point; None where the tenant has no such stream. A version after the newest is the newest."""
        if stream_id.startswith(REPOSITORY):
            return await self._repository(tenant, stream_id, at)
        journal = self._journals.of(tenant)
        if not (head := await journal.read_stream(stream_id, limit=1)) or head[0].tenant_id != tenant:
            return None
        newest = await self._pasts.newest(tenant, stream_id)

        async def version_of(moment: datetime | None, version: int | None, otherwise: int) -> int:
            if moment is not None:
                version = await self._pasts.version_at(tenant, stream_id, moment)
            return otherwise if version is None else min(version, newest)

        version = await version_of(at.moment, at.version, newest)
        against = await version_of(at.against_moment, at.against, max(0, version - 1))
        low, high = await self._shown(journal, tenant, stream_id, (min(version, against), max(version, against)))
        there = await journal.read_stream(stream_id, after=version - 1, limit=1) if version else []
        event = next((one for one in there if one.version == version), None)
        before, after = (low, high) if version >= against else (high, low)
        return Look(newest, version, against, event, before, after)

    async def _shown(
        self, journal: Journal, tenant: UUID, stream_id: str, versions: tuple[int, int]
    ) -> tuple[Json, Json]:
        """What is shown at two versions, the earlier one first, each from the nearest state that is kept before it."""
        how, (first, last) = fold_of(stream_id), versions
        at, state = await _on(journal, stream_id, await self._before(tenant, stream_id, first), first)
        low = how.shown(state)
        if last - at > _LEAP:  # else to go on from here is less than to read another state
            at, state = max((at, state), await self._before(tenant, stream_id, last), key=lambda found: found[0])
        _, state = await _on(journal, stream_id, (at, state), last)
        return low, how.shown(state)

    async def _before(self, tenant: UUID, stream_id: str, version: int) -> State:
        kept = await self._pasts.before(tenant, stream_id, version) if stream_id.startswith(_KEPT) else None
        return kept or (0, fold_of(stream_id).initial())

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


async def _on(journal: Journal, stream_id: str, start: State, version: int) -> State:
    """The state after a version, gone on to from one before it. What the journal does not show changes nothing."""
    how, (at, state) = fold_of(stream_id), start
    leap = _LEAP if stream_id.startswith(_KEPT) else _PAGE
    while at < version:
        page = await journal.read_stream(stream_id, after=at, limit=min(leap, version - at))
        state = fold(page, how.evolve, state, to=version)
        at = min(page[-1].version, version) if page else version  # a page counts the events that are shown
    return at, state
