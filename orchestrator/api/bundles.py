"""Analyses as one file each: exported, and imported into another installation."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from events.replay.bundle import BadBundle, Bundle
from orchestrator.api import idempotency
from orchestrator.api.dependencies import EventReader, HeldStream, Parts, Writer, history_of
from orchestrator.api.exporting import ZIP
from orchestrator.api.intake import Rules, Wanted, read_request
from orchestrator.api.models import AnalysisRequest
from orchestrator.api.problems import ApiProblem, correlation_of
from orchestrator.api.uploads import BODY, pieces
from orchestrator.limits.rules import Resource
from orchestrator.projections.analyses import fold, is_running
from runtime.upload_url import read_upload_url

router = APIRouter(tags=["bundles"])
_PIECE = 1 << 20


class TakenOver(BaseModel):
    """What a bundle became: the analysis and the repository as they are called here, and there."""

    analysis_id: UUID
    repository_id: UUID
    from_analysis_id: UUID
    bundle: str


_KNOWN: dict[int | str, dict[str, object]] = {200: {"model": TakenOver, "description": "Known"}}


@router.get(
    "/analyses/{analysis_id}/bundle",
    response_class=StreamingResponse,
    responses={200: {"content": {ZIP: {}}, "description": "A bundle: its events, its artifacts, and a manifest"}},
)
async def export(analysis_id: UUID, who: EventReader, parts: Parts, _held: HeldStream) -> StreamingResponse:
    """An analysis that is over as one file, to be imported elsewhere; secrets are taken out of its events."""
    history = await history_of(parts, who, f"analysis/{analysis_id}")
    record = fold(history)
    if record is None or is_running(record):
        raise ApiProblem("bundle_not_over", "Wait until the analysis is over, or cancel it.")
    file = await parts.bundles.export(history, urlsplit(record.view.url).netloc, record.view.name)
    headers = {"content-disposition": f'attachment; filename="{analysis_id}.bundle.zip"'}
    return StreamingResponse(_sent(file), media_type=ZIP, headers=headers)


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


@router.post("/bundles", status_code=201, openapi_extra=BODY, responses=_KNOWN)
async def take_over(who: Writer, parts: Parts, request: Request, response: Response) -> TakenOver:
    """Import a bundle, as the body (201); the same one again is what it became (200). Nothing is asked of any host.

    Its analysis is indexed here, of the vectors that it has. Every id and checksum in it is looked at first.
    """
    await parts.gate.take(request, who, Resource.UPLOADS)
    await parts.usage.check_bytes(who, parts.clock())
    with TemporaryDirectory() as folder:
        try:
            taken = await parts.bundles.receive(pieces(request), Path(folder) / "bundle.zip")
            await idempotency.begin(request, who, parts.answers, content=taken.sha256.encode())
            wanted, correlation = _wanted(taken, parts.rules), UUID(correlation_of(request))
            analysis_id, repository_id, is_new = await parts.bundles.take_over(who, wanted, taken, correlation)
        except BadBundle as bad:
            raise ApiProblem(bad.code, bad.message) from None
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = f"/api/v1/analyses/{analysis_id}"
    return TakenOver(
        analysis_id=analysis_id,
        repository_id=repository_id,
        from_analysis_id=taken.manifest.analysis_id,
        bundle=taken.sha256,
    )


def _wanted(taken: Bundle, rules: Rules) -> Wanted:
    """The repository, by the rules for every address, but for the host: nothing is asked of it."""
    asked = taken.request
    host = "" if read_upload_url(asked.url) else urlsplit(asked.url).netloc.lower()
    anywhere = Rules(rules.hosts | {host}, loopback=True, history=rules.history)
    return read_request(AnalysisRequest(url=asked.url, folder=asked.folder or None), anywhere)
