"""Streams as they were: any version, any moment, the same from a kept state as from the beginning."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from events.base import LOCAL_TENANT, Context, Draft, Envelope, Event, derived_id
from events.conversation import ConversationStarted
from events.index import GenerationKind, IndexActivated, IndexBuilt
from events.log.memory import MemoryJournal
from events.processing import ProcessingRequested, Stage, StageCompleted, StageRequested, StageStarted
from events.question import AnswerRated, QuestionAsked
from events.replay.history import fold
from events.repository import RepositoryDeleted, RepositoryRegistered
from orchestrator.adapters.inspection import At, Inspection, Look
from orchestrator.adapters.journals import Journals
from orchestrator.adapters.repository_pasts import MOST, RepositoryPasts
from orchestrator.adapters.snapshots import EVERY
from orchestrator.api.inspecting import causes_of
from orchestrator.api.inspecting_models import ElsewhereView
from orchestrator.projections.pasts import fold_of
from tests.support.kernel import AT

ANALYSIS, REPOSITORY, QUESTION, GENERATION = (UUID(int=n) for n in (1, 2, 3, 4))
STREAM = f"analysis/{ANALYSIS}"


class Counting:
    """The journals of one tenant, over memory; counts the events and the kept states that were read."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.read = self.unpacked = 0
        self.gone: set[str] = set()
        self.left_out: set[int] = set()
        self.analyses = [STREAM]
        self.keeps = True

    def of(self, _tenant: UUID) -> "Counting":
        return self

    async def read_stream(self, stream_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        found = [] if stream_id in self.gone else await self.journal.read_stream(stream_id, after=after)
        found = [one for one in found if one.version not in self.left_out][:limit]
        self.read += len(found)
        return found

    async def streams_of(self, _tenant: UUID, _repository: UUID, most: int) -> tuple[dict[str, int], int]:
        """The analyses whose streams have something, the newest first."""
        found = {name: len(await self.journal.read_stream(name)) for name in reversed(self.analyses)}
        there = {name: version for name, version in found.items() if version and name not in self.gone}
        return dict(list(there.items())[:most]), len(there)

    async def newest(self, _tenant: UUID, stream_id: str) -> int:
        """As `Pasts.newest`."""
        return len(await self.journal.read_stream(stream_id))

    async def version_at(self, _tenant: UUID, stream_id: str, moment: datetime) -> int:
        """As `Pasts.version_at`."""
        history = await self.journal.read_stream(stream_id)
        return next((one.version - 1 for one in history if one.timestamp > moment), len(history))

    async def before(self, _tenant: UUID, stream_id: str, version: int) -> tuple[int, Any] | None:
        """As `Pasts.before`: the states are those of every so many events, where they are kept."""
        how, at = fold_of(stream_id), version // EVERY * EVERY
        if not self.keeps or not at:
            return None
        self.unpacked += 1
        return at, fold(await self.journal.read_stream(stream_id, limit=at), how.evolve, how.initial())

    async def say(self, stream_id: str, events: Sequence[Event]) -> None:
        context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4(), repository_id=REPOSITORY)
        begun = len(await self.journal.read_stream(stream_id))
        drafts = [
            Draft(event_id=uuid4(), occurred_at=AT + timedelta(seconds=begun + n), context=context, event=event)
            for n, event in enumerate(events)
        ]
        await self.journal.append(stream_id, drafts)


def _analysis(shards: int) -> list[Event]:
    events: list[Event] = [ProcessingRequested(analysis_id=ANALYSIS, url="https://example.org/a/b", ref="main")]
    for shard in range(shards):
        key: dict[str, Any] = {"run_id": derived_id(shard), "stage": Stage.PARSE, "shard": shard, "attempt": 1}
        events += [
            StageRequested(**key, shards=shards, analysis_id=ANALYSIS, url="https://example.org/a/b"),
            StageStarted(**key, worker="w"),
            StageCompleted(**key, shards=shards, duration=1.0, files_processed=shard, counts={"parsed": 1}),
        ]
    common: dict[str, Any] = {"analysis_id": ANALYSIS, "generation_id": GENERATION, "chunks": 9}
    built = IndexBuilt(**common, kind=GenerationKind.QUICK, model="m", dimension=3)
    return [*events, built, IndexActivated(**common, kind=GenerationKind.QUICK)]


@pytest.fixture
async def log() -> Counting:
    log = Counting()
    await log.say(STREAM, _analysis(400))
    return log


def _inspection(log: Counting) -> Inspection:
    return Inspection(cast("Journals", log), RepositoryPasts(log.streams_of), log)


async def _look(inspection: Inspection, stream_id: str = STREAM, **at: Any) -> Look:
    found = await inspection.look(LOCAL_TENANT, stream_id, At(**at))
    assert found is not None
    return found


@pytest.mark.parametrize("keeps", [True, False])
async def test_every_point_is_what_the_events_until_there_add_up_to(log: Counting, keeps: bool) -> None:
    log.keeps = keeps
    inspection, how = _inspection(log), fold_of(STREAM)
    history = await log.journal.read_stream(STREAM)
    state, plain = how.initial(), [how.shown(how.initial())]
    for envelope in history:
        state = how.evolve(state, envelope)
        if envelope.version in {1, 2, 499, 500, 501, 1_000, 1_001, 1_202, 1_203}:
            plain.append(how.shown(state))

    seen = [(await _look(inspection, version=at)).after for at in (0, 1, 2, 499, 500, 501, 1_000, 1_001, 1_202, 1_203)]
    assert seen == plain
    assert seen[-1]["index"]["searched"] == str(GENERATION)
    assert seen[-1]["index"]["generations"][str(GENERATION)]["activated_in"] == 1_203
    assert seen[-2]["index"]["searched"] is None


async def test_a_look_says_which_event_it_was_and_compares_with_the_one_before_or_with_any(log: Counting) -> None:
    inspection = _inspection(log)
    third, newest = await _look(inspection, version=3), await _look(inspection)

    assert (third.newest, third.version, third.against) == (1_203, 3, 2)
    assert third.envelope is not None
    assert (third.envelope.version, third.envelope.event_type) == (3, "processing.stage.started")
    assert third.before["stages"]["parse"]["runs"]["0"]["state"] == "queued"
    assert third.after["stages"]["parse"]["runs"]["0"]["state"] == "running"
    assert (newest.version, newest.against) == (1_203, 1_202)
    back = await _look(inspection, version=3, against=1_203)
    assert (back.before, back.after) == (newest.after, third.after)
    assert (await _look(inspection, version=9_999_999_999)).version == 1_203
    beginning = await _look(inspection, version=0)
    assert (beginning.version, beginning.envelope, beginning.after) == (0, None, {})


async def test_a_time_means_what_had_happened_by_then(log: Counting) -> None:
    inspection = _inspection(log)
    points = [timedelta(seconds=-1), timedelta(0), timedelta(seconds=501.5), timedelta(days=1)]

    assert [(await _look(inspection, moment=AT + after)).version for after in points] == [0, 1, 502, 1_203]


async def test_a_look_reads_from_the_nearest_kept_states_on_and_new_events_are_seen(log: Counting) -> None:
    inspection = _inspection(log)
    for version, against, few in ((1_150, None, 152), (1_150, 5, 157), (1_000, 999, 502)):
        log.read = log.unpacked = 0
        await _look(inspection, version=version, against=against)
        assert (log.read, log.unpacked) == (few, 1)  # from one state on, and no second one beside it
    await log.say(STREAM, [StageStarted(run_id=uuid4(), stage=Stage.EMBED, shard=0, attempt=1, worker="w")])

    assert (await _look(inspection)).newest == 1_204


@pytest.mark.parametrize("against", [450, 650])
async def test_each_event_counts_once_where_the_journal_leaves_some_out(log: Counting, against: int) -> None:
    stream = "account/1"
    await log.say(stream, [AnswerRated(question_id=QUESTION, rating=1)] * 1_200)
    log.left_out = set(range(100, 200))  # of somebody who is gone

    found = await _look(_inspection(log), stream, version=1_150, against=against)

    counted = [state["times"]["ai.answer.rated"] for state in (found.before, found.after)]
    assert counted == [against - 100, 1_050]


async def test_what_was_deleted_is_not_shown_though_states_of_it_are_kept(log: Counting) -> None:
    inspection = _inspection(log)
    await _look(inspection, version=1_000)
    log.gone.add(STREAM)
    assert await inspection.look(LOCAL_TENANT, STREAM, At(version=1_000)) is None
    log.gone.clear()
    assert await inspection.look(LOCAL_TENANT, "analysis/none", At()) is None
    assert await inspection.look(uuid4(), STREAM, At()) is None


async def test_conversations_repositories_and_all_else_have_their_past_too() -> None:
    log = Counting()
    asked = QuestionAsked(question_id=QUESTION, repository_id=REPOSITORY, query="Why?")
    started = ConversationStarted(repository_id=REPOSITORY, title="a/b")
    await log.say(f"conversation/{uuid4()}", [started])
    conversation, repository = f"conversation/{ANALYSIS}", f"repository/{REPOSITORY}"
    await log.say(conversation, [started, asked, AnswerRated(question_id=QUESTION, rating=1)])
    registered = RepositoryRegistered(url="https://example.org/a/b", host="example.org", name="a/b")
    await log.say(repository, [registered, RepositoryDeleted()])
    await log.say("account/1", [AnswerRated(question_id=QUESTION, rating=1)] * 2)
    inspection = _inspection(log)

    talk = await _look(inspection, conversation)
    assert talk.before["questions"][str(QUESTION)]["rating"] is None
    assert talk.after["questions"][str(QUESTION)]["rating"] == 1
    gone = await _look(inspection, repository)
    assert (gone.before["deleted_at"], gone.after["name"]) == (None, "a/b")
    assert gone.after["deleted_at"] is not None
    said = await _look(inspection, "account/1")
    assert said.after["times"] == {"ai.answer.rated": 2}


async def test_a_repository_comes_with_its_analyses_as_they_were(log: Counting) -> None:
    stream = f"repository/{REPOSITORY}"
    await log.say(stream, [RepositoryRegistered(url="https://example.org/a/b", host="example.org", name="a/b")])
    later = f"analysis/{UUID(int=9)}"
    await log.say(later, [ProcessingRequested(analysis_id=UUID(int=9), url="https://example.org/a/b", ref="next")])
    log.analyses.append(later)
    inspection = _inspection(log)

    now = await _look(inspection, stream)
    assert (now.newest, now.version, now.against, now.before) == (1, 1, 0, {})
    assert list(now.after["analyses"]) == [str(UUID(int=9)), str(ANALYSIS)]
    assert now.after["analyses"][str(ANALYSIS)]["index"] == {"kind": "quick", "model": None, "chunks": 9}
    assert (await _look(inspection, stream, version=1)).after == now.after
    log.read = 0
    moment = AT + timedelta(seconds=1_000)
    then = await _look(inspection, stream, moment=moment, against_moment=AT - timedelta(seconds=1))
    assert log.read == 1  # its own event: the analyses are remembered
    assert (then.version, then.against, then.before) == (1, 0, {})
    there = then.after["analyses"][str(ANALYSIS)]
    assert (there["state"], there["index"]) == ("running", None)
    found = await inspection.moments(LOCAL_TENANT, stream)
    assert found is not None
    assert found[1] == 0
    assert [(name, step.event_type) for name, step in found[0]][:2] == [
        ("", "repository.registered"),
        (str(ANALYSIS), "repository.processing.requested"),
    ]
    log.gone.add(STREAM)
    assert list((await _look(inspection, stream)).after["analyses"]) == [str(UUID(int=9))]
    log.gone.add(stream)
    assert await inspection.look(LOCAL_TENANT, stream, At()) is None
    assert await inspection.moments(LOCAL_TENANT, stream) is None
    assert await inspection.moments(uuid4(), later) is None


async def test_of_a_repository_with_many_analyses_the_newest_are_shown_and_the_rest_counted() -> None:
    log, stream = Counting(), f"repository/{REPOSITORY}"
    await log.say(stream, [RepositoryRegistered(url="https://example.org/a/b", host="example.org", name="a/b")])
    log.analyses = [f"analysis/{UUID(int=100 + n)}" for n in range(MOST + 7)]
    for n, name in enumerate(log.analyses):
        await log.say(name, [ProcessingRequested(analysis_id=UUID(int=100 + n), url="https://example.org/a/b")])
    found = await _look(_inspection(log), stream)

    assert (len(found.after["analyses"]), found.after["analyses_left_out"]) == (MOST, 7)
    assert next(iter(found.after["analyses"])) == str(UUID(int=100 + MOST + 6))


async def test_causes_in_other_streams_are_named_where_they_are_known() -> None:
    log, stream = Counting(), f"conversation/{ANALYSIS}"
    asked = QuestionAsked(question_id=QUESTION, repository_id=REPOSITORY, query="Why?", analysis_id=ANALYSIS)
    await log.say(stream, [ConversationStarted(repository_id=REPOSITORY, title="a/b"), asked])
    history = await log.journal.read_stream(stream)
    outside, gone = uuid4(), uuid4()
    history = [one.model_copy(update={"causation_id": id_}) for one, id_ in zip(history, (outside, gone), strict=True)]
    there = ElsewhereView(stream_id="repository/a", version=7, event_type="x")

    first, second = causes_of(stream, history, {outside: there}, {history[1].event_id: [there]}).items

    assert (first.from_outside, first.elsewhere, first.about) == (True, there, None)
    assert (second.from_outside, second.elsewhere, second.about) == (True, None, STREAM)
    assert (first.led_to, second.led_to) == ([], [there])
    analysis = Counting()
    await analysis.say(STREAM, _analysis(1))
    assert {one.about for one in causes_of(STREAM, await analysis.journal.read_stream(STREAM)).items} == {None}


def test_an_event_that_cannot_be_read_is_named_and_the_rest_goes_on() -> None:
    how, state = fold_of(STREAM), fold_of(STREAM).initial()
    broken = Envelope(
        event_id=uuid4(),
        event_type="processing.stage.started",
        stream_id=STREAM,
        version=2,
        tenant_id=LOCAL_TENANT,
        repository_id=REPOSITORY,
        correlation_id=uuid4(),
        timestamp=AT,
        data={"stage": "asleep"},
    )
    asked = ProcessingRequested(analysis_id=ANALYSIS, url="https://example.org/a/b").model_dump(mode="json")
    first = broken.model_copy(update={"version": 1, "event_type": "repository.processing.requested", "data": asked})
    for envelope in (first, broken):
        state = how.evolve(state, envelope)

    assert how.shown(state)["passed_over"] == [2]
    assert how.shown(state)["state"] == "requested"
