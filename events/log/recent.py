"""The end of the feed, read once for all that follow it in a process: read models and live pages want the same."""

import asyncio
import time
from collections.abc import Callable, Sequence

from events.base import Draft, Envelope
from events.log.journal import Journal

_SECONDS = 1.0  # far less than a destroyed key is believed in (`keyring.KEPT`)
_MOST = 100  # events: each may have all passages of an answer


class FollowedJournal:
    """A `Journal` whose feed gives events that it read a moment ago again, without the log.

    The feed is dense and never changes, so that what follows a place in memory is what follows it in the log. Who is
    further behind reads the log, for itself.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        seconds: float = _SECONDS,
        most: int = _MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._recent: list[tuple[float, Envelope]] = []
        self._reading = asyncio.Lock()

    async def append(self, stream_id: str, drafts: Sequence[Draft], *, expected: int | None = None) -> list[Envelope]:
        """As `Journal.append`."""
        return await self._journal.append(stream_id, drafts, expected=expected)

    async def read_stream(self, stream_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """As `Journal.read_stream`."""
        return await self._journal.read_stream(stream_id, after=after, limit=limit)

    async def read_feed(self, *, after: int, limit: int) -> list[Envelope]:
        """As `Journal.read_feed`. Who comes while the end is being read waits for that."""
        if found := self._known(after, limit):
            return found
        if after < self._newest:
            return await self._journal.read_feed(after=after, limit=limit)
        async with self._reading:
            if found := self._known(after, limit):
                return found
            envelopes = await self._journal.read_feed(after=after, limit=limit)
            self._keep(after, envelopes)
            return envelopes

    @property
    def _newest(self) -> int:
        return self._recent[-1][1].seq or 0 if self._recent else 0

    def _known(self, after: int, limit: int) -> list[Envelope]:
        """What is kept after a place, if it follows that without a gap."""
        self._forget()
        first = self._recent[0][1].seq or 0 if self._recent else 0
        if not self._recent or after + 1 < first:
            return []
        start = after + 1 - first
        return [envelope for _, envelope in self._recent[start : start + limit]]

    def _keep(self, after: int, envelopes: Sequence[Envelope]) -> None:
        if after != self._newest:
            self._recent.clear()
        now = self._clock()
        self._recent += [(now, envelope) for envelope in envelopes]
        del self._recent[: -self._most]

    def _forget(self) -> None:
        oldest = self._clock() - self._seconds
        while self._recent and self._recent[0][0] < oldest:
            self._recent.pop(0)
