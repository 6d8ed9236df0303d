"""Of generations of another model, a few at a time are said to be embedded anew, each once."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from events.base import LOCAL_TENANT
from events.log.memory import MemoryJournal
from rag_manager.embedding_anew import AT_ONCE, EmbeddingAnew
from rag_manager.going_back import Models
from rag_manager.rows import choosing
from rag_manager.rows.choosing import OfAnother


@dataclass
class Serving:
    """What serves, of which models, and what time it is."""

    others: list[OfAnother] = field(default_factory=list)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    engine: object = None

    async def forget_choices(self, _engine: object, wanted: str) -> None:
        """Whose choices these are no test of this file asks."""

    async def of_other_models(self, _engine: object, wanted: str) -> list[OfAnother]:
        return [one for one in self.others if one.model != wanted]


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Serving:
    made_at = datetime(2025, 1, 1, tzinfo=UTC)
    ids = [UUID(int=n) for n in range(1, 11)]
    made = Serving([OfAnother(LOCAL_TENANT, one, one, one, "old", made_at) for one in ids])
    for name in ("forget_choices", "of_other_models"):
        monkeypatch.setattr(choosing, name, getattr(made, name))
    return made


def a_round(serving: Serving, journal: MemoryJournal, wanted: str = "new", *asked: str) -> EmbeddingAnew:
    backends: Any = serving  # nothing but its engine is asked for
    return EmbeddingAnew(backends, journal, Models(wanted, asked.__contains__), clock=lambda: serving.now)


async def test_the_next_ones_wait_until_others_came_through(serving: Serving) -> None:
    said = a_round(serving, MemoryJournal())

    assert await said() == serving.others[:AT_ONCE]
    assert await said() == []
    del serving.others[1:3]  # a generation of the wanted model serves there
    assert await said() == serving.others[2:4]


async def test_those_that_got_stuck_keep_the_others_waiting_for_an_hour(serving: Serving) -> None:
    said = a_round(serving, MemoryJournal())
    await said()

    serving.now += timedelta(seconds=3_599)
    assert await said() == []
    serving.now += timedelta(seconds=1)
    assert await said() == serving.others[AT_ONCE : 2 * AT_ONCE]


async def test_those_that_got_stuck_keep_nobody_waiting_again_after_a_restart(serving: Serving) -> None:
    journal = MemoryJournal()
    await a_round(serving, journal)()
    serving.now += timedelta(hours=2)

    assert await a_round(serving, journal)() == serving.others[: 2 * AT_ONCE]

    events = await journal.read_feed(after=0, limit=100)
    assert len(events) == 2 * AT_ONCE, "of those that got stuck it is not said twice"


async def test_those_at_work_keep_the_others_waiting_after_a_restart_too(serving: Serving) -> None:
    journal = MemoryJournal()
    await a_round(serving, journal)()
    serving.now += timedelta(minutes=30)

    assert await a_round(serving, journal)() == serving.others[:AT_ONCE]


async def test_two_processes_and_a_restart_say_it_once(serving: Serving) -> None:
    journal = MemoryJournal()

    for _ in range(3):
        await a_round(serving, journal)()

    [event] = await journal.read_stream(f"analysis/{serving.others[0].analysis_id}")
    assert (event.data["model"], event.data["wanted"]) == ("old", "new")
    assert (event.tenant_id, event.repository_id) == (LOCAL_TENANT, serving.others[0].repository_id)


async def test_of_one_that_came_to_serve_once_more_it_is_said_once_more(serving: Serving) -> None:
    journal, [one, *_] = MemoryJournal(), serving.others
    said = a_round(serving, journal)
    serving.others = [one]
    await said()
    back = replace(one, moved_at=serving.now)
    serving.others = [back]

    assert await said() == [back]
    assert await said() == []
    assert len(await journal.read_stream(f"analysis/{one.analysis_id}")) == 2


async def test_what_was_chosen_stays_while_its_questions_can_be_embedded(serving: Serving) -> None:
    journal, [one, *_] = MemoryJournal(), serving.others
    serving.others = [replace(one, chosen=True)]

    assert await a_round(serving, journal, "new", "old")() == []
    assert await a_round(serving, journal, "new", "another")() == serving.others


async def test_of_the_model_that_is_wanted_nothing_is_said(serving: Serving) -> None:
    assert await a_round(serving, MemoryJournal(), wanted="old")() == []
