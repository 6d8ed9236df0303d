"""The internal HTTP interface: search, exact lines, generations. Only the services of one installation may call it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from events.beside import BesideReply, BesideRequest, IndexPromoted, IndexPromotion
from events.collection import (
    CollectionAsked,
    CollectionRebuild,
    CollectionsState,
    GenerationChoice,
    KeptGenerations,
)
from events.looking import LinesRequest
from events.question import SearchRequest
from rag_manager.collections_now import CollectionsNow
from rag_manager.going_back import GoingBack
from rag_manager.jobs.promote_index import PromoteIndex
from rag_manager.lines import Lines
from rag_manager.rebuilding import Rebuilding
from rag_manager.search import Search
from rag_manager.shadow_index import BesideSearch
from runtime.faults import Fault, Transient
from runtime.metrics import search_seconds
from runtime.service_tokens import ServiceVerifier

_STATUS = {
    "not_indexed_yet": 409,
    "not_found": 404,
    "no_such_analysis": 404,
    "artifact_missing": 404,
    "shadow_not_done": 409,
    "shadow_not_promotable": 409,
    "shadow_outdated": 409,
    "no_such_file": 404,
    "nothing_in_scope": 404,
    "generation_unknown": 404,
    "generation_outdated": 409,
    "analysis_replaced": 409,
    "embedder_not_set": 409,
    "index_moved": 409,
    "unauthorized": 401,
}
_TITLE = {401: "Not authorized", 404: "Not found", 409: "Not ready", 422: "Invalid request", 503: "Unavailable"}


NAME = "rag_manager"
_OVERSEER = frozenset({"orchestrator"})
_CALLERS = _OVERSEER | {"ai_engine"}


def internal_routes(search: Search, lines: Lines, callers: ServiceVerifier) -> APIRouter:
    """The routes, for the services that ask for them alone."""

    router = _router(callers, _CALLERS)

    @router.post("/search")
    async def post_search(request: SearchRequest) -> Response:
        with search_seconds.time():
            return _as_json(await search(request))

    @router.post("/lines")
    async def post_lines(request: LinesRequest) -> Response:
        return _as_json(await lines(request))

    return router


def shadow_routes(beside: BesideSearch, promote: PromoteIndex, callers: ServiceVerifier) -> APIRouter:
    """What compares the shadow of an index with what serves, and has it serve; for the orchestrator alone."""
    router = _router(callers, _OVERSEER)

    @router.post("/shadows/search")
    async def post_search(asked: BesideRequest) -> BesideReply:
        return await beside(asked)

    @router.post("/shadows/promote")
    async def post_promotion(asked: IndexPromotion) -> IndexPromoted:
        await promote(asked)
        return IndexPromoted(shadow_id=asked.shadow_id)

    return router


def collection_routes(rebuilding: Rebuilding, state: CollectionsNow, callers: ServiceVerifier) -> APIRouter:
    """The routes that administrators' requests come to, by the orchestrator alone."""
    router = _router(callers, _OVERSEER)

    @router.get("/collections")
    async def get_state() -> CollectionsState:
        return await state()

    @router.post("/collections/rebuilds")
    async def post_rebuild(asked: CollectionAsked) -> CollectionRebuild:
        return await rebuilding.ask(asked)

    @router.get("/collections/rebuilds/{rebuild_id}")
    async def get_rebuild(rebuild_id: UUID) -> CollectionRebuild:
        return await rebuilding.one(rebuild_id)

    return router


def generation_routes(going_back: GoingBack, callers: ServiceVerifier) -> APIRouter:
    """What is kept of an analysis, and having one of it serve; for the orchestrator alone."""
    router = _router(callers, _OVERSEER)

    @router.get("/analyses/{analysis_id}/generations")
    async def get_generations(analysis_id: UUID, tenant_id: UUID) -> KeptGenerations:
        return await going_back.kept(tenant_id, analysis_id)

    @router.post("/generations/choice")
    async def post_choice(choice: GenerationChoice) -> KeptGenerations:
        return await going_back(choice)

    return router


def _router(callers: ServiceVerifier, who: frozenset[str]) -> APIRouter:
    async def check(authorization: Annotated[str, Header()] = "") -> None:
        callers.caller(authorization, who)

    return APIRouter(prefix="/internal", dependencies=[Depends(check)])


def add_problems(app: FastAPI) -> None:
    """Let every failure of the routes be a problem document (RFC 9457) with a stable code."""

    @app.exception_handler(Fault)
    async def on_fault(_request: Request, fault: Exception) -> JSONResponse:
        assert isinstance(fault, Fault)  # noqa: S101  # registered for nothing else
        status = _STATUS.get(fault.code, 503 if isinstance(fault, Transient) else 500)
        return _problem(status, fault.code, fault.message)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for nothing else
        where = ", ".join(".".join(str(part) for part in item["loc"]) for item in error.errors())
        return _problem(422, "invalid_request", f"These fields are missing or wrong: {where}.")


def _as_json(reply: BaseModel) -> Response:
    """A reply as it is: FastAPI would make objects of it, and those into JSON."""
    return Response(reply.model_dump_json(), media_type="application/json")


def _problem(status: int, code: str, detail: str) -> JSONResponse:
    body = {
        "type": f"https://repostream.dev/problems/{code}",
        "title": _TITLE.get(status, "Failure"),
        "status": status,
        "code": code,
        "detail": detail,
    }
    return JSONResponse(body, status, media_type="application/problem+json")
