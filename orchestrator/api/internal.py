"""What only services of this installation may ask: the login that a clone shows its host, and facts of an analysis."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel

from events.looking import CallersRequest, DefinitionsRequest, Entries, Entry, FolderRequest
from orchestrator.adapters.clone_logins import CloneLogins
from orchestrator.adapters.contents import Contents, SymbolQuery
from orchestrator.api.content_models import SymbolView
from orchestrator.api.graph_models import LinkView, TreemapItem
from orchestrator.api.paging import Page
from runtime.service_tokens import ServiceVerifier

NAME = "orchestrator"
_CLONES, _LOOKS = frozenset({"processor"}), frozenset({"ai_engine"})


class LoginRequest(BaseModel):
    """Which analysis is cloned."""

    analysis_id: UUID


class LoginReply(BaseModel):
    """User and password of HTTP Basic authentication, good for an hour at least where they came from an App."""

    username: str
    password: str


def internal_routes(logins: CloneLogins, contents: Contents, callers: ServiceVerifier) -> APIRouter:
    """The routes: a login for the service that clones, facts for the assistant."""

    async def check_clones(authorization: Annotated[str, Header()] = "") -> None:
        callers.caller(authorization, _CLONES)

    async def check_looks(authorization: Annotated[str, Header()] = "") -> None:
        callers.caller(authorization, _LOOKS)

    router = APIRouter(prefix="/internal", include_in_schema=False)

    @router.post("/clone-login", response_model=None, dependencies=[Depends(check_clones)])
    async def clone_login(request: LoginRequest) -> LoginReply | Response:
        """The login (200), or that none is needed (204)."""
        login = await logins.login_for(request.analysis_id)
        return LoginReply(username=login.username, password=login.password) if login else Response(status_code=204)

    @router.post("/definitions", dependencies=[Depends(check_looks)])
    async def definitions(request: DefinitionsRequest) -> Entries:
        """Definitions by the beginning of a name, or of a file."""
        query, page = SymbolQuery(path=request.path, name=request.name), Page(None, request.limit)
        found = await contents.symbols(request.tenant_id, request.analysis_id, query, page)
        return Entries(total=found.total, entries=tuple(_definition(item) for item in found.items))

    @router.post("/callers", dependencies=[Depends(check_looks)])
    async def callers_of(request: CallersRequest) -> Entries:
        """Who calls a definition."""
        shard, _, ordinal = request.symbol.partition("-")
        place, page = (int(shard), int(ordinal)), Page(None, request.limit)
        found = await contents.graph.links(request.tenant_id, request.analysis_id, place, page, "callers")
        return Entries(total=found.total, entries=tuple(_caller(item) for item in found.items))

    @router.post("/folder", dependencies=[Depends(check_looks)])
    async def folder(request: FolderRequest) -> Entries:
        """What is right below a folder."""
        found = await contents.graph.treemap(request.tenant_id, request.analysis_id, request.folder.strip("/"))
        return Entries(total=len(found.items), entries=tuple(_below(item) for item in found.items))

    return router


def _definition(found: SymbolView) -> Entry:
    return Entry(
        id=found.id,
        kind=found.kind,
        name=found.qualified_name,
        path=found.path,
        first_line=found.first_line,
        last_line=found.last_line,
    )


def _caller(found: LinkView) -> Entry:
    return Entry(
        id=found.symbol_id or "",
        kind=found.kind,
        name=found.name or "the file itself",
        path=found.path,
        first_line=found.line,
        last_line=found.line,
        note=f"{found.level}, confidence {found.confidence:.2f}",
    )


def _below(found: TreemapItem) -> Entry:
    size = f"{found.lines} lines" if found.is_file else f"{found.files} files, {found.lines} lines"
    note = f"{size}, {found.language}" if found.language else size
    return Entry(kind="file" if found.is_file else "folder", name=found.name, path=found.path, note=note)
