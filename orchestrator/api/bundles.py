"""Analyses and conversations as files: exported, and imported into another installation."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from events.base import Envelope
from events.replay.bundle import About, Bundle
from events.replay.bundled import BadBundle
from events.repository import RepositoryRegistered
from orchestrator.api import idempotency
from orchestrator.api.dependencies import EventReader, HeldStream, Parts, Services, Writer, history_of
from orchestrator.api.exporting import ZIP
from orchestrator.api.intake import Rules, Wanted, read_request
from orchestrator.api.models import AnalysisRequest, ConversationView
from orchestrator.api.problems import ApiProblem, correlation_of
from orchestrator.api.uploads import BODY, pieces
from orchestrator.auth.identity import ASK, Identity
from orchestrator.limits.rules import Resource
from orchestrator.projections import conversations
from orchestrator.projections.analyses import fold, is_running, name_of
from runtime.upload_url import read_upload_url

router = APIRouter(tags=["bundles"])
_PIECE = 1 << 20


class TakenOver(BaseModel):
    """What a bundle became: what is in it as it is called here, and there. What is not in it is null."""

    analysis_id: UUID | None
    repository_id: UUID
    from_analysis_id: UUID | None
    bundle: str
    conversation_id: UUID | None
    from_conversation_id: UUID | None


_KNOWN: dict[int | str, dict[str, object]] = {200: {"model": TakenOver, "description": "Known"}}


_FILE: dict[int | str, dict[str, object]] = {
    200: {"content": {ZIP: {}}, "description": "A bundle: its events, its artifacts, and a manifest"}
}


@router.get("/analyses/{analysis_id}/bundle", response_class=StreamingResponse, responses=_FILE)
async def export(analysis_id: UUID, who: EventReader, parts: Parts, _held: HeldStream) -> StreamingResponse:
    """An analysis that is over as one file, to be imported elsewhere; secrets are taken out of its events and files."""
    history, about = await _over(parts, who, analysis_id)
    return _answer(await parts.bundles.export(about, history), analysis_id)


@router.get("/conversations/{conversation_id}/bundle", response_class=StreamingResponse, responses=_FILE)
async def export_conversation(
    conversation_id: UUID, who: EventReader, parts: Parts, _held: HeldStream, with_analysis: bool = False
) -> StreamingResponse:
    """A conversation as one file, to be imported elsewhere; secrets are taken out of what was said.

    With `with_analysis`, the analysis that its newest answer rests on is in it, too: its citations open there, and
    the same can be asked again.
    """
    history = await history_of(parts, who, f"conversation/{conversation_id}")
    conversation = conversations.fold(history)
    if conversation is None:
        raise ApiProblem("not_found", "Check the id: no conversation of yours has it.")
    if any(question.state == "asked" for question in conversation.questions):
        raise ApiProblem("bundle_not_over", "Wait for the answer, or stop it.")
    if with_analysis:
        analysis, about = await _over(parts, who, _rests_on(conversation))
    else:
        analysis, about = [], await _about(parts, who, conversation.repository_id)
    return _answer(await parts.bundles.export(about, analysis, history), conversation_id)


def _rests_on(conversation: ConversationView) -> UUID:
    """The analysis that the newest answer rests on."""
    for question in reversed(conversation.questions):
        if question.state == "answered" and question.analysis_id is not None:
            return question.analysis_id
    raise ApiProblem("not_answered", "Nothing in it was answered from an analysis: export it alone.")


async def _over(parts: Services, who: Identity, analysis_id: UUID) -> tuple[list[Envelope], About]:
    """An analysis, and its repository. Raises ApiProblem `bundle_not_over`."""
    history = await history_of(parts, who, f"analysis/{analysis_id}")
    record = fold(history)
    if record is None or is_running(record):
        raise ApiProblem("bundle_not_over", "Wait until the analysis is over, or cancel it.")
    return history, _called(record.view.url, record.view.folder)


async def _about(parts: Services, who: Identity, repository_id: UUID) -> About:
    [first, *_] = await history_of(parts, who, f"repository/{repository_id}")
    registered = RepositoryRegistered.model_validate(first.data)
    return _called(registered.url, registered.folder)


def _called(url: str, folder: str) -> About:
    return About(host=urlsplit(url).netloc, name=name_of(url, folder), url=url, folder=folder)


def _answer(file: IO[bytes], id_: UUID) -> StreamingResponse:
    headers = {"content-disposition": f'attachment; filename="{id_}.bundle.zip"'}
    return StreamingResponse(_sent(file), media_type=ZIP, headers=headers)


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


@router.post("/bundles", status_code=201, openapi_extra=BODY, responses=_KNOWN)
async def take_over(who: Writer, parts: Parts, request: Request, response: Response) -> TakenOver:
    """Import a bundle, as the body (201); the same one again is what it became (200). Nothing is asked of any host.

    Its analysis is indexed here, of the vectors that it has; its conversation is yours from then on, and takes
    `ask:questions` as well. Every id and checksum in it is looked at first.
    """
    await parts.gate.take(request, who, Resource.UPLOADS)
    await parts.usage.check_bytes(who, parts.clock())
    with TemporaryDirectory() as folder:
        try:
            taken = await parts.bundles.receive(pieces(request), Path(folder) / "bundle.zip")
            if taken.conversation and ASK not in who.scopes:
                raise ApiProblem("forbidden", f"It takes the scope {ASK}: there is a conversation in it.")
            await idempotency.begin(request, who, parts.answers, content=taken.sha256.encode())
            wanted, correlation = _wanted(taken, parts.rules), UUID(correlation_of(request))
            found = await parts.bundles.take_over(who, wanted, taken, correlation)
        except BadBundle as bad:
            raise ApiProblem(bad.code, bad.message) from None
    await parts.looks.note(who.tenant_id, found.repository_id)
    response.status_code = 201 if found.is_new else 200
    at = f"analyses/{found.analysis_id}" if found.analysis_id else f"conversations/{found.conversation_id}"
    response.headers["Location"] = f"/api/v1/{at}"
    return TakenOver(
        analysis_id=found.analysis_id,
        repository_id=found.repository_id,
        from_analysis_id=taken.manifest.analysis_id,
        bundle=taken.sha256,
        conversation_id=found.conversation_id,
        from_conversation_id=taken.manifest.conversation_id,
    )


def _wanted(taken: Bundle, rules: Rules) -> Wanted:
    """The repository, by the rules for every address, but for the host: nothing is asked of it."""
    url, folder = taken.address
    host = "" if read_upload_url(url) else urlsplit(url).netloc.lower()
    anywhere = Rules(rules.hosts | {host}, loopback=True, history=rules.history)
    return read_request(AnalysisRequest(url=url, folder=folder or None), anywhere)
