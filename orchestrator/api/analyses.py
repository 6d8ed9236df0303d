"""Ask for analyses, look at them, stop them, let them go on."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Query, Request, Response

from events.base import Draft, Envelope, Event
from events.log.journal import Journal, WrongExpectedVersion
from events.processing import CancelRequested, ProcessingConfirmed, RetryRequested
from orchestrator.adapters.intake import Accepted
from orchestrator.api.dependencies import (
    EventReader,
    HeldStream,
    Parts,
    Reader,
    Services,
    Writer,
    context_of,
    history_of,
    record_of,
)
from orchestrator.api.freshness import Freshness
from orchestrator.api.intake import Wanted, read_request
from orchestrator.api.models import AnalysisRequest, AnalysisState, AnalysisView, CancelBody
from orchestrator.api.pages import AnalysisPage, EventPage, JsonText
from orchestrator.api.paging import STREAM, Page, Paging
from orchestrator.api.preflight import finished_at, look
from orchestrator.api.problems import ApiProblem, correlation_of
from orchestrator.api.retry_models import RetryBody
from orchestrator.auth.identity import Identity
from orchestrator.limits.rules import Resource
from orchestrator.progress.frames import LAST, last_event_id
from orchestrator.progress.sse import StreamEvents
from orchestrator.projections.analyses import OVER, AnalysisRecord, fold
from orchestrator.projections.stages import view_of
from orchestrator.workflow import Policy, evolve, replay
from orchestrator.workflow.foreseeing import anything_comes_of
from orchestrator.workflow.graph import shard_count

router = APIRouter(prefix="/analyses", tags=["analyses"])
_CONFLICTS = 5
Version = Annotated[int, Query(ge=0, le=2**62)]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID")]


@router.post("", status_code=202, responses={200: {"model": AnalysisView, "description": "It is running already"}})
async def begin(body: AnalysisRequest, who: Writer, parts: Parts, request: Request, response: Response) -> AnalysisView:
    """Begin an analysis (202), or join the one of the same repository, folder and ref that is running (200).

    Where the commit is known beforehand (its id is the `ref` or `commit`, or the host was asked where the ref in the
    address ends) and was analysed already with the same `include`, that analysis is the answer (200), unless `force`
    is set.
    A private repository takes a `token`, or one that you keep (`/me/credentials`): named by `credential`, else the
    newest for its host. An uploaded archive is asked for by its `url`, and is analysed once unless `force` is set.
    The request is committed when the answer comes.
    """
    wanted = read_request(body, parts.rules)
    await parts.gate.take(request, who, Resource.ANALYSES)
    commit = wanted.known_commit
    if wanted.unsettled is not None:
        wanted, found = await look(parts, who, request, body)
        commit = found.commit
    if (commit is not None or wanted.content is not None) and not body.force:
        finished = await finished_at(parts, who, wanted, commit)
        if finished is not None:
            response.status_code = 200
            return view_of(await record_of(parts, who, finished.analysis_id))
    if wanted.content is not None:
        return await _begin_upload(parts, who, wanted, request, response)
    after = await _renewed(parts, who, wanted, body.after)
    token = body.token.get_secret_value() if body.token is not None else None
    credential = await parts.credentials.choose(
        who, wanted.repository.host, token=token, named=body.credential, at=parts.clock()
    )
    correlation_id = UUID(correlation_of(request))
    accepted = await parts.intake.accept(
        who, wanted, credential=credential, correlation_id=correlation_id, at=parts.clock(), after=after
    )
    return _accepted(accepted, response)


async def _renewed(parts: Services, who: Identity, wanted: Wanted, after: UUID | None) -> UUID | None:
    """The analysis that is asked for anew, if one is named. Raises ApiProblem where it is another repository's."""
    if after is not None and (await record_of(parts, who, after)).view.url != wanted.repository.url:
        raise ApiProblem("invalid_request", "Name an analysis of the same repository in `after`, or none.")
    return after


async def _begin_upload(
    parts: Services, who: Identity, wanted: Wanted, request: Request, response: Response
) -> AnalysisView:
    upload = await parts.uploads.by_content(who, wanted.content or "")
    accepted = await parts.intake.accept(
        who, wanted, credential=None, correlation_id=UUID(correlation_of(request)), at=parts.clock(), upload=upload
    )
    return _accepted(accepted, response)


def _accepted(accepted: Accepted, response: Response) -> AnalysisView:
    if accepted.joined:
        response.status_code = 200
    response.headers["Location"] = f"/api/v1/analyses/{accepted.view.analysis_id}"
    return accepted.view


@router.get("", response_model=AnalysisPage)
async def newest(who: Reader, parts: Parts, page: Paging, repository_id: UUID | None = None) -> JsonText:
    """Analyses, newest first; of one repository where its id is given."""
    return JsonText(await parts.read.analyses(who.tenant_id, page, repository=repository_id))


@router.get("/{analysis_id}")
async def one(analysis_id: UUID, who: Reader, parts: Parts, known: Freshness) -> AnalysisView:
    """One analysis, as of its newest event."""
    if (version := await parts.read.version(who.tenant_id, analysis_id)) is not None:
        await parts.looks.note_analysis(who.tenant_id, analysis_id)
        known.as_of(who.tenant_id, version)
    view = view_of(await record_of(parts, who, analysis_id))
    return view.model_copy(update={"damaged": await parts.read.damaged(who.tenant_id, analysis_id)})


@router.get("/{analysis_id}/history")
async def history(
    analysis_id: UUID,
    who: EventReader,
    parts: Parts,
    page: Paging,
    after: Version = 0,
) -> EventPage:
    """The events of an analysis in their order; those after the version `after` where it is given."""
    stream_id = f"analysis/{analysis_id}"
    await history_head(parts, who, stream_id)
    return await stream_page(parts.journals.of(who.tenant_id), stream_id, page, after)


@router.get(
    "/{analysis_id}/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "milestone, tick, heartbeat, resync"}},
)
async def live(
    analysis_id: UUID,
    who: EventReader,
    parts: Parts,
    _held: HeldStream,
    last_event_id_header: LastEventId = None,
    after: Version = 0,
) -> Response:
    """The events of an analysis as they happen, after those that were missed (SSE)."""
    return await live_stream(parts, who, f"analysis/{analysis_id}", last_event_id(last_event_id_header, after))


async def live_stream(parts: Services, who: Identity, stream_id: str, after: int) -> Response:
    """The events of a stream of the tenant after a version, and as they happen. Raises ApiProblem `not_found`."""
    await history_head(parts, who, stream_id)
    journal = parts.journals.of(who.tenant_id)
    return StreamEvents(who.tenant_id, stream_id, after=after, journal=journal, hub=parts.hub)


async def stream_page(journal: Journal, stream_id: str, page: Page, after: int) -> EventPage:
    """One page of a stream, from the cursor's place or from the version `after`, whichever is later."""
    [begin] = STREAM.read(page.cursor) or (after,)
    items = await journal.read_stream(stream_id, after=min(max(begin, after), LAST), limit=page.limit + 1)
    shown = items[: page.limit]
    return EventPage(items=shown, next=STREAM.write((shown[-1].version,)) if len(items) > page.limit else None)


async def history_head(parts: Services, who: Identity, stream_id: str) -> None:
    """Raise ApiProblem `not_found` unless the stream is the tenant's; reads one event."""
    first = await parts.journals.of(who.tenant_id).read_stream(stream_id, limit=1)
    if not first or first[0].tenant_id != who.tenant_id:
        raise ApiProblem("not_found", "Check the id: nothing of yours has it.")


@router.post("/{analysis_id}/cancel", status_code=202)
async def cancel(
    analysis_id: UUID, who: Writer, parts: Parts, request: Request, body: CancelBody | None = None
) -> AnalysisView:
    """Ask an analysis to stop. Once it is ready, only its refinement stops."""
    event = CancelRequested(reason=body.reason.replace("\x00", "") if body is not None else "")
    return await _tell(parts, who, request, analysis_id, event, _may_stop)


@router.post("/{analysis_id}/confirm", status_code=202)
async def confirm(analysis_id: UUID, who: Writer, parts: Parts, request: Request) -> AnalysisView:
    """Let an analysis go on that is over a limit of this installation."""
    return await _tell(parts, who, request, analysis_id, ProcessingConfirmed(), _may_confirm)


@router.post("/{analysis_id}/retry", status_code=202)
async def retry(
    analysis_id: UUID, who: Writer, parts: Parts, request: Request, body: RetryBody | None = None
) -> AnalysisView:
    """Let a failed analysis go on from what failed, or have what is missing of a ready one added to it.

    Of a ready one, what is done again is what was lost (shards of files, metadata, structure, history, a refinement)
    and the files whose parse did not end well. It is searched all the time, and says again what it amounts to. One
    whose refinement was stopped goes on with that. With a body, what it names runs again, also where it succeeded, as
    a new attempt (`nothing_to_run_again` where nothing can).
    """
    await parts.gate.take(request, who, Resource.ANALYSES)
    wanted = body or RetryBody()
    said = {**wanted.model_dump(), "reason": wanted.reason.replace("\x00", "")}
    event = RetryRequested.model_validate(said)
    return await _tell(parts, who, request, analysis_id, event, partial(_may_go_on, event))


async def _tell(  # the request, the event, and when it is allowed
    parts: Services,
    who: Identity,
    request: Request,
    analysis_id: UUID,
    event: Event,
    check: Callable[[AnalysisRecord, Sequence[Envelope]], None],
) -> AnalysisView:
    """Append a person's wish, decided on the state it meets: somebody else's event in between is looked at again."""
    stream_id = f"analysis/{analysis_id}"
    for _ in range(_CONFLICTS):
        past = await history_of(parts, who, stream_id)
        record = fold(past)
        if record is None:
            break
        check(record, past)
        context = context_of(request, who, record.view.repository_id)
        draft = Draft(event_id=uuid4(), occurred_at=parts.clock(), context=context, event=event)
        try:
            added = await _append(parts, who, record, draft, expected=past[-1].version)
        except WrongExpectedVersion:
            continue
        after = fold([*past, *added])
        return view_of(after if after is not None else record)
    raise ApiProblem("timed_out", "The analysis changes too fast: try again.")


async def _append(
    parts: Services, who: Identity, record: AnalysisRecord, draft: Draft, *, expected: int
) -> list[Envelope]:
    """Append a wish; one that lets an analysis run again only where one more may run, or it runs already."""
    analysis_id = record.view.analysis_id
    if isinstance(draft.event, RetryRequested):
        return await parts.intake.go_on(who, analysis_id, draft, expected=expected)
    return await parts.journals.of(who.tenant_id).append(f"analysis/{analysis_id}", [draft], expected=expected)


def _may_stop(record: AnalysisRecord, _past: Sequence[Envelope]) -> None:
    if record.view.state in OVER or record.view.ended_at is not None:
        raise ApiProblem("analysis_over", "It has ended; there is nothing to stop.")


def _may_confirm(record: AnalysisRecord, _past: Sequence[Envelope]) -> None:
    if record.view.state is not AnalysisState.UNCONFIRMED:
        raise ApiProblem("nothing_to_confirm", "It does not wait for anybody: it goes on, or it has ended.")


def _may_go_on(event: RetryRequested, _record: AnalysisRecord, past: Sequence[Envelope]) -> None:
    """Raise ApiProblem where nothing would run by the retry."""
    state = replay(past)
    if anything_comes_of(state, event, past[-1], Policy()):
        return
    if shard_count(state) == 0:
        raise ApiProblem("nothing_to_run_again", "It has no text file that can be read: analyse another ref.")
    if evolve(state, event, past[-1].timestamp) is not state:
        raise ApiProblem(
            "nothing_to_run_again",
            "What it is made of was lost, so that it cannot run: retry without naming a stage, and that comes first.",
        )
    if event.stage is None and not event.files:
        raise ApiProblem("analysis_not_failed", "Only what failed can go on; begin a new analysis instead.")
    raise ApiProblem(
        "nothing_to_run_again",
        "Name what ended: a stage or shard that ran and is not at work, or files that failed. What was cloned is read"
        " anew by a new analysis (`force`).",
    )
