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
        self._after = 0  # the place in the feed that the kept ones follow
        self._recent: list[tuple[float, Envelope]] = []
        self._begun = 0  # reads of the end
        self._is_end = False  # the last of them found all that there was
        self._reading = asyncio.Lock()

    async def append(self, stream_id: str, drafts: Sequence[Draft], *, expected: int | None = None) -> list[Envelope]:
        """As `Journal.append`."""
        return await self._journal.append(stream_id, drafts, expected=expected)

    async def read_stream(self, stream_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """As `Journal.read_stream`."""
        return await self._journal.read_stream(stream_id, after=after, limit=limit)

    async def read_feed(self, *, after: int, limit: int) -> list[Envelope]:
        """As `Journal.read_feed`: all that was there when it was asked for, up to the limit.

        Who comes while the end is being read waits, and shares the read that begins after that: one that had begun
        may have looked before the newest event was there.
        """
        self._forget()
        if after < self._newest and not self._has(after):
            return await self._journal.read_feed(after=after, limit=limit)
        asked = self._begun
        async with self._reading:
            if self._begun == asked or not self._has(after):
                self._begun += 1
                envelopes = await self._journal.read_feed(after=after, limit=limit)
                self._keep(after, envelopes, is_end=len(envelopes) < limit)
                return envelopes
            found = self._kept(after, limit)
            if len(found) == limit or self._is_end:
                return found
        return await self._journal.read_feed(after=after, limit=limit)

    def known(self, *, after: int, limit: int) -> list[Envelope]:
        """What is in memory of the events that follow a place; there may be more in the log."""
        self._forget()
        return self._kept(after, limit) if self._has(after) else []

    @property
    def _newest(self) -> int:
        return self._after + len(self._recent)

    def _has(self, after: int) -> bool:
        """Whether what is kept follows that place without a gap."""
        return self._after <= after <= self._newest

    def _kept(self, after: int, limit: int) -> list[Envelope]:
        start = after - self._after
        return [envelope for _, envelope in self._recent[start : start + limit]]

    def _keep(self, after: int, envelopes: Sequence[Envelope], *, is_end: bool) -> None:
        """Keep what was read: behind what is kept, or else it alone."""
        if not self._has(after):
            self._after, self._recent = after, []
        now = self._clock()
        self._recent += [(now, envelope) for envelope in envelopes[self._newest - after :]]
        self._drop(len(self._recent) - self._most)
        self._is_end = is_end

    def _forget(self) -> None:
        oldest = self._clock() - self._seconds
        self._drop(sum(read_at < oldest for read_at, _ in self._recent))

    def _drop(self, count: int) -> None:
        """Let go of the oldest."""
        if count > 0:
            self._after += count
            del self._recent[:count]


class UnhurriedJournal:
    """A `FollowedJournal` for who asks again until there is nothing more: what is in memory is given without a look."""

    def __init__(self, followed: FollowedJournal) -> None:
        self._followed = followed

    async def append(self, stream_id: str, drafts: Sequence[Draft], *, expected: int | None = None) -> list[Envelope]:
        """As `Journal.append`."""
        return await self._followed.append(stream_id, drafts, expected=expected)

    async def read_stream(self, stream_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """As `Journal.read_stream`."""
        return await self._followed.read_stream(stream_id, after=after, limit=limit)

    async def read_feed(self, *, after: int, limit: int) -> list[Envelope]:
        """As `Journal.read_feed`, but that there may be more."""
        known = self._followed.known(after=after, limit=limit)
        return known or await self._followed.read_feed(after=after, limit=limit)
