"""Upload an archive, to be analysed by its address."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from orchestrator.adapters.uploads import Upload, too_large
from orchestrator.api import idempotency
from orchestrator.api.dependencies import Parts, Reader, Writer
from orchestrator.api.paging import UPLOADS, Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.limits.rules import Resource

router = APIRouter(prefix="/uploads", tags=["uploads"])
_SILENCE = 30.0  # seconds between two pieces
_SLOWEST = 32_000  # bytes a second, so that a few who send drop by drop keep nobody from uploading
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class UploadView(BaseModel):
    """An uploaded archive. Ask for its analysis by `url`; `sha256` is of the file as it came, `bytes` its size.

    `repositories` were made of it: while there are some it stays, and goes with the last of them.
    """

    upload_id: UUID
    url: str
    name: str
    kind: str
    sha256: str
    bytes: int
    uploaded_at: datetime
    repositories: list[UUID] = Field(default_factory=list)


class UploadPage(BaseModel):
    """A page of uploads, the newest first."""

    items: list[UploadView]
    next: str | None = None


@router.post("", status_code=201, openapi_extra=BODY, responses={200: {"model": UploadView, "description": "Known"}})
async def receive(
    who: Writer,
    parts: Parts,
    request: Request,
    response: Response,
    name: Annotated[str, Query(max_length=255, description="The file's name; its kind is told by its content.")] = "",
) -> UploadView:
    """Upload a zip or a tar (plain, gzip, bzip2, xz or zstd), as the body (201); the same content again is known (200).

    Nothing is unpacked yet: that is done, member by member, when its analysis is asked for by `url`. An upload that is
    not analysed is kept for a day.
    """
    await parts.gate.take(request, who, Resource.UPLOADS)
    await parts.usage.check_bytes(who, parts.clock())
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > parts.uploads.limit:
        raise too_large(parts.uploads.limit)
    kept, is_new = await parts.uploads.receive(who, name, pieces(request))
    await idempotency.begin(request, who, parts.answers, content=kept.sha256.encode())
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = f"/api/v1/uploads/{kept.upload_id}"
    return _view(kept)


@router.get("")
async def listed(who: Reader, parts: Parts, page: Paging) -> UploadPage:
    """The team's uploads that are kept, the newest first."""
    after = UPLOADS.read(page.cursor)
    found = await parts.uploads.of(who.tenant_id, after=after, limit=page.limit + 1)
    shown = found[: page.limit]
    more = len(found) > page.limit
    following = UPLOADS.write((shown[-1].uploaded_at, shown[-1].upload_id)) if more else None
    return UploadPage(items=[_view(each) for each in shown], next=following)


@router.delete("/{upload_id}", status_code=204)
async def delete(upload_id: UUID, who: Writer, parts: Parts) -> None:
    """Delete an upload that no repository was made of; else delete the repository, and it goes too."""
    await parts.uploads.delete(who, upload_id)


@router.get("/{upload_id}")
async def one(upload_id: UUID, who: Reader, parts: Parts) -> UploadView:
    """One upload, for as long as it is kept."""
    return _view(await parts.uploads.one(who, upload_id))


async def pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises ApiProblem `upload_stalled` where it does not."""
    stream, clock = request.stream(), asyncio.get_running_loop().time
    begun, received = clock(), 0
    try:
        while True:
            async with asyncio.timeout(_SILENCE):
                piece = await anext(stream, None)
            if piece is None:
                return
            received += len(piece)
            if received < _SLOWEST * (clock() - begun - _SILENCE):
                break
            yield piece
    except (TimeoutError, ClientDisconnect):
        pass
    raise ApiProblem("upload_stalled", "The upload broke off: try again, over a steadier connection.")


def _view(upload: Upload) -> UploadView:
    return UploadView(
        upload_id=upload.upload_id,
        url=upload.url,
        name=upload.name,
        kind=upload.kind.value,
        sha256=upload.sha256,
        bytes=upload.bytes,
        uploaded_at=upload.uploaded_at,
        repositories=list(upload.repositories),
    )
