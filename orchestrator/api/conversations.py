"""Talk about a repository: conversations, questions, ratings, and the answer while it is written."""

from functools import partial
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Query, Request, Response

from events.base import Context, Draft, Envelope, Event
from events.conversation import ConversationStarted
from events.question import AnswerRated, QuestionAnswered, QuestionAsked, QuestionFailed, QuestionStopped
from events.repository import RepositoryRegistered
from orchestrator.api.answers import AnswerStream, Watched
from orchestrator.api.conversation_models import AgainRequest, ConversationDocument, RatingRequest
from orchestrator.api.dependencies import Asker, HeldStream, Parts, Reader, Services, context_of, history_of, seen
from orchestrator.api.models import ConversationRequest, ConversationView, QuestionRequest, QuestionView
from orchestrator.api.pages import ConversationPage
from orchestrator.api.paging import Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.api.searching import limited
from orchestrator.auth.identity import Identity
from orchestrator.limits.rules import Resource
from orchestrator.projections.conversations import earlier_turns, first_attempt, fold
from orchestrator.projections.transcript import transcript
from runtime.live import LiveChannels

router = APIRouter(tags=["conversations"])
TURNS = 6  # earlier questions that are sent along: enough for "and where is that called?"
_ENDINGS = (QuestionAnswered, QuestionFailed, QuestionStopped)
Words = Annotated[str, Query(max_length=200)]


@router.post("/conversations", status_code=201)
async def begin(body: ConversationRequest, who: Asker, parts: Parts, request: Request) -> ConversationView:
    """Begin to talk about a repository."""
    [registered, *_] = await history_of(parts, who, f"repository/{body.repository_id}")
    title = RepositoryRegistered.model_validate(registered.data).name
    started = ConversationStarted(repository_id=body.repository_id, title=title)
    context = context_of(request, who, body.repository_id)
    added = await _append(parts, context, f"conversation/{uuid4()}", started, expected=0)
    return _folded(added)


@router.get("/conversations")
async def newest(
    who: Reader, parts: Parts, page: Paging, repository_id: UUID | None = None, words: Words = ""
) -> ConversationPage:
    """Conversations, newest first; about one repository where its id is given.

    With `words`, those in which a question with its answer has all of them, case aside: a page looks through a
    hundred conversations then, and may have few items, or none, while `next` says that there is more to look through.
    """
    return await parts.conversations.newest(who.tenant_id, page, repository=repository_id, words=words)


@router.get("/conversations/{conversation_id}")
async def one(conversation_id: UUID, who: Reader, parts: Parts) -> ConversationView:
    """A conversation with its questions, oldest first."""
    return _folded(await history_of(parts, who, f"conversation/{conversation_id}"))


@router.get("/conversations/{conversation_id}/document")
async def document(conversation_id: UUID, who: Reader, parts: Parts) -> ConversationDocument:
    """A conversation as one Markdown document, its citations as links to the lines at the repository's host.

    Each answer that a question got is in it. Nothing in it loads anything where it is drawn.
    """
    conversation = _folded(await history_of(parts, who, f"conversation/{conversation_id}"))
    [registered, *_] = await history_of(parts, who, f"repository/{conversation.repository_id}")
    url = RepositoryRegistered.model_validate(registered.data).url
    return ConversationDocument(conversation_id=conversation_id, markdown=transcript(conversation, url))


@router.post("/conversations/{conversation_id}/questions", status_code=202)
async def ask(conversation_id: UUID, body: QuestionRequest, who: Asker, parts: Parts, request: Request) -> QuestionView:
    """Ask. The answer comes over the question's stream, and stays in the conversation."""
    _check_offered(parts, body.model, body.mode)
    _check_asked(body.query)
    await parts.gate.take(request, who, Resource.QUESTIONS)
    stream_id = f"conversation/{conversation_id}"
    past = await history_of(parts, who, stream_id)
    conversation = _folded(past)
    asked = QuestionAsked(
        question_id=uuid4(),
        repository_id=conversation.repository_id,
        query=body.query.strip(),
        model=body.model,
        mode=body.mode,
        scope=limited(body.scope),
        history=tuple(earlier_turns(conversation.questions)[-TURNS:]),
    )
    return await _accept(parts, who, past, asked, context_of(request, who, conversation.repository_id))


@router.post("/questions/{question_id}/again", status_code=202)
async def ask_again(question_id: UUID, body: AgainRequest, who: Asker, parts: Parts, request: Request) -> QuestionView:
    """Have a question answered anew: another attempt beside the earlier ones, which stay.

    With a `query` it is put in other words, else as this attempt put it. It is given what the first one was given:
    the turns before it, not its own answers. Later questions build upon the newest answer.
    """
    _check_offered(parts, body.model, body.mode)
    if body.query is not None:
        _check_asked(body.query)
    found = await _find(parts, who, question_id)
    if found.state == "asked":
        raise ApiProblem("not_answered", "Wait for the answer.")
    await parts.gate.take(request, who, Resource.QUESTIONS)
    past = await history_of(parts, who, f"conversation/{found.conversation_id}")
    asked, cause = _attempts(past, found)
    query = found.query if body.query is None else body.query.strip()
    again = asked.model_copy(
        update={
            "question_id": uuid4(),
            "query": query,
            "facts": asked.facts if query == asked.query else "",  # put in other words, it is no overview any more
            "again": first_attempt(found),
            "model": body.model or asked.model,
            "mode": body.mode or asked.mode,
            "history": tuple(earlier_turns(_folded(past).questions, before=first_attempt(found))[-TURNS:]),
        }
    )
    context = context_of(request, who, found.repository_id).model_copy(update={"causation_id": cause.event_id})
    return await _accept(parts, who, past, again, context)


@router.get("/questions/{question_id}")
async def question(question_id: UUID, who: Reader, parts: Parts) -> QuestionView:
    """A question and, when there is one, its answer."""
    return await _find(parts, who, question_id)


@router.get(
    "/questions/{question_id}/stream",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "part, heartbeat"}},
)
async def stream(
    question_id: UUID,
    who: Reader,
    parts: Parts,
    _held: HeldStream,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)] = None,
) -> Response:
    """The answer while it is written (SSE). The last part is `done`, with the question as stored, or `failed`."""
    past = await _past_of(parts, who, question_id)
    question, stored = _question(_folded(past), question_id), partial(_find, parts, who, question_id)
    channel, watched = LiveChannels(who.tenant_id).answer(question_id), Watched(question, past[-1].version, stored)
    return AnswerStream(channel, parts.channels, watched, parts.hub, after=last_event_id)


@router.post("/questions/{question_id}/stop")
async def stop(question_id: UUID, who: Asker, parts: Parts, request: Request) -> QuestionView:
    """Give an answer up: the model's call ends within two seconds. One that has come by then stays."""
    found = await _find(parts, who, question_id)
    if found.state != "asked":
        return found
    context, stream_id = context_of(request, who, found.repository_id), f"conversation/{found.conversation_id}"
    await _append(parts, context, stream_id, QuestionStopped(question_id=question_id))
    return _question(_folded(await history_of(parts, who, stream_id)), question_id)


@router.post("/questions/{question_id}/rating")
async def rate(question_id: UUID, body: RatingRequest, who: Asker, parts: Parts, request: Request) -> QuestionView:
    """Say whether the answer helped."""
    found = await _find(parts, who, question_id)
    if found.state != "answered":
        raise ApiProblem("not_answered", "Wait for the answer.")
    rated = AnswerRated(question_id=question_id, rating=body.rating)
    context = context_of(request, who, found.repository_id)
    await _append(parts, context, f"conversation/{found.conversation_id}", rated)
    return found.model_copy(update={"rating": body.rating})


def _check_offered(parts: Services, model: str | None, mode: str | None) -> None:
    if model is not None and model not in parts.models:
        raise ApiProblem("model_not_configured", "Choose one of the models that /api/v1/config lists, or none.")
    if mode == "deep" and mode not in parts.modes:
        raise ApiProblem("mode_not_offered", "Choose one of the modes that /api/v1/config lists, or none.")


def _check_asked(query: str) -> None:
    if "\x00" in query or not query.strip():
        raise ApiProblem("invalid_request", "Ask something.")


def _attempts(past: list[Envelope], question: QuestionView) -> tuple[QuestionAsked, Envelope]:
    """The first attempt at a question as it was asked, and the event that ended the attempt that is looked at."""
    asked, ended = (QuestionAsked.event_type,), tuple(each.event_type for each in _ENDINGS)
    [first] = _about(past, first_attempt(question), asked)
    [cause, *_] = _about(past, question.question_id, ended)
    return QuestionAsked.model_validate(first.data), cause


def _about(past: list[Envelope], question_id: UUID, types: tuple[str, ...]) -> list[Envelope]:
    return [each for each in past if each.event_type in types and each.data.get("question_id") == str(question_id)]


async def _accept(
    parts: Services, who: Identity, past: list[Envelope], asked: QuestionAsked, context: Context
) -> QuestionView:
    """Have a question answered in the conversation whose events are `past`."""
    added = await parts.asking.accept(who, past[0].stream_id, asked, context, parts.clock())
    return _question(_folded([past[0], *added]), asked.question_id)


async def _append(
    parts: Services, context: Context, stream_id: str, event: Event, expected: int | None = None
) -> list[Envelope]:
    draft = Draft(event_id=uuid4(), occurred_at=parts.clock(), context=context, event=event)
    return await parts.journals.of(context.tenant_id).append(stream_id, [draft], expected=expected)


def _folded(history: list[Envelope]) -> ConversationView:
    conversation = fold(history)
    if conversation is None:
        raise ApiProblem("not_found", "Check the id: no conversation of yours has it.")
    return conversation


def _question(conversation: ConversationView, question_id: UUID) -> QuestionView:
    for found in conversation.questions:
        if found.question_id == question_id:
            return found
    raise ApiProblem("not_found", "Check the id: no question of yours has it.")


async def _find(parts: Services, who: Identity, question_id: UUID) -> QuestionView:
    """The question as its stream has it."""
    return _question(_folded(await _past_of(parts, who, question_id)), question_id)


async def _past_of(parts: Services, who: Identity, question_id: UUID) -> list[Envelope]:
    """The events of the conversation in which a question was asked. Raises ApiProblem `not_found`."""
    past = await parts.journals.about(who.tenant_id, question_id)
    if not past:
        raise ApiProblem("not_found", "Check the id: no question of yours has it.")
    return await seen(parts, who, past)
