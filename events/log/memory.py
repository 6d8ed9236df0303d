"""The event log in memory: the twin of `postgres.py`, for tests and for replays. One behaviour suite runs on both."""

from collections.abc import Sequence
from uuid import UUID

from events.base import Draft, Envelope
from events.log.drafts import payload_of, record, topic_and_type
from events.log.journal import WrongExpectedVersion


class MemoryJournal:
    """`Journal` in memory. Every append is sequenced at once, unless `sequence_at_once` is False."""

    def __init__(self, *, sequence_at_once: bool = True) -> None:
        self._sequence_at_once = sequence_at_once
        self._streams: dict[str, list[UUID]] = {}
        self._events: dict[UUID, Envelope] = {}
        self._topics: dict[UUID, str] = {}
        self._outbox: list[UUID] = []
        self._feed: list[UUID] = []

    async def append(self, stream_id: str, drafts: Sequence[Draft], *, expected: int | None = None) -> list[Envelope]:
        """As `Journal.append`."""
        stream = self._streams.get(stream_id, [])
        fresh = [draft for draft in drafts if draft.event_id not in stream]
        if fresh and expected is not None and expected != len(stream):
            raise WrongExpectedVersion(stream_id, expected, len(stream))
        if len({draft.event_id for draft in fresh} - self._events.keys()) < len(fresh):
            raise ValueError(f"an event for {stream_id} is already in another stream, or twice in this append")
        for draft in fresh:
            payload_of(draft)
        for draft in fresh:
            stream = self._streams.setdefault(stream_id, [])
            stream.append(draft.event_id)
            self._events[draft.event_id] = record(draft, stream_id, len(stream))
            self._topics[draft.event_id] = topic_and_type(draft)[0]
            self._outbox.append(draft.event_id)
        if self._sequence_at_once:
            self.sequence()
        return [self._events[draft.event_id] for draft in drafts]

    def sequence(self, limit: int | None = None) -> int:
        """Give events that have none their place in the feed, at most `limit`; how many did."""
        moved = self._outbox[:limit]
        self._outbox = self._outbox[len(moved) :]
        for event_id in moved:
            self._feed.append(event_id)
            self._events[event_id] = self._events[event_id].with_seq(len(self._feed))
        return len(moved)

    async def read_stream(self, stream_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """As `Journal.read_stream`."""
        found = [self._events[event_id] for event_id in self._streams.get(stream_id, [])[after:]]
        return found[:limit]

    async def read_feed(self, *, after: int, limit: int) -> list[Envelope]:
        """As `Journal.read_feed`."""
        return [self._events[event_id] for event_id in self._feed[after : after + limit]]

    def topic_feed(self, topic: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """What the relay reads: the events of one topic with a `seq` greater than `after`, in order."""
        found = [self._events[event_id] for event_id in self._feed[after:] if self._topics[event_id] == topic]
        return found[:limit]

    @property
    def streams(self) -> tuple[str, ...]:
        """The ids of all streams."""
        return tuple(self._streams)
