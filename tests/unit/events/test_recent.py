"""The end of the feed is read once for all who follow it, and nobody misses, doubles or reorders anything."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.base import Envelope
from events.log.memory import MemoryJournal
from events.log.recent import FollowedJournal, UnhurriedJournal
from tests.support.kernel import cancel_requested


class CountedJournal(MemoryJournal):
    """Counts how often its feed is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.found: asyncio.Event | None = None
        self.go_on: asyncio.Event | None = None

    async def read_feed(self, *, after: int, limit: int) -> list[Envelope]:
        self.reads += 1
        await asyncio.sleep(0)
        envelopes = await super().read_feed(after=after, limit=limit)
        if self.found is not None and self.go_on is not None:
            self.found.set()
            await self.go_on.wait()
        return envelopes

    async def grow(self, events: int) -> None:
        await self.append("analysis/x", [cancel_requested() for _ in range(events)])


def seqs(envelopes: Sequence[Envelope]) -> list[int | None]:
    return [envelope.seq for envelope in envelopes]


async def test_those_who_come_while_the_end_is_read_share_the_next_read() -> None:
    journal = CountedJournal()
    followed = FollowedJournal(journal)
    await journal.grow(3)

    found = await asyncio.gather(*(followed.read_feed(after=0, limit=500) for _ in range(5)))

    assert [seqs(each) for each in found] == [[1, 2, 3]] * 5
    assert journal.reads == 2


async def test_what_is_there_when_it_is_asked_for_is_found_though_a_read_began_before() -> None:
    journal = CountedJournal()
    followed = FollowedJournal(journal)
    await journal.grow(2)
    journal.found, journal.go_on = asyncio.Event(), asyncio.Event()  # the first read has looked, and comes back late
    first = asyncio.create_task(followed.read_feed(after=0, limit=500))
    await journal.found.wait()

    await journal.grow(1)
    late = [asyncio.create_task(followed.read_feed(after=0, limit=500)) for _ in range(3)]
    await asyncio.sleep(0)
    journal.go_on.set()

    assert seqs(await first) == [1, 2]
    assert [seqs(await each) for each in late] == [[1, 2, 3]] * 3
    assert journal.reads == 2


async def test_nobody_takes_a_part_that_another_read_for_the_end() -> None:
    journal = CountedJournal()
    followed = FollowedJournal(journal)
    await journal.grow(9)

    found = await asyncio.gather(*(followed.read_feed(after=0, limit=limit) for limit in (2, 2, 500)))

    assert [len(each) for each in found] == [2, 2, 9]


async def test_what_was_read_is_forgotten_after_a_moment() -> None:
    journal, now = CountedJournal(), [100.0]
    followed = FollowedJournal(journal, seconds=1.0, clock=lambda: now[0])
    await journal.grow(2)
    await followed.read_feed(after=0, limit=500)
    now[0] += 1.1

    assert seqs(await followed.read_feed(after=0, limit=500)) == [1, 2]
    assert journal.reads == 2


@pytest.mark.parametrize("most", [1, 3, 100])
@given(
    steps=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(1, 5), st.floats(0, 0.7)), max_size=40)
)
def test_every_follower_gets_every_event_once_in_order(most: int, steps: list[tuple[int, int, int, float]]) -> None:
    """Followers of any pace and batch, while the feed grows and time passes."""

    async def follow() -> None:
        journal, now = CountedJournal(), [0.0]
        followed = FollowedJournal(journal, seconds=1.0, most=most, clock=lambda: now[0])
        had: list[list[int | None]] = [[], [], []]
        for grown, who, limit, passed in steps:
            now[0] += passed
            if grown:
                await journal.grow(grown)
            had[who] += seqs(await followed.read_feed(after=len(had[who]), limit=limit))
        for who in range(3):
            while found := await followed.read_feed(after=len(had[who]), limit=3):
                had[who] += seqs(found)
        assert had == [list(range(1, sum(step[0] for step in steps) + 1))] * 3

    asyncio.run(follow())


@given(
    many=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(1, 4)), min_size=2, max_size=30),
    most=st.integers(1, 6),
)
def test_followers_side_by_side_get_all_that_was_there_when_they_asked(
    many: list[tuple[int, int, int]], most: int
) -> None:
    """Each read: how much the feed grows before it, how far behind the end it begins, and its limit."""

    async def read(followed: FollowedJournal, journal: CountedJournal, behind: int, limit: int) -> None:
        end = len(await MemoryJournal.read_feed(journal, after=0, limit=1_000))
        after = max(0, end - behind)
        found = seqs(await followed.read_feed(after=after, limit=limit))
        assert found == list(range(after + 1, after + 1 + len(found)))
        assert min(limit, end - after) <= len(found) <= limit

    async def all_at_once() -> None:
        journal = CountedJournal()
        followed = FollowedJournal(journal, most=most)
        reading = []
        for grown, behind, limit in many:
            if grown:
                await journal.grow(grown)
            reading.append(asyncio.create_task(read(followed, journal, behind, limit)))
            await asyncio.sleep(0)
        await asyncio.gather(*reading)

    asyncio.run(all_at_once())


async def test_who_asks_again_until_there_is_nothing_is_given_what_is_in_memory_without_a_look() -> None:
    journal = CountedJournal()
    followed = FollowedJournal(journal)
    unhurried = UnhurriedJournal(followed)
    await journal.grow(3)
    await followed.read_feed(after=0, limit=500)
    await journal.grow(1)

    found = [seqs(await unhurried.read_feed(after=after, limit=2)) for after in (0, 2)]

    assert (found, journal.reads) == ([[1, 2], [3]], 1)
    assert seqs(await unhurried.read_feed(after=3, limit=2)) == [4]
    assert await unhurried.read_feed(after=4, limit=2) == []
    assert journal.reads == 3
