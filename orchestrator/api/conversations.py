"""Talk about a repository: conversations, questions, ratings, and the answer while it is written."""

import asyncio
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Request, Response

from events.base import Context, Draft, Envelope, Event
from events.question import AnswerRated, ConversationStarted, QuestionAsked
from events.repository import RepositoryRegistered
from orchestrator.api.answers import AnswerStream
from orchestrator.api.dependencies import Asker, HeldStream, Parts, Reader, Services, context_of, history_of
from orchestrator.api.models import ConversationRequest, ConversationView, QuestionRequest, QuestionView, RatingRequest
from orchestrator.api.pages import ConversationPage
from orchestrator.api.paging import Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.limits.rules import Resource
from orchestrator.projections.conversations import fold
from runtime.live import LiveChannels

router = APIRouter(tags=["conversations"])
TURNS = 6  # earlier questions that are sent along: enough for "and where is that called?"
_GRACE = 8.0  # seconds for the read model to learn of a question that was accepted a moment ago


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
async def newest(who: Reader, parts: Parts, page: Paging, repository_id: UUID | None = None) -> ConversationPage:
    """Conversations without their questions, newest first; about one repository where its id is given."""
    return await parts.read.conversations(who.tenant_id, page, repository=repository_id)


@router.get("/conversations/{conversation_id}")
async def one(conversation_id: UUID, who: Reader, parts: Parts) -> ConversationView:
    """A conversation with its questions, oldest first."""
    return _folded(await history_of(parts, who, f"conversation/{conversation_id}"))


@router.post("/conversations/{conversation_id}/questions", status_code=202)
async def ask(conversation_id: UUID, body: QuestionRequest, who: Asker, parts: Parts, request: Request) -> QuestionView:
    """Ask. The answer comes over the question's stream, and stays in the conversation."""
    if body.model is not None and body.model not in parts.models:
        raise ApiProblem("model_not_configured", "Choose one of the models that /api/v1/config lists, or none.")
    if "\x00" in body.query or not body.query.strip():
        raise ApiProblem("invalid_request", "Ask something.")
    await parts.gate.take(request, who, Resource.QUESTIONS)
    stream_id = f"conversation/{conversation_id}"
    past = await history_of(parts, who, stream_id)
    conversation = _folded(past)
    turns = [(q.query, q.answer) for q in conversation.questions if q.answer is not None][-TURNS:]
    asked = QuestionAsked(
        question_id=uuid4(),
        repository_id=conversation.repository_id,
        query=body.query.strip(),
        model=body.model,
        mode=body.mode,
        history=tuple(turns),
    )
    context = context_of(request, who, conversation.repository_id)
    draft = Draft(event_id=uuid4(), occurred_at=parts.clock(), context=context, event=asked)
    added = await parts.asking.accept(who, stream_id, draft, asked.question_id)
    return _question(_folded([past[0], *added]), asked.question_id)


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
    await _find(parts, who, question_id)

    async def stored() -> QuestionView:
        return await _find(parts, who, question_id)

    channel = LiveChannels(who.tenant_id).answer(question_id)
    return AnswerStream(channel, parts.channels, stored, parts.hub, after=last_event_id)


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
    """The question as its stream has it; waits a moment for one that was asked just now."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _GRACE
    while (conversation := await parts.read.conversation_of(who.tenant_id, question_id)) is None:
        if loop.time() > until or not await parts.read.is_on_its_way(who.tenant_id, question_id):
            raise ApiProblem("not_found", "Check the id: no question of yours has it.")
        await asyncio.sleep(0.05)
    return _question(_folded(await history_of(parts, who, f"conversation/{conversation}")), question_id)
