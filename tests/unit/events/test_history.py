import pytest

from events.base import Envelope, caused_by
from events.log.memory import MemoryJournal
from events.processing import CancelRequested
from events.replay.causation import causes
from events.replay.history import fold, moments
from tests.support.kernel import AT, cancel_requested, requested


def _told(state: tuple[str, ...], envelope: Envelope) -> tuple[str, ...]:
    return (*state, envelope.event_type.rsplit(".", 1)[1])


@pytest.fixture
async def journal() -> MemoryJournal:
    journal = MemoryJournal()
    await journal.append("analysis/a", [requested(1), cancel_requested(), requested(2)])
    return journal


async def test_a_stream_can_be_seen_as_it_was_at_any_version(journal: MemoryJournal) -> None:
    envelopes = await journal.read_stream("analysis/a")

    seen = [fold(envelopes, _told, (), to=version) for version in (0, 1, 2)]

    assert seen == [(), ("requested",), ("requested", "cancel_requested")]
    assert fold(envelopes, _told, ()) == ("requested", "cancel_requested", "requested")
    assert fold([], _told, ()) == ()


async def test_each_moment_is_an_event_and_the_state_after_it(journal: MemoryJournal) -> None:
    envelopes = await journal.read_stream("analysis/a")

    assert [(moment.envelope.version, len(moment.state)) for moment in moments(envelopes, _told, ())] == [
        (1, 1),
        (2, 2),
        (3, 3),
    ]
    assert fold(envelopes, _told, (), to=2) == ("requested", "cancel_requested")


async def test_nothing_after_the_version_is_folded_where_states_change_in_place(
    journal: MemoryJournal,
) -> None:
    def note(state: list[int], envelope: Envelope) -> list[int]:
        state.append(envelope.version)
        return state

    assert fold(await journal.read_stream("analysis/a"), note, [], to=2) == [1, 2]


async def test_the_causes_of_an_event_lead_back_to_its_beginning(journal: MemoryJournal) -> None:
    first = (await journal.read_stream("analysis/a"))[0]
    [second] = await journal.append("b/1", [caused_by(first, "b/1", CancelRequested(), ordinal=0, at=AT)])
    [third] = await journal.append("c/1", [caused_by(second, "c/1", CancelRequested(), ordinal=0, at=AT)])
    feed = await journal.read_feed(after=0, limit=100)

    assert [envelope.event_id for envelope in causes(feed, third.event_id)] == [
        first.event_id,
        second.event_id,
        third.event_id,
    ]
    assert causes(feed, "unknown") == []
