"""What every `Journal` does. A test module subclasses this and gives the fixture `journal`."""

from uuid import uuid4

import pytest

from events.account import SignedIn
from events.log.journal import Journal, WrongExpectedVersion
from tests.support.kernel import AT, a_draft, cancel_requested, recorded, requested


class JournalBehaviour:
    async def settle(self) -> None:
        """Give everything that was appended its place in the feed."""

    async def test_append_numbers_versions_from_one_without_gaps(self, journal: Journal) -> None:
        first = await journal.append("analysis/a", [requested(1), requested(2)], expected=0)
        second = await journal.append("analysis/a", [requested(3)], expected=2)

        assert [e.version for e in [*first, *second]] == [1, 2, 3]
        assert [e.version for e in await journal.read_stream("analysis/a")] == [1, 2, 3]

    async def test_what_is_read_is_what_was_appended(self, journal: Journal) -> None:
        draft = a_draft(SignedIn(login="café\u2028\U0001f600'\"\\", provider="github"), stage="parse")

        [appended] = await journal.append("account/a", [draft])
        [read] = await journal.read_stream("account/a")

        assert recorded(read) == recorded(appended)
        assert (read.event_id, read.event_type, read.timestamp, read.stage) == (
            draft.event_id,
            "account.signed_in",
            AT,
            "parse",
        )
        assert read.data == {"login": "café\u2028\U0001f600'\"\\", "provider": "github"}
        assert (read.tenant_id, read.correlation_id) == (draft.context.tenant_id, draft.context.correlation_id)

    async def test_a_wrong_expected_version_changes_nothing(self, journal: Journal) -> None:
        await journal.append("analysis/a", [requested(1)], expected=0)

        for expected in (0, 2, 7):
            with pytest.raises(WrongExpectedVersion) as raised:
                await journal.append("analysis/a", [requested(2)], expected=expected)
            assert raised.value.actual == 1
        with pytest.raises(WrongExpectedVersion):
            await journal.append("analysis/none", [requested(2)], expected=1)

        assert len(await journal.read_stream("analysis/a")) == 1
        assert await journal.read_stream("analysis/none") == []

    async def test_appending_without_an_expected_version_goes_after_whatever_is_there(self, journal: Journal) -> None:
        await journal.append("analysis/a", [requested(1)])
        [second] = await journal.append("analysis/a", [requested(2)])

        assert second.version == 2

    async def test_appending_the_same_event_again_returns_what_was_recorded(self, journal: Journal) -> None:
        draft = requested(1)
        [first] = await journal.append("analysis/a", [draft], expected=0)
        await journal.append("analysis/a", [cancel_requested()])

        [again] = await journal.append("analysis/a", [draft], expected=0)

        assert recorded(again) == recorded(first)
        assert len(await journal.read_stream("analysis/a")) == 2

    async def test_a_half_known_append_adds_only_what_is_new(self, journal: Journal) -> None:
        known, new = requested(1), requested(2)
        await journal.append("analysis/a", [known])

        both = await journal.append("analysis/a", [known, new], expected=1)

        assert [(e.event_id, e.version) for e in both] == [(known.event_id, 1), (new.event_id, 2)]

    async def test_an_event_id_belongs_to_one_stream(self, journal: Journal) -> None:
        draft = requested(1)
        await journal.append("analysis/a", [draft])

        with pytest.raises(ValueError, match="another stream"):
            await journal.append("analysis/b", [draft])
        with pytest.raises(ValueError, match="twice"):
            await journal.append("analysis/b", [new := requested(2), new])
        assert await journal.read_stream("analysis/b") == []

    async def test_a_nul_character_is_refused_before_anything_is_stored(self, journal: Journal) -> None:
        with pytest.raises(ValueError, match="NUL"):
            await journal.append("analysis/a", [requested(1), cancel_requested("a\0b")])

        assert await journal.read_stream("analysis/a") == []

    async def test_a_stream_is_read_in_pages(self, journal: Journal) -> None:
        await journal.append("analysis/a", [requested(n) for n in range(5)])

        page = await journal.read_stream("analysis/a", after=2, limit=2)

        assert [e.version for e in page] == [3, 4]
        assert await journal.read_stream("analysis/a", after=5) == []

    async def test_the_feed_is_dense_and_keeps_the_order_of_each_stream(self, journal: Journal) -> None:
        for number in range(4):
            await journal.append(f"analysis/{number % 2}", [requested(number), cancel_requested()])
        await self.settle()

        feed = await journal.read_feed(after=0, limit=100)

        assert [e.seq for e in feed] == list(range(1, 9))
        for stream in ("analysis/0", "analysis/1"):
            assert [e.version for e in feed if e.stream_id == stream] == [1, 2, 3, 4]
        assert [e.seq for e in await journal.read_feed(after=3, limit=2)] == [4, 5]

    async def test_appending_nothing_is_nothing(self, journal: Journal) -> None:
        assert await journal.append(f"analysis/{uuid4()}", [], expected=0) == []
