"""The internal HTTP interface: what a repository's host says of its refs, before anything is cloned."""

import asyncio
from collections.abc import Callable

from pydantic import BaseModel, Field, SecretStr, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from processor.adapters import git_recipe as recipe
from processor.adapters.git_errors import ref_not_found
from processor.ports import Ahead, Login, Refs, Repositories
from processor.stages.settle_ref import names_in, settle_ref
from runtime.faults import Cancelled, Fault, Permanent, Transient
from runtime.redaction import hidden
from runtime.service_tokens import ServiceVerifier

NAME = "processor"
_CALLERS = frozenset({"orchestrator"})
_AT_ONCE = 4  # look-ups at hosts
_WAITING = 16
_MOST_BYTES = 16_384


SizeOf = Callable[[str], int | None]
AheadOf = Callable[[str, str, str, Login | None], Ahead | None]  # address, base, head, what it is read with


class RefsRequest(BaseModel):
    """A repository; `ref` is one by its name, `rest` a ref followed by a path, where it ends being unknown.

    `since` is a commit that is known: how many commits were added to it is asked for then, and the size is not.
    """

    url: str
    ref: str | None = None
    rest: str | None = None
    since: str | None = Field(default=None, pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")
    username: str = ""
    password: SecretStr = SecretStr("")


class RefsReply(BaseModel):
    """`ref` and `commit` are those that were asked for, or of the default branch; a commit's id is not looked for.

    `size` is what the host says that all of the repository takes, in bytes; None where it does not say. `ahead` is how
    many commits it says that `commit` has beyond the known one; with `ahead_or_more` it is so many, or more.
    """

    ref: str | None
    path: str
    commit: str | None
    default_branch: str | None
    branches: list[str]
    tags: list[str]
    branch_count: int
    tag_count: int
    size: int | None = None
    ahead: int | None = None
    ahead_or_more: bool = False


class Deadline:
    """`ports.Watch` of a look-up: told to stop when nobody waits for it any more."""

    def __init__(self) -> None:
        self.over = False

    def check(self) -> None:
        """As `ports.Watch.check`."""
        if self.over:
            raise Cancelled

    def progress(self, done: int, total: int, current: str, unit: str | None = None) -> None:
        """As `ports.Watch.progress`; nobody looks."""


def internal_routes(
    repositories: Repositories,
    callers: ServiceVerifier,
    size_of: SizeOf = lambda _url: None,
    ahead_of: AheadOf = lambda _url, _base, _head, _login: None,
) -> list[Route]:
    """The routes, for the orchestrator alone. `size_of` and `ahead_of` are what hosts say of size and of commits."""
    slots, waiting = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_WAITING)

    async def refs(request: Request) -> Response:
        try:
            callers.caller(request.headers.get("authorization", ""), _CALLERS)
            wanted = RefsRequest.model_validate_json(await _body(request))
            if waiting.locked():
                raise Transient("preflight_unavailable", "Too many hosts are being asked: try again in a moment.")
            async with waiting, slots:
                reply = await _ask(repositories, wanted, size_of, ahead_of)
        except ValidationError:
            return _problem(422, "invalid_request", "The look-up cannot be read.")
        except Fault as fault:
            return _problem(_status(fault), fault.code, fault.message)
        return Response(reply.model_dump_json(), media_type="application/json")

    return [Route("/internal/refs", refs, methods=["POST"])]


async def _ask(repositories: Repositories, wanted: RefsRequest, size_of: SizeOf, ahead_of: AheadOf) -> RefsReply:
    login = Login(wanted.username, wanted.password.get_secret_value()) if wanted.username else None
    watch = Deadline()

    def look() -> RefsReply:
        """The address is checked by the first question; the others follow."""
        found = answer(wanted, repositories.look_up(wanted.url, _names(wanted), watch, login))
        if wanted.since is not None:
            return _with_ahead(found, wanted, ahead_of, login)
        return found.model_copy(update={"size": size_of(wanted.url) if login is None else None})

    try:
        if login is None:
            return await run_in_threadpool(look)
        with hidden(login.password):
            return await run_in_threadpool(look)
    finally:
        watch.over = True


def _with_ahead(found: RefsReply, wanted: RefsRequest, ahead_of: AheadOf, login: Login | None) -> RefsReply:
    if found.commit is None or wanted.since is None or found.commit == wanted.since:
        return found
    ahead = ahead_of(wanted.url, wanted.since, found.commit, login)
    if ahead is None:
        return found
    return found.model_copy(update={"ahead": ahead.commits, "ahead_or_more": ahead.is_least})


def _names(wanted: RefsRequest) -> list[str]:
    if wanted.rest is not None:
        return names_in(wanted.rest)
    return recipe.full_names(wanted.ref) if wanted.ref is not None and not recipe.is_sha(wanted.ref) else []


def answer(wanted: RefsRequest, found: Refs) -> RefsReply:
    """What was asked for, of what the host said. Raises Permanent `ref_not_found`, `repository_empty`."""
    ref, path, commit = wanted.ref, "", found.head
    if wanted.rest is not None:
        settled = settle_ref(wanted.rest, found.commits)
        if settled is None:
            raise ref_not_found(wanted.rest.partition("/")[0])
        ref, path = settled
    if ref is not None and recipe.is_sha(ref):
        commit = ref
    elif ref is not None:
        commit = next((found.commits[name] for name in recipe.full_names(ref) if name in found.commits), None)
        if commit is None:
            raise ref_not_found(ref)
    elif commit is None and not found.branch_count and not found.tag_count:
        raise Permanent("repository_empty", "The repository has no commit yet.")
    elif commit is None:
        raise Permanent("ref_not_found", "The repository's default branch does not exist: name a branch or a tag.")
    return RefsReply(
        ref=ref,
        path=path,
        commit=commit,
        default_branch=found.default_branch,
        branches=list(found.branches),
        tags=list(found.tags),
        branch_count=found.branch_count,
        tag_count=found.tag_count,
    )


async def _body(request: Request) -> bytes:
    found = b""
    async for block in request.stream():
        found += block
        if len(found) > _MOST_BYTES:
            break
    return found[:_MOST_BYTES]


def _status(fault: Fault) -> int:
    if fault.code == "unauthorized":
        return 401
    return 503 if isinstance(fault, Transient) else 422


def _problem(status: int, code: str, detail: str) -> JSONResponse:
    body = {"type": f"urn:repostream:problem:{code}", "title": "Failure", "status": status}
    return JSONResponse(body | {"code": code, "detail": detail}, status, media_type="application/problem+json")
