"""The transport in memory: the twin of `streams.py`, with the consumer groups of Redis. For tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from events.log.relay import Answer, Place


@dataclass
class MemoryGroup:
    """A consumer group: how far it has read, and what it holds (place → deliveries)."""

    last: Place = field(default_factory=lambda: Place(0, 0))
    pending: dict[Place, int] = field(default_factory=dict)


@dataclass
class MemoryStream:
    """One stream: its entries in order, the last id it ever gave, its groups."""

    tip: Place
    entries: dict[Place, str] = field(default_factory=dict)
    groups: dict[str, MemoryGroup] = field(default_factory=dict)


class MemoryStreams:
    """`relay.Streams` in memory, and what consumers do."""

    def __init__(self) -> None:
        self.streams: dict[str, MemoryStream] = {}

    async def append(self, topic: str, tip: Place, entries: Sequence[tuple[Place, str]]) -> Answer:
        """As `Streams.append`."""
        stream = self.streams.get(topic)
        if stream is None:
            return Answer("LOST")
        if stream.tip != tip:
            return Answer("TIP", stream.tip)
        for place, payload in entries:
            stream.entries[place] = payload
            stream.tip = place
        return Answer("OK")

    async def look(self, topic: str, groups: Sequence[str]) -> Answer:
        """As `Streams.look`."""
        stream = self.streams.get(topic)
        if stream is None or not set(groups) <= stream.groups.keys():
            return Answer("LOST")
        return Answer("TIP", stream.tip)

    async def rebuild(self, topic: str, seen: Place | None, tip: Place, groups: Sequence[str]) -> Answer:
        """As `Streams.rebuild`."""
        stream = self.streams.get(topic)
        if stream is not None and set(groups) <= stream.groups.keys() and stream.tip != seen:
            return Answer("TIP", stream.tip)
        self.streams[topic] = MemoryStream(tip, groups={name: MemoryGroup() for name in groups})
        return Answer("OK")

    def read(self, topic: str, group: str, count: int) -> list[tuple[Place, str]]:
        """XREADGROUP: the next entries, now pending. Raises KeyError for NOGROUP."""
        stream = self.streams[topic]
        reader = stream.groups[group]
        found = [(place, payload) for place, payload in stream.entries.items() if place > reader.last][:count]
        for place, _ in found:
            reader.last = place
            reader.pending[place] = 1
        return found

    def reclaim(self, topic: str, group: str) -> tuple[Place, str] | None:
        """XCLAIM of the oldest pending entry; one that was trimmed is dropped, as Redis does."""
        stream = self.streams[topic]
        reader = stream.groups[group]
        for place in sorted(reader.pending):
            if place in stream.entries:
                reader.pending[place] += 1
                return place, stream.entries[place]
            del reader.pending[place]
        return None

    def ack(self, topic: str, group: str, place: Place) -> None:
        """XACK: nothing where the stream or the group is gone."""
        stream = self.streams.get(topic)
        if stream is not None and group in stream.groups:
            stream.groups[group].pending.pop(place, None)

    def trim(self, topic: str, lowest: Place) -> None:
        """XTRIM MINID."""
        stream = self.streams.get(topic)
        if stream is not None:
            stream.entries = {place: payload for place, payload in stream.entries.items() if place >= lowest}

    def flush(self) -> None:
        """FLUSHALL."""
        self.streams.clear()
