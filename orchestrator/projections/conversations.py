"""Conversations and questions as people see them, folded from their stream. Pure."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from events.base import Envelope
from events.catalog import decode
from events.conversation import ConversationStarted
from events.question import AnswerRated, QuestionAnswered, QuestionAsked, QuestionFailed, QuestionStopped, StepTaken
from orchestrator.api.answer_models import StepView
from orchestrator.api.models import ConversationView, QuestionView

PREFIX = "conversation/"
STOPPED = "answer_stopped"  # the code of a question that somebody stopped
_STOPPED = "Somebody stopped this answer; ask again for another."
_TAKEN = {"input_tokens", "output_tokens", "cost_usd", "is_estimated"}


def conversation_id_of(stream_id: str) -> UUID:
    """The id in a conversation's stream id."""
    return UUID(stream_id.removeprefix(PREFIX))


def fold(history: Iterable[Envelope]) -> ConversationView | None:
    """The conversation that a stream adds up to, its questions in the order they were asked; None for an empty one."""
    conversation: ConversationView | None = None
    questions: dict[UUID, QuestionView] = {}
    version = 0
    for envelope in history:
        version = envelope.version or version
        if envelope.event_type == ConversationStarted.event_type:
            conversation = started(envelope)
            continue
        question = apply(questions, envelope)
        if question is not None:
            questions[question.question_id] = question
    newest = {"version": version, "questions": list(questions.values())}
    return None if conversation is None else conversation.model_copy(update=newest)


def has_words(conversation: ConversationView, words: str) -> bool:
    """Whether a question with its answer has all the `words`, case aside; any conversation has none of them."""
    wanted = words.casefold().split()
    said = (f"{question.query} {question.answer or ''}".casefold() for question in conversation.questions)
    return not wanted or any(all(word in each for word in wanted) for each in said)


def first_attempt(question: QuestionView) -> UUID:
    """The id that all attempts at one question share: its first one's."""
    return question.again or question.question_id


def tokens_of(question: QuestionView) -> int | None:
    """What a question that ended counts for: what its calls took, also where it was stopped or failed.

    Of one in steps, what they took is known also where no answer came of them. None for one that was stopped, until its
    worker said what it took.
    """
    told = question.input_tokens + question.output_tokens
    stepped = sum(step.input_tokens + step.output_tokens for step in question.steps)
    return None if question.code == STOPPED and not told else max(told, stepped)


def cost_of(question: QuestionView) -> float | None:
    """The dollars that a question took, as far as anybody knows; None where no price is configured."""
    stepped = [step.cost_usd for step in question.steps if step.cost_usd is not None]
    return question.cost_usd if question.cost_usd is not None else sum(stepped) if stepped else None


def earlier_turns(questions: Sequence[QuestionView], before: UUID | None = None) -> list[tuple[str, str]]:
    """What was asked and answered, oldest first: of each question the newest answer, of those before `before`.

    `before` is a first attempt's id; all of them where it is None.
    """
    places = list(dict.fromkeys(first_attempt(question) for question in questions))
    answers = {first_attempt(each): (each.query, each.answer) for each in questions if each.answer is not None}
    return [answers[place] for place in places[: places.index(before) if before else None] if place in answers]


def started(envelope: Envelope) -> ConversationView:
    """The conversation that an event began."""
    event = ConversationStarted.model_validate(envelope.data)
    return ConversationView(
        conversation_id=conversation_id_of(envelope.stream_id),
        repository_id=event.repository_id,
        title=event.title,
        started_at=envelope.timestamp,
    )


def apply(questions: dict[UUID, QuestionView], envelope: Envelope) -> QuestionView | None:
    """The question that an event is about, as it is after the event; None where it is about none that is known."""
    if envelope.event_type not in _ABOUT_QUESTIONS:
        return None
    event = decode(envelope)
    if isinstance(event, QuestionAsked):
        return questions.get(event.question_id) or _asked(envelope, event)
    if not isinstance(event, QuestionAnswered | QuestionFailed | QuestionStopped | AnswerRated | StepTaken):
        return None
    before = questions.get(event.question_id)
    if before is None:
        return None
    if isinstance(event, StepTaken):
        steps = {step.number: step for step in before.steps} | {event.number: _step(event)}
        return before.model_copy(update={"steps": [steps[number] for number in sorted(steps)]})
    if isinstance(event, AnswerRated):
        return before.model_copy(update={"rating": event.rating})
    if isinstance(event, QuestionAnswered | QuestionFailed) and before.code == STOPPED:
        return before.model_copy(update=event.model_dump(include=_TAKEN))
    return _ended(before, event) if before.state == "asked" else before


def _ended(before: QuestionView, event: QuestionAnswered | QuestionFailed | QuestionStopped) -> QuestionView:
    if isinstance(event, QuestionAnswered):
        return _answered(before, event)
    if isinstance(event, QuestionStopped):
        return before.model_copy(update={"state": "failed", "code": STOPPED, "message": _STOPPED})
    told = event.model_dump(include={"code", "message"} | _TAKEN)
    return before.model_copy(update={"state": "failed", **told})


def _asked(envelope: Envelope, event: QuestionAsked) -> QuestionView:
    return QuestionView(
        question_id=event.question_id,
        conversation_id=conversation_id_of(envelope.stream_id),
        repository_id=event.repository_id,
        query=event.query,
        state="asked",
        asked_at=envelope.timestamp,
        analysis_id=event.analysis_id,
        again=event.again,
        scope=event.scope,
    )


def _step(event: StepTaken) -> StepView:
    return StepView(**event.model_dump(exclude={"question_id", "analysis_id"}))


def _answered(before: QuestionView, event: QuestionAnswered) -> QuestionView:
    return before.model_copy(
        update={
            "state": "answered",
            "answer": event.answer,
            "mode": event.mode,
            "citations": list(event.citations),
            "removed_citations": event.removed_citations,
            "passages": list(event.passages),
            "analysis_id": event.analysis_id,
            "commit": event.commit,
            "generation_kind": event.generation_kind,
            "degraded": event.degraded,
            "confidence": event.confidence,
            "provider": event.provider,
            "model": event.model,
            "prompt": event.prompt,
            "response_time": event.response_time,
            "input_tokens": event.input_tokens,
            "output_tokens": event.output_tokens,
            "cost_usd": event.cost_usd,
            "is_estimated": event.is_estimated,
            "refused": event.refused,
            "evidence": event.evidence,
            "removed_quotes": event.removed_quotes,
            "standalone": event.standalone,
            "standalone_by": event.standalone_by,
            "history_turns": event.history_turns,
            "history_tokens": event.history_tokens,
            "history_left_out": event.history_left_out,
            "passed_over": list(event.passed_over),
            "plan": list(event.plan),
            "earlier": event.earlier,
            "earlier_at": event.earlier_at,
        }
    )


_ABOUT_QUESTIONS = frozenset(
    cls.event_type for cls in (QuestionAsked, StepTaken, QuestionAnswered, QuestionFailed, QuestionStopped, AnswerRated)
)
