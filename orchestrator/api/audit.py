"""Read the audit trail: administrators see all of it, owners of a tenant their own tenant's."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from orchestrator.api.audit_models import AuditCheck, AuditPage, AuditPageQuery, AuditQuery
from orchestrator.api.dependencies import Admin, EventReader, Parts
from orchestrator.api.paging import AUDIT
from orchestrator.api.problems import ApiProblem
from orchestrator.audit.note import note_of
from orchestrator.auth.identity import ADMIN, Identity, Role

router = APIRouter(prefix="/audit", tags=["audit"])
NDJSON = "application/x-ndjson"


def may_see(who: Identity) -> UUID | None:
    """The tenant whose entries somebody may see; None: all tenants'. Raises ApiProblem `forbidden`."""
    if ADMIN in who.scopes:
        return None
    if who.role is not Role.OWNER:
        raise ApiProblem("forbidden", "The audit trail is for owners of a tenant and for administrators.")
    return who.tenant_id


async def auditor(request: Request, who: EventReader) -> UUID | None:
    """Somebody who may look; that they looked is on record."""
    note_of(request).sensitive = True
    return may_see(who)


Seen = Annotated[UUID | None, Depends(auditor)]


@router.get("")
async def search(query: Annotated[AuditPageQuery, Query()], tenant: Seen, parts: Parts) -> AuditPage:
    """Entries that fit, newest first."""
    [before] = AUDIT.read(query.cursor) or (None,)
    found = await parts.audit.newest(query, tenant, before, query.limit + 1)
    shown, following = AUDIT.cut(found, query.limit, lambda entry: (entry.position,))
    return AuditPage(items=list(shown), next=following)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {NDJSON: {}}, "description": "One entry a line, oldest first"}},
)
async def export(query: Annotated[AuditQuery, Query()], tenant: Seen, parts: Parts) -> StreamingResponse:
    """All entries that fit, as JSON lines, oldest first."""

    async def lines() -> AsyncIterator[bytes]:
        async for entry in parts.audit.all(query, tenant):
            yield entry.model_dump_json().encode() + b"\n"

    return StreamingResponse(
        lines(), media_type=NDJSON, headers={"content-disposition": 'attachment; filename="audit.jsonl"'}
    )


@router.get("/verification")
async def verification(
    _who: Admin,
    parts: Parts,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=50_000)] = 20_000,
) -> AuditCheck:
    """Whether the trail is as it was written: the hash of each entry is worked out again, from a position on."""
    return await parts.audit.check(after, limit)
