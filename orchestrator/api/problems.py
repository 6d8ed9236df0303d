"""Errors as RFC 9457 problems: a stable code, a sentence that says what to do, never a stack trace."""

import re
import socket
from collections.abc import Mapping
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.api.models import Problem
from orchestrator.api.strict import UNKNOWN
from runtime.faults import Fault, Transient
from runtime.redaction import redact

_log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
_LONGEST_NAME = 60  # characters of a field's name that are told: one that nobody knows may be anything
RETRY_AFTER = {"Retry-After": "2"}
# What SQLAlchemy raises, and what its driver does where it is asked itself.
_DATABASE = (
    DBAPIError,
    PoolTimeout,
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a connection whose server is gone before the driver has noticed
)
_ASKED_WRONGLY = (
    IntegrityError,
    ProgrammingError,
    DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.SyntaxOrAccessError,
    asyncpg.DataError,
)
_CHALLENGE = {401: {"WWW-Authenticate": 'Bearer realm="repostream"'}, 503: RETRY_AFTER}

# code → (status, title). Faults of a stage's vocabulary that reach a request are listed too.
CODES: Mapping[str, tuple[int, str]] = {
    "invalid_request": (422, "The request cannot be read"),
    "bad_cursor": (422, "That is not the cursor of a page of this list"),
    "bad_url": (422, "That is not the address of a repository"),
    "credentials_in_url": (422, "The address holds a password"),
    "host_not_allowed": (422, "Repositories of that host are not read here"),
    "bad_ref": (422, "That is not the name of a branch, a tag or a commit"),
    "history_too_deep": (422, "The history is not read as far back as that"),
    "bad_folder": (422, "That is not the path of a folder"),
    "bad_include": (422, "Those are no patterns of paths"),
    "another_repository": (422, "Those are analyses of two repositories"),
    "bad_webhook_url": (422, "A webhook cannot have that address"),
    "too_many_webhooks": (409, "There are too many webhooks"),
    "delivery_waiting": (409, "It is about to be sent"),
    "push_hook_refused": (403, "No push hook takes that"),
    "nothing_is_pushed": (409, "Nothing is pushed there"),
    "archive_unknown": (422, "That is no archive that is read here"),
    "upload_too_large": (413, "The upload is too large"),
    "upload_stalled": (503, "The upload broke off"),
    "upload_gone": (404, "The upload is not kept any more"),
    "upload_in_use": (409, "A repository was made of the upload"),
    "idempotency_key_reused": (422, "The idempotency key was used for something else"),
    "idempotency_in_flight": (409, "The first request with that key is not answered yet"),
    "idempotency_unknown": (409, "The first request with that key came to no known end"),
    "idempotency_answer_gone": (409, "The answer to the first request with that key is not kept"),
    "bad_token": (422, "That is not a token"),
    "credentials_not_kept": (422, "This installation keeps no tokens"),
    "too_many_credentials": (409, "Too many tokens are kept"),
    "credential_gone": (409, "The token is not kept any more"),
    "app_not_installed": (409, "The GitHub App is not installed there"),
    "github_app_refused": (409, "GitHub refuses the App"),
    "github_unavailable": (503, "GitHub does not answer"),
    "unauthorized": (401, "Only services of this installation may ask"),
    "preflight_unavailable": (503, "Hosts cannot be asked now"),
    "repository_not_found": (404, "There is no such repository"),
    "repository_moved": (409, "The repository has another address"),
    "repository_empty": (409, "The repository is empty"),
    "repository_too_large": (409, "The repository is too large"),
    "repository_damaged": (409, "The repository is damaged"),
    "ref_not_found": (404, "There is no such branch, tag or commit"),
    "credential_refused": (409, "The host refuses the token"),
    "host_unreachable": (503, "The host does not answer"),
    "clone_timeout": (503, "The host is too slow"),
    "clone_failed": (503, "The host cannot be read"),
    "disk_full": (503, "A disk is full"),
    "memory_limit": (503, "The memory does not suffice"),
    "git_missing": (503, "git is not installed"),
    "model_not_configured": (422, "That model is not configured"),
    "mode_not_offered": (422, "That mode is not offered"),
    "not_found": (404, "There is no such thing"),
    "file_not_found": (404, "There is no such file"),
    "file_skipped": (404, "That file was left out"),
    "not_cloned": (409, "The sources are not there yet"),
    "analysis_over": (409, "The analysis is over"),
    "nothing_to_confirm": (409, "Nothing waits to be confirmed"),
    "letter_settled": (409, "It was decided before"),
    "bundle_not_over": (409, "Work on it is not over"),
    "bundle_unreadable": (422, "That is no bundle"),
    "bundle_version": (422, "A bundle of another time"),
    "bundle_members": (422, "The bundle is not whole"),
    "bundle_damaged": (422, "The bundle is damaged"),
    "bundle_event": (422, "An event of the bundle cannot be read"),
    "bundle_foreign": (422, "What is in the bundle does not belong together"),
    "bundle_too_large": (413, "The bundle is too large"),
    "shadow_not_offered": (422, "There is no shadow of that stage"),
    "shadow_nothing_recorded": (409, "There is nothing to run it on"),
    "shadow_not_complete": (409, "The analysis is not complete yet"),
    "shadow_too_many": (409, "There are as many shadows as may be kept"),
    "shadow_not_done": (409, "The shadow has nothing to promote"),
    "shadow_not_promotable": (409, "That cannot take the place of what serves"),
    "shadow_outdated": (409, "The shadow is of a result that does not serve any more"),
    "fork_version_unknown": (422, "The history has no such version"),
    "fork_edit_refused": (422, "That cannot be edited so"),
    "fork_busy": (503, "Another fork is being calculated"),
    "fork_too_long": (422, "The history is too long to be forked"),
    "letter_not_repeatable": (409, "That cannot be done again from here"),
    "letter_not_waiting": (409, "Nothing would run by that"),
    "letter_not_editable": (409, "That cannot be changed"),
    "letter_edit_refused": (422, "Those values cannot be"),
    "analysis_not_failed": (409, "Nothing is left to be tried again"),
    "nothing_to_run_again": (409, "Nothing of that can run again now"),
    "not_answered": (409, "There is no answer yet"),
    "not_indexed_yet": (409, "Nothing is indexed yet"),
    "no_such_analysis": (404, "That analysis is not searched"),
    "nothing_in_scope": (404, "Nothing is in that scope"),
    "generation_unknown": (404, "There is no such generation"),
    "generation_outdated": (409, "That generation does not have all passages"),
    "analysis_replaced": (409, "A newer analysis is searched"),
    "embedder_not_set": (409, "Nobody embeds questions for that generation"),
    "embedding_under_way": (409, "Its vectors are being made"),
    "index_unavailable": (503, "The vectors do not answer"),
    "search_unavailable": (503, "Search does not answer"),
    "method_not_allowed": (405, "That cannot be done here"),
    "body_too_large": (413, "The request is too large"),
    "bad_host": (400, "The request is for another host"),
    "cross_site": (403, "The request comes from another site"),
    "not_local": (403, "Only this machine may ask"),
    "forbidden": (403, "You may not do that"),
    "not_signed_in": (401, "You are not signed in"),
    "quota_reached": (429, "Your team has as much as it may have for now"),
    "quota_full": (409, "Your team has as much as it may have"),
    "rate_limited": (429, "That is too much for now"),
    "refresh_token_reused": (401, "The refresh token was used before"),
    "too_many_keys": (409, "There are too many keys"),
    "local_account": (409, "There is no account to delete"),
    "not_confirmed": (422, "It was not confirmed"),
    "last_owner": (409, "A team would be left without an owner"),
    "personal_tenant": (409, "That is a person's own tenant"),
    "link_over": (401, "The link shows nothing any more"),
    "no_sign_in": (409, "There is no sign-in here"),
    "too_many_teams": (409, "There are too many teams"),
    "too_many_members": (409, "The team is full"),
    "too_many_invitations": (409, "There are too many open invitations"),
    "too_many_shares": (409, "There are too many open links"),
    "invitation_for_another": (403, "The invitation is for somebody else"),
    "invitation_used": (409, "The invitation was used"),
    "invitation_revoked": (409, "The invitation was taken back"),
    "invitation_expired": (409, "The invitation is over"),
    "already_member": (409, "You are a member already"),
    "sign_in_unavailable": (503, "Sign-ins cannot be checked"),
    "not_comparable": (409, "They cannot be compared"),
    "artifact_missing": (500, "A stored result is missing"),
    "artifact_corrupt": (500, "A stored result is damaged"),
    "store_unavailable": (503, "The object store does not answer"),
    "database_unavailable": (503, "The database does not answer"),
    "audit_unavailable": (503, "It cannot be put on record"),
    "timed_out": (503, "That took too long"),
    "internal_error": (500, "Something went wrong here"),
}


class ApiProblem(Exception):
    """An error to be told to the client. `code` is one of CODES."""

    def __init__(self, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})


def status_of(code: str) -> int:
    """The HTTP status of a code."""
    return CODES.get(code, (500, ""))[0]


def body_of(code: str, detail: str, correlation_id: str) -> Problem:
    """The problem as it is sent. An unknown code is a fault of ours."""
    status, title = CODES.get(code, (500, "Something went wrong here"))
    return Problem(
        type=f"urn:repostream:problem:{code}",
        title=title,
        status=status,
        detail=redact(detail),
        code=code,
        correlation_id=correlation_id,
    )


def correlation_of(request: Request) -> str:
    """The id that ties the answer to the logs and to the events it caused."""
    return str(request.scope.get("state", {}).get("correlation_id", ""))


def _answer(request: Request, code: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    problem = body_of(code, detail, correlation_of(request))
    told = {**_CHALLENGE.get(problem.status, {}), **(headers or {})}
    return Response(problem.model_dump_json(), problem.status, told, media_type=MEDIA_TYPE)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiProblem)  # noqa: S101  # registered for it
    return _answer(request, error.code, error.detail, error.headers)


async def _on_fault(request: Request, error: Exception) -> Response:
    assert isinstance(error, Fault)  # noqa: S101  # registered for it
    if error.code not in CODES:
        _log.error("fault_without_status", code=error.code, path=request.scope.get("path"))
    return _answer(request, error.code, error.message, RETRY_AFTER if isinstance(error, Transient) else None)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for it
    places = [_place(problem) for problem in list(error.errors())[:5]]
    return _answer(request, "invalid_request", "; ".join(places)[:1_000] or "It is not what this address takes.")


def _place(problem: Mapping[str, Any]) -> str:
    unknown = problem["type"] == UNKNOWN
    said = "nothing is called so here; the API's description has the names" if unknown else problem["msg"]
    return f"{'.'.join(str(part)[:_LONGEST_NAME] for part in problem['loc'])}: {said}"


_DELETED = "RS404"  # as the trigger `refuse_deleted` says it: a row for somebody who is deleted
_BY_STATUS = {401: "not_signed_in", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}


def _allowed(request: Request) -> str:
    """All methods of an address: the router names those of the first route alone."""
    path, known = request.scope["path"], request.app.openapi()["paths"]
    fits = (item for template, item in known.items() if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path))
    return ", ".join(sorted({method.upper() for item in fits for method in item}))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for it
    code = _BY_STATUS.get(error.status_code, "invalid_request")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = _allowed(request)
    return _answer(request, code, "The address or the method is not part of the API.", headers)


async def _on_database(request: Request, error: Exception) -> Response:
    """Locked, down or out of connections: come back. What we asked wrongly is our fault."""
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _DELETED:
        return _answer(request, "not_found", "The account or the team was deleted while you asked.")
    _log.warning("database_fault", error=repr(error)[:500], path=request.scope.get("path"))
    if isinstance(error, _ASKED_WRONGLY):
        return _answer(request, "internal_error", "It was logged; please report the correlation id.")
    return _answer(request, "database_unavailable", "It is busy or restarting: try again in a moment.", RETRY_AFTER)


async def _on_unknown(request: Request, _error: Exception) -> Response:
    """The guard logs it: it is raised further once this is answered."""
    return _answer(request, "internal_error", "It was logged; please report the correlation id.")


def register(app: FastAPI) -> None:
    """Answer the errors that `app` knows as problems; the guard around it does the rest."""
    app.add_exception_handler(Exception, _on_unknown)
    app.add_exception_handler(ApiProblem, _on_problem)
    app.add_exception_handler(Fault, _on_fault)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for kind in (*_DATABASE, ConnectionError, TimeoutError, socket.gaierror):
        app.add_exception_handler(kind, _on_database)
