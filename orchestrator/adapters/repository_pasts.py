"""Repositories with their analyses as they were, for whoever looks at them; remembered for some seconds by their steps.

Which analyses there are is asked first, each time: one that was deleted is not shown out of that memory.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID
from weakref import WeakValueDictionary

from events.log.journal import Journal
from orchestrator.projections.repository_past import Steps, analysis_steps

MOST = 50  # analyses of a repository, the newest
_SECONDS = 50.0  # none outlives a deletion by a minute
_REMEMBERED = 500  # analyses; the oldest go first
_PAGE = 500

# Of a tenant's repository the newest analyses: the stream of each with its version; and how many there are.
StreamsOf: TypeAlias = Callable[[UUID, UUID, int], Awaitable[tuple[dict[str, int], int]]]


@dataclass(frozen=True)
class Analyses:
    """The steps of a repository's newest analyses by id, the newest first, and how many older ones are left out."""

    steps: dict[str, Steps]
    left_out: int


class RepositoryPasts:
    """Reads the streams of analyses as far as it does not know them."""

    def __init__(self, streams_of: StreamsOf, clock: Callable[[], float] = time.monotonic) -> None:
        self._streams_of = streams_of
        self._clock = clock
        self._known: OrderedDict[tuple[UUID, str], tuple[float, Steps]] = OrderedDict()
        self._alone: WeakValueDictionary[tuple[UUID, str], asyncio.Lock] = WeakValueDictionary()

    async def analyses(self, journal: Journal, tenant: UUID, repository: UUID) -> Analyses:
        """The steps of the analyses of a tenant's repository, as of now."""
        self._forget()
        versions, total = await self._streams_of(tenant, repository, MOST)
        found = {
            stream.partition("/")[2]: await self._steps(journal, tenant, stream, versions[stream])
            for stream in versions
        }
        return Analyses(found, total - len(found))

    async def _steps(self, journal: Journal, tenant: UUID, stream_id: str, version: int) -> Steps:
        alone = self._alone.setdefault((tenant, stream_id), asyncio.Lock())
        async with alone:  # or two who look at once would fold the same page twice
            since, steps = self._known.get((tenant, stream_id)) or (self._clock(), analysis_steps())
            try:
                while steps.version < version:
                    page = await journal.read_stream(stream_id, after=steps.version, limit=_PAGE)
                    if not page:
                        break
                    await asyncio.to_thread(steps.extend, page)
            except BaseException:  # whoever asked has gone, and the thread goes on with these
                self._known.pop((tenant, stream_id), None)
                raise
            self._known[tenant, stream_id] = since, steps
            return steps

    def _forget(self) -> None:
        oldest = self._clock() - _SECONDS
        while self._known and (len(self._known) > _REMEMBERED or next(iter(self._known.values()))[0] < oldest):
            self._known.popitem(last=False)
