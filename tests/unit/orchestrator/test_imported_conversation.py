"""A conversation that was held elsewhere says the same here, under ids of this installation."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from events.base import Context, Draft, Envelope
from events.log.drafts import payload_of, record
from events.question import QuestionAsked
from events.replay.bundled import BadBundle, read_conversation
from orchestrator.api.models import ConversationView
from orchestrator.projections.conversations import fold
from orchestrator.workflow.imported_conversation import imported_conversation
from tests.support import histories

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HERE = f"conversation/{UUID(int=9)}"
WHO = Context(tenant_id=UUID(int=1), correlation_id=UUID(int=2), repository_id=UUID(int=3), user_id=UUID(int=4))
TALK = histories.load("conversation").events
ABOUT = UUID(str(TALK[2].data["analysis_id"]))


def taken_over(history: list[Envelope], analyses: dict[UUID, UUID] | None = None, at: datetime = NOW) -> list[Draft]:
    return imported_conversation(history, HERE, WHO, at, analyses or {})


def shown(drafts: list[Draft]) -> ConversationView:
    found = fold([record(draft, HERE, place) for place, draft in enumerate(drafts, 1)])
    assert found is not None
    return found


def test_it_says_what_it_said_there() -> None:
    there = fold(TALK)
    here = shown(taken_over(TALK))
    assert there is not None

    ids = {"question_id", "conversation_id", "repository_id", "analysis_id", "again"}
    assert [q.model_dump(exclude=ids) for q in here.questions] == [q.model_dump(exclude=ids) for q in there.questions]
    assert (here.title, here.started_at) == (there.title, there.started_at)
    assert here.repository_id == WHO.repository_id
    assert {q.repository_id for q in here.questions} == {WHO.repository_id}


def test_its_ids_are_new_and_the_same_each_time() -> None:
    once = taken_over(TALK)

    assert once == taken_over(TALK)
    theirs = {e.event_id for e in TALK} | {UUID(str(e.data["question_id"])) for e in TALK[1:]} | {ABOUT}
    assert not theirs & ({draft.event_id for draft in once} | {q.question_id for q in shown(once).questions})
    assert ABOUT not in {q.analysis_id for q in shown(once).questions}


def test_it_is_of_whoever_imports_it() -> None:
    for draft in taken_over(TALK):
        assert draft.context.model_copy(update={"causation_id": None}) == WHO


def test_it_is_about_the_analysis_that_came_with_it() -> None:
    analysis = uuid4()
    found = shown(taken_over(TALK, {ABOUT: analysis}))

    assert {q.analysis_id for q in found.questions if q.citations} == {analysis}


def test_attempts_stay_together_with_what_led_to_them() -> None:
    again = TALK[3].model_copy(
        update={
            "data": {**TALK[3].data, "again": TALK[1].data["question_id"]},
            "causation_id": TALK[2].event_id,
        }
    )
    drafts = taken_over([*TALK[:3], again])

    first, second = (draft.event for draft in drafts if isinstance(draft.event, QuestionAsked))
    assert second.again == first.question_id
    assert drafts[3].context.causation_id == drafts[2].event_id
    assert drafts[1].context.causation_id is None


def test_another_model_answers_here_and_nothing_is_of_the_future() -> None:
    asked = TALK[1].model_copy(update={"data": {**TALK[1].data, "model": "theirs"}})
    at = TALK[0].timestamp - timedelta(days=1)
    drafts = taken_over([TALK[0], asked], at=at)

    assert isinstance(drafts[1].event, QuestionAsked)
    assert drafts[1].event.model is None
    assert {draft.occurred_at for draft in drafts} == {at}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.uuids().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_is_changed_in_one_it_is_refused_or_says_something(data: st.DataObject) -> None:
    lines = [json.loads(envelope.model_dump_json()) for envelope in TALK]
    for _ in range(data.draw(st.integers(1, 3))):
        line = data.draw(st.sampled_from(lines))
        within = line["data"] if data.draw(st.booleans()) and isinstance(line["data"], dict) else line
        within[data.draw(st.sampled_from(sorted(within) or ["query"]))] = data.draw(ANYTHING)
    text = "\n".join(json.dumps(line) for line in lines).encode()

    try:
        read = read_conversation(text, UUID(TALK[0].stream_id.partition("/")[2]))
    except BadBundle:
        return
    drafts = taken_over(list(read))
    assert len(drafts) == len(lines)
    assert all(payload_of(draft) for draft in drafts)
    assert len(shown(drafts).questions) == sum(e.event_type == QuestionAsked.event_type for e in TALK)
