"""`/dead-letters`: messages that ended their workers too often; administrators have them done again, or not."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from events.delivery.dead_letters import DeadLetter
from orchestrator.adapters.letters import NotEditable, NotRepeatable, NotWaiting, Settled, is_repeatable
from orchestrator.api.dependencies import Admin, Parts
from orchestrator.api.paging import LETTERS, Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.api.strict import Body
from orchestrator.workflow.edited import EDITABLE

router = APIRouter(prefix="/dead-letters", tags=["letters"])

_UNKNOWN = "Check the id: no parked message has it."


class LetterView(BaseModel):
    """A parked message, without what it says: the headers of its event are null where it is none of ours.

    `repeatable`: it can be done again. `resolution` is what was decided (`retried`, `edited`, `discarded`), null while
    it waits.
    """

    letter_id: UUID
    consumer: str
    topic: str
    seq: int
    event_id: UUID | None
    event_type: str | None
    stream_id: str | None
    tenant_id: UUID | None
    repository_id: UUID | None
    correlation_id: UUID | None
    parked_at: datetime
    error: str
    attempts: int
    repeatable: bool
    resolved_at: datetime | None
    resolution: str | None


class LetterMessage(BaseModel):
    """What can be changed of a parked run: the names, and the values of those that are not private."""

    letter_id: UUID
    editable: list[str]
    values: dict[str, object]


class LetterEdit(Body):
    """New values by name; the others stay. `inputs` may lose artifacts, and get none."""

    changes: dict[str, object] = Field(max_length=10)


class LetterPage(BaseModel):
    """A page of parked messages."""

    items: list[LetterView]
    next: str | None = None


@router.get("")
async def listed(_who: Admin, parts: Parts, page: Paging, *, settled: bool = False) -> LetterPage:
    """What waits for an administrator, the newest first; with `settled`, also what was decided."""
    found = await parts.letters.listed(settled=settled, after=LETTERS.read(page.cursor), limit=page.limit + 1)
    shown, following = LETTERS.cut(found, page.limit, lambda letter: (letter.parked_at, letter.letter_id))
    return LetterPage(items=[_view(letter) for letter in shown], next=following)


@router.get("/{letter_id}")
async def one(letter_id: UUID, _who: Admin, parts: Parts) -> LetterView:
    """One parked message."""
    return _found(await parts.letters.one(letter_id))


@router.post("/{letter_id}/retry")
async def retry(letter_id: UUID, who: Admin, parts: Parts) -> LetterView:
    """Have it done again: the workflow decides anew, a run is asked for once more, a question as its asker had it.

    Asked for twice, it is done once. Where nothing would run by it, nothing is decided (`letter_not_waiting`).
    """
    try:
        return _found(await parts.letters.run_again(letter_id, who.user_id))
    except NotRepeatable:
        raise ApiProblem(
            "letter_not_repeatable",
            "Discard it: a deletion goes on by itself, and the rest is no event of ours.",
        ) from None
    except NotWaiting:
        raise ApiProblem(
            "letter_not_waiting",
            "Look at its stream: it was done or asked for again since, or all was cancelled: discard it then."
            " What comes too late for an analysis at work can run once that is ready.",
        ) from None
    except Settled as settled:
        raise _settled(settled) from None


@router.post("/{letter_id}/discard")
async def discard(letter_id: UUID, who: Admin, parts: Parts) -> LetterView:
    """Have it not done, for good. What waits for it may wait for ever: cancel that, or begin it anew."""
    try:
        return _found(await parts.letters.discard(letter_id, who.user_id))
    except Settled as settled:
        raise _settled(settled) from None


@router.get("/{letter_id}/message")
async def message(letter_id: UUID, _who: Admin, parts: Parts) -> LetterMessage:
    """The values of a parked run that can be changed. What is private in it is not shown, and can be set."""
    try:
        request = await parts.letters.request_of(letter_id)
    except NotEditable:
        raise _not_editable() from None
    if request is None:
        raise ApiProblem("not_found", _UNKNOWN)
    data = request.model_dump(mode="json", include=set(EDITABLE) - set(request.private))
    return LetterMessage(letter_id=letter_id, editable=list(EDITABLE), values=data)


@router.post("/{letter_id}/edit")
async def edit(letter_id: UUID, body: LetterEdit, who: Admin, parts: Parts) -> LetterView:
    """Have a parked run done with other values, as its next attempt. Who changed what is an event of its stream."""
    try:
        return _found(await parts.letters.edit(letter_id, body.changes, who.user_id))
    except NotEditable:
        raise _not_editable() from None
    except ValueError as error:
        raise ApiProblem("letter_edit_refused", str(error)) from None
    except Settled as settled:
        raise _settled(settled) from None


def _not_editable() -> ApiProblem:
    return ApiProblem(
        "letter_not_editable", "Only the run of a stage can be changed: have it run again, or discard it."
    )


def _settled(settled: Settled) -> ApiProblem:
    return ApiProblem("letter_settled", f"It was {settled.resolution} already: look at its stream for what came of it.")


def _found(letter: DeadLetter | None) -> LetterView:
    if letter is None:
        raise ApiProblem("not_found", _UNKNOWN)
    return _view(letter)


def _view(letter: DeadLetter) -> LetterView:
    return LetterView(**vars(letter), repeatable=letter.resolved_at is None and is_repeatable(letter))
