"""The end of the feed is read once for all who follow it, and nobody misses, doubles or reorders anything."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.base import Envelope
from events.log.memory import MemoryJournal
from events.log.recent import FollowedJournal
from tests.support.kernel import cancel_requested


class CountedJournal(MemoryJournal):
    """Counts how often its feed is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def read_feed(self, *, after: int, limit: int) -> list[Envelope]:
        self.reads += 1
        await asyncio.sleep(0)
        return await super().read_feed(after=after, limit=limit)

    async def grow(self, events: int) -> None:
        await self.append("analysis/x", [cancel_requested() for _ in range(events)])


def seqs(envelopes: Sequence[Envelope]) -> list[int | None]:
    return [envelope.seq for envelope in envelopes]


async def test_who_comes_while_the_end_is_read_gets_the_same() -> None:
    journal = CountedJournal()
    followed = FollowedJournal(journal)
    await journal.grow(3)

    found = await asyncio.gather(*(followed.read_feed(after=0, limit=500) for _ in range(4)))

    assert [seqs(each) for each in found] == [[1, 2, 3]] * 4
    assert journal.reads == 1


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
