"""Carries the feed to Redis Streams: an entry's id is its place in the feed, and it goes only behind its predecessor.

The relay keeps nothing. The tip of a stream *is* the checkpoint: a batch is appended by a script that first compares
the tip with the place that the batch follows. So any number of relays may run, die in the middle, or meet a Redis
that lost its last second, its groups, or everything.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

logger = logging.getLogger(__name__)

BATCH = 500


class Place(NamedTuple):
    """The id of an entry: `generation-seq`. The generation rises where Redis knew more than the log."""

    generation: int
    seq: int

    def __str__(self) -> str:
        return f"{self.generation}-{self.seq}"

    @classmethod
    def of(cls, entry_id: bytes | str) -> "Place":
        """Read from an id as Redis gives it."""
        generation, _, seq = (entry_id.decode() if isinstance(entry_id, bytes) else entry_id).partition("-")
        return cls(int(generation), int(seq))


@dataclass(frozen=True)
class Answer:
    """What a stream says: `OK`, `LOST` (no stream, or a group is missing), `TIP` with the place of its last entry."""

    said: str
    tip: Place | None = None


class Feed(Protocol):
    """The port to the log: the feed, by topic."""

    async def head(self) -> Place:
        """The generation, and the place of the newest event of all topics."""
        ...

    async def behind(self, cursors: Mapping[str, int], batch: int) -> dict[str, list[tuple[int, str]]]:
        """For each topic, at most `batch` (seq, JSON of the envelope) with a seq greater than its cursor, in order."""
        ...

    async def floor(self, topic: str, consumers: Sequence[str]) -> int:
        """The lowest floor of a topic's consumers."""
        ...

    async def raise_generation(self, generation: int) -> None:
        """Begin the generation after `generation`, unless somebody has."""
        ...


class Streams(Protocol):
    """The port to the transport. Each call decides and writes in one step."""

    async def append(self, topic: str, tip: Place, entries: Sequence[tuple[Place, str]]) -> Answer:
        """Append all entries where the stream's tip is `tip` (OK); nothing else (TIP, LOST)."""
        ...

    async def look(self, topic: str, groups: Sequence[str]) -> Answer:
        """The tip, or LOST."""
        ...

    async def rebuild(self, topic: str, seen: Place | None, tip: Place, groups: Sequence[str]) -> Answer:
        """Start the stream again, empty, at `tip`, every group at the beginning (OK).

        Only where it is lost, or its tip is still the one `seen`; else nothing (TIP).
        """
        ...


class Relay:
    """Relays `consumers`' topics. One object a process; not to be used by two tasks at once."""

    def __init__(self, feed: Feed, streams: Streams, consumers: Mapping[str, Sequence[str]]) -> None:
        self._feed = feed
        self._streams = streams
        self._consumers = consumers
        self._tips: dict[str, Place] = {}
        self._relayed_head: Place | None = None
        self._is_settled = False

    @property
    def is_settled(self) -> bool:
        """Whether the last step relayed all there was, as far as we know."""
        return self._is_settled

    async def step(self, *, batch: int = BATCH, is_woken: bool = False) -> int:
        """Relay at most `batch` events of each topic; how many. Idle, it costs one read of one row.

        With `is_woken` there is something, most likely: it is looked for without that read.
        Raises what the log and the transport raise; the next step goes on from what the transport then holds.
        """
        await self._find([topic for topic in self._consumers if topic not in self._tips])
        head = None if is_woken else await self._feed.head()
        if head is not None and head == self._relayed_head:
            return 0
        self._relayed_head, self._is_settled = None, False
        moved, is_whole = 0, len(self._tips) == len(self._consumers)
        cursors = {topic: tip.seq for topic, tip in self._tips.items()}
        for topic, entries in (await self._feed.behind(cursors, batch)).items():
            sent = await self._send(topic, entries)
            moved += sent
            is_whole = is_whole and sent == len(entries) < batch
        if is_whole and len(self._tips) == len(self._consumers):
            self._relayed_head, self._is_settled = head, True
        return moved

    async def check(self) -> None:
        """Compare every stream's tip with what we believe, though there may be nothing to relay."""
        await self._find(list(self._consumers))

    async def _find(self, topics: Sequence[str]) -> None:
        if not topics:
            return
        answers = [(topic, await self._streams.look(topic, self._consumers[topic])) for topic in topics]
        head = await self._feed.head()  # read after the tips: an honest tip cannot be ahead of it
        for topic, answer in answers:
            await self._judge(topic, answer, head)

    async def _send(self, topic: str, entries: Sequence[tuple[int, str]]) -> int:
        tip = self._tips.get(topic)
        if tip is None:
            return 0  # the generation was raised a moment ago
        placed = [(Place(tip.generation, seq), payload) for seq, payload in entries]
        answer = await self._streams.append(topic, tip, placed)
        if answer.said == "OK":
            self._tips[topic] = placed[-1][0]
            return len(entries)
        logger.info("%s: the tip is not %s: %s", topic, tip, answer)
        await self._judge(topic, answer, await self._feed.head())
        return 0

    async def _judge(self, topic: str, answer: Answer, head: Place) -> None:
        """Believe what Redis says of a stream, where it can be true; else start the stream again."""
        tip = answer.tip
        if tip is not None and tip.generation == head.generation and tip.seq <= head.seq:
            if self._tips.get(topic) != tip:
                self._tips[topic], self._relayed_head, self._is_settled = tip, None, False
            return
        self._relayed_head, self._is_settled = None, False
        if tip is not None and tip.generation == head.generation:
            logger.error("%s is at %s, ahead of the log at %s: the log has lost events", topic, tip, head)
            await self._feed.raise_generation(head.generation)
            self._tips.clear()
        await self._start_again(topic, tip)

    async def _start_again(self, topic: str, seen: Place | None) -> None:
        self._tips.pop(topic, None)
        groups = self._consumers[topic]
        floor = Place((await self._feed.head()).generation, await self._feed.floor(topic, groups))
        answer = await self._streams.rebuild(topic, seen, floor, groups)
        if answer.said == "OK":
            if seen is None and not floor.seq:
                logger.info("%s was not there; it begins at %s", topic, floor)
            else:
                logger.warning("%s was %s; it is rebuilt from the floor %s", topic, seen or "lost", floor)
            self._tips[topic] = floor
