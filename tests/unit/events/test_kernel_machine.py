"""A state machine over the kernel's twin: whatever happens in whatever order, each event has its effect once.

The relay is the real one, over the log and the transport in memory. Consumers follow the kernel's rules: inbox row and
effect in one step, acknowledgement after; a crash may come between any two steps.
"""

import asyncio
import copy
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from events.base import Draft, Envelope
from events.catalog import WORKFLOW
from events.log.journal import WrongExpectedVersion
from events.log.memory import MemoryJournal
from events.log.memory_streams import MemoryStreams
from events.log.relay import Place, Relay
from tests.support.kernel import requested

GROUPS = ("first", "second")
RARELY = st.sampled_from([False, False, False, True])  # else nothing would ever get far enough to be disturbed


def do(work: Coroutine[Any, Any, Any]) -> Any:
    """The outcome of a coroutine that never waits for anything outside."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


class Books:
    """What consumers keep in the database: inbox, floors and the effects themselves."""

    def __init__(self) -> None:
        self.inbox: dict[str, set[int]] = {name: set() for name in GROUPS}
        self.floors: dict[str, int] = dict.fromkeys(GROUPS, 0)
        self.effects: dict[str, Counter[int]] = {name: Counter() for name in GROUPS}

    def handle(self, group: str, seq: int) -> None:
        """One transaction."""
        if seq > self.floors[group] and seq not in self.inbox[group]:
            self.inbox[group].add(seq)
            self.effects[group][seq] += 1


class MemoryFeed:
    """`relay.Feed` over the journal in memory."""

    def __init__(self, journal: MemoryJournal, books: Books) -> None:
        self._journal, self._books = journal, books
        self.generation = 1

    async def head(self) -> Place:
        return Place(self.generation, len(await self._journal.read_feed(after=0, limit=10**6)))

    async def behind(self, cursors: Mapping[str, int], batch: int) -> dict[str, list[tuple[int, str]]]:
        return {
            topic: [(envelope.seq or 0, str(envelope.event_id)) for envelope in found]
            for topic, after in cursors.items()
            if (found := self._journal.topic_feed(topic, after=after, limit=batch))
        }

    async def floor(self, topic: str, consumers: Sequence[str]) -> int:
        return min(self._books.floors[name] for name in consumers)

    async def raise_generation(self, generation: int) -> None:
        if self.generation == generation:
            self.generation += 1


class KernelMachine(RuleBasedStateMachine):
    """See the module."""

    @initialize()
    def begin(self) -> None:
        self.journal = MemoryJournal(sequence_at_once=False)
        self.books = Books()
        self.streams = MemoryStreams()
        self.feed = MemoryFeed(self.journal, self.books)
        self.relays = [self._relay(), self._relay()]
        self.accepted: list[Draft] = []
        self.saved: dict[str, Any] = {}
        self.in_hand: list[tuple[str, Place]] = []

    def _relay(self) -> Relay:
        return Relay(self.feed, self.streams, {WORKFLOW: GROUPS})

    @rule(stream=st.integers(0, 2), count=st.integers(1, 3), is_repeated=st.booleans())
    def append(self, stream: int, count: int, is_repeated: bool) -> None:
        drafts = [requested(len(self.accepted) + n) for n in range(count)]
        for _ in range(2 if is_repeated else 1):  # the reply was lost: the caller appends the same again
            do(self.journal.append(f"analysis/{stream}", drafts))
        self.accepted += drafts

    @rule(stream=st.integers(0, 2), lag=st.integers(1, 3))
    def append_on_an_old_version(self, stream: int, lag: int) -> None:
        name = f"analysis/{stream}"
        version = len(do(self.journal.read_stream(name)))
        if version < lag:
            return
        with pytest.raises(WrongExpectedVersion):
            do(self.journal.append(name, [requested()], expected=version - lag))

    @rule(limit=st.integers(1, 5))
    def sequence(self, limit: int) -> None:
        self.journal.sequence(limit)

    @rule(which=st.integers(0, 1), batch=st.integers(1, 4), is_woken=st.booleans())
    def relay(self, which: int, batch: int, is_woken: bool) -> None:
        do(self.relays[which].step(batch=batch, is_woken=is_woken))

    @rule(which=st.integers(0, 1))
    def carry(self, which: int) -> None:
        """What the pump does while nothing disturbs it."""
        self.journal.sequence()
        do(self.relays[which].step())
        do(self.relays[which].step())

    @rule(which=st.integers(0, 1))
    def check_tips(self, which: int) -> None:
        do(self.relays[which].check())

    @rule(which=st.integers(0, 1))
    def crash_relay(self, which: int) -> None:
        self.relays[which] = self._relay()

    @rule(group=st.sampled_from(GROUPS), count=st.integers(1, 4), done=st.integers(0, 4), acked=st.integers(0, 4))
    def consume_and_perhaps_crash(self, group: str, count: int, done: int, acked: int) -> None:
        """Read `count`; commit the first `done`; acknowledge the first `acked` of those; the rest dies pending."""
        try:
            read = self.streams.read(WORKFLOW, group, count)
        except KeyError:
            return  # NOGROUP: the relay will rebuild
        for place, _ in read[:done]:
            self.books.handle(group, place.seq)
        for place, _ in read[: min(done, acked)]:
            self.streams.ack(WORKFLOW, group, place)

    @rule(group=st.sampled_from(GROUPS), is_acked=st.booleans())
    def reclaim(self, group: str, is_acked: bool) -> None:
        try:
            claimed = self.streams.reclaim(WORKFLOW, group)
        except KeyError:
            return
        if claimed is not None:
            self.books.handle(group, claimed[0].seq)
            if is_acked:
                self.streams.ack(WORKFLOW, group, claimed[0])

    @rule(is_real=RARELY)
    def flush(self, is_real: bool) -> None:
        if is_real:
            self.streams.flush()

    @rule()
    def save(self) -> None:
        self.saved = copy.deepcopy(self.streams.streams)

    @rule(is_real=RARELY)
    def roll_back(self, is_real: bool) -> None:
        """Redis comes back as it was a moment ago: a lost second, or a replica that lagged behind."""
        if is_real:
            self.streams.streams = copy.deepcopy(self.saved)

    @rule(group=st.sampled_from(GROUPS))
    def keep_floor(self, group: str) -> None:
        for envelope in self.journal.topic_feed(WORKFLOW, after=self.books.floors[group]):
            if envelope.seq not in self.books.inbox[group]:
                break
            self.books.floors[group] = envelope.seq
        self.books.inbox[group] = {seq for seq in self.books.inbox[group] if seq > self.books.floors[group]}

    @rule()
    def trim(self) -> None:
        self.streams.trim(WORKFLOW, Place(self.feed.generation, min(self.books.floors.values())))

    @rule(group=st.sampled_from(GROUPS), is_real=RARELY)
    def lose_group(self, group: str, is_real: bool) -> None:
        if is_real and WORKFLOW in self.streams.streams:
            self.streams.streams[WORKFLOW].groups.pop(group, None)

    @invariant()
    def nothing_happens_twice(self) -> None:
        for effects in self.books.effects.values():
            assert all(count == 1 for count in effects.values())

    @invariant()
    def the_feed_is_dense_and_ordered(self) -> None:
        feed: list[Envelope] = do(self.journal.read_feed(after=0, limit=10**6))
        assert [envelope.seq for envelope in feed] == list(range(1, len(feed) + 1))
        for stream in self.journal.streams:
            versions = [envelope.version for envelope in feed if envelope.stream_id == stream]
            assert versions == list(range(1, len(versions) + 1))

    @invariant()
    def the_stream_is_a_piece_of_the_feed(self) -> None:
        stream = self.streams.streams.get(WORKFLOW)
        if stream is None or not stream.entries:
            return
        places = list(stream.entries)
        feed = [envelope.seq for envelope in self.journal.topic_feed(WORKFLOW, after=places[0].seq - 1)]
        assert [place.seq for place in places] == feed[: len(places)]

    def teardown(self) -> None:
        """The storm is over: everything that was accepted must come to its effect."""
        if not hasattr(self, "journal"):
            return
        self.journal.sequence()
        relay = self._relay()
        for _ in range(3):
            do(relay.check())
            do(relay.step())
        for group in GROUPS:
            while read := self.streams.read(WORKFLOW, group, 100):
                for place, _ in read:
                    self.books.handle(group, place.seq)
                    self.streams.ack(WORKFLOW, group, place)
            while (claimed := self.streams.reclaim(WORKFLOW, group)) is not None:
                self.books.handle(group, claimed[0].seq)
                self.streams.ack(WORKFLOW, group, claimed[0])
            assert len(self.books.effects[group]) == len(self.accepted), "an accepted event was lost"
        self.nothing_happens_twice()


class WithoutInbox(KernelMachine):
    """A mutant: redelivered means done again."""

    def begin_without(self) -> None:
        books = self.books

        def handle(group: str, seq: int) -> None:
            books.inbox[group].add(seq)
            books.effects[group][seq] += 1

        books.handle = handle  # type: ignore[method-assign]

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.begin_without()


class RebuiltAtTheHead(KernelMachine):
    """A mutant: a lost stream begins again at “now”, as a group does that a consumer creates for itself."""

    @initialize()
    def begin(self) -> None:
        super().begin()

        async def floor(_topic: str, _consumers: Sequence[str]) -> int:
            return (await self.feed.head()).seq

        self.feed.floor = floor  # type: ignore[method-assign]


SETTINGS = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    report_multiple_bugs=False,
)


def test_whatever_happens_in_whatever_order_each_event_has_its_effect_once() -> None:
    run_state_machine_as_test(KernelMachine, settings=SETTINGS)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("mutant", [WithoutInbox, RebuiltAtTheHead])
def test_the_machine_catches_a_kernel_that_forgets_a_rule(mutant: type[KernelMachine]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(mutant, settings=settings(SETTINGS, phases=[Phase.generate]))  # type: ignore[no-untyped-call]
