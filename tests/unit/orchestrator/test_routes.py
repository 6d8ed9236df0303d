"""Every route of the application says what it takes: one scope, or it is public and stands in the list here."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts

from orchestrator.api.dependencies import identify
from orchestrator.api.roles import OWNERS_ALONE
from orchestrator.api.shared_access import OPEN
from orchestrator.app import create_app
from orchestrator.auth.identity import ALL_SCOPES, ASK, EVENTS, READ, WRITE, Kind
from runtime.sealing import fresh_key

PUBLIC = {
    "/api/v1/openapi.json": "describes the API, and nothing of anybody",
    "/healthz": "for whoever restarts the service",
    "/readyz": "for whoever sends requests to it",
    "/internal/clone-login": "takes the token of a service instead: see test_clone_logins.py",
    "/internal/definitions": "the token of the assistant: see test_graph_api.py",
    "/internal/callers": "the token of the assistant: see test_graph_api.py",
    "/internal/folder": "the token of the assistant: see test_graph_api.py",
    "/.well-known/jwks.json": "public keys",
    "/auth/token": "the page server shows a service token, and the secret of a session",
    "/auth/refresh": "the refresh token says who is asking",
    "/auth/revoke": "the same",
    "/auth/providers": "the buttons of the page for whoever is not signed in",
    "/auth/login": "the way in",
    "/auth/callback": "the same: the browser keeps a sealed cookie in between",
    "/auth/logout": "the way out, for whoever has a session",
    "/hooks/{repository_id}": "for a repository's host, whose call is signed: see test_push_hooks.py",
    "/metrics": "for the network of the installation; the ingress does not lead there",
}

# A person's own credentials: whoever may look may let programs look too. A test shows that no program can do it.
OWN = {
    ("POST", "/api/v1/me/keys"),
    ("DELETE", "/api/v1/me/keys/{key_id}"),
    ("POST", "/api/v1/me/grants"),
    ("DELETE", "/api/v1/me/sessions/{session_id}"),
    ("DELETE", "/api/v1/me/grants/{grant_id}"),
    ("DELETE", "/api/v1/me"),
    ("DELETE", "/api/v1/tenants/{tenant_id}"),
    ("POST", "/api/v1/tenants"),
    ("POST", "/api/v1/tenants/{tenant_id}/switch"),
    ("POST", "/api/v1/tenants/{tenant_id}/leave"),
    ("POST", "/api/v1/invitations/offer"),
    ("POST", "/api/v1/invitations/accept"),
}

# A message of an agent: what its tool changes, it changes by a request of its own, which takes a scope that writes.
MESSAGES = {("POST", "/api/v1/mcp")}
# A calculation whose input does not fit into an address.
CALCULATIONS = {("POST", "/api/v1/forks")}

# Whoever is no owner of the tenant may not, whatever their scopes.
OWNERS = {
    ("PATCH", "/api/v1/tenants/{tenant_id}"),
    ("PATCH", "/api/v1/tenants/{tenant_id}/members/{user_id}"),
    ("DELETE", "/api/v1/tenants/{tenant_id}/members/{user_id}"),
    ("POST", "/api/v1/tenants/{tenant_id}/invitations"),
    ("GET", "/api/v1/tenants/{tenant_id}/invitations"),
    ("DELETE", "/api/v1/tenants/{tenant_id}/invitations/{invitation_id}"),
    ("POST", "/api/v1/webhooks"),
    ("GET", "/api/v1/webhooks"),
    ("PATCH", "/api/v1/webhooks/{webhook_id}"),
    ("DELETE", "/api/v1/webhooks/{webhook_id}"),
    ("GET", "/api/v1/webhooks/{webhook_id}/deliveries"),
    ("POST", "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"),
}


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FastAPI:
    """The application as it is served; it connects to nothing before it starts."""
    monkeypatch.setenv("REPOSTREAM_HOME", str(tmp_path))
    monkeypatch.setenv("REPOSTREAM_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("REPOSTREAM_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())
    monkeypatch.setenv("REPOSTREAM_LOCAL_SIGN_IN", "true")
    return create_app()


def declared(dependant: Any) -> Iterator[tuple[str, ...]]:
    """The scopes of each place where a route asks who is there."""
    for inner in dependant.dependencies:
        if inner.call is identify:
            yield tuple(inner.own_oauth_scopes or ())
        yield from declared(inner)


def routes_of(app: FastAPI) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    """(method, path) of every route, whoever added it, and what it declares."""
    found: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        for method in route.methods or {"ANY"}:
            found[method, str(route.path)] = list(declared(dependant)) if dependant else []
    return found


def test_every_route_declares_exactly_one_scope_or_is_public(app: FastAPI) -> None:
    routes = routes_of(app)
    asking = {place: scopes for place, scopes in routes.items() if place[1] not in PUBLIC}

    wrong = {
        place: scopes
        for place, scopes in asking.items()
        if len(scopes) != 1 or len(scopes[0]) != 1 or scopes[0][0] not in ALL_SCOPES
    }
    assert len(asking) > 20
    assert wrong == {}
    assert PUBLIC.keys() <= {path for _, path in routes}


def test_a_route_that_forgot_its_scope_is_found(app: FastAPI) -> None:
    router = APIRouter(prefix="/outer")
    inner = APIRouter()
    inner.add_api_route("/bare", lambda: None)
    router.include_router(inner)
    app.include_router(router)

    assert routes_of(app)["GET", "/outer/bare"] == []


def test_nothing_is_changed_by_a_scope_that_only_reads(app: FastAPI) -> None:
    told = OWN | OWNERS | MESSAGES | CALCULATIONS
    reading = [
        place
        for place, scopes in routes_of(app).items()
        if place[0] not in {"GET", "HEAD"} and scopes and scopes[0][0] in {READ, EVENTS} and place not in told
    ]

    assert reading == []


def called(dependant: Any) -> Iterator[Callable[..., object]]:
    """The route's function, and what it is handed the results of."""
    yield dependant.call
    for inner in dependant.dependencies:
        yield from called(inner)


def runs_in_the_loop(call: Callable[..., object]) -> bool:
    """FastAPI hands a plain function to a thread, which costs more than what any of ours does."""
    functions = (call, getattr(call, "__call__", None))  # noqa: B004  # an object of a class with an async one
    return any(inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in functions)


def test_no_route_takes_a_thread(app: FastAPI) -> None:
    dependants = [route.dependant for route in iter_route_contexts(app.routes) if getattr(route, "dependant", None)]
    calls = {call for dependant in dependants for call in called(dependant)}

    assert len(calls) > 40
    assert {call for call in calls if not runs_in_the_loop(call)} == set()


def test_the_routes_for_owners_alone_are_these_and_each_says_so_itself(app: FastAPI) -> None:
    found = {
        (method, str(route.path))
        for route in iter_route_contexts(app.routes)
        if (dependant := getattr(route, "dependant", None)) and set(called(dependant)) & set(OWNERS_ALONE)
        for method in route.methods or ()
    }

    assert found == OWNERS


def test_what_changes_a_tenant_is_for_its_owners_or_about_oneself(app: FastAPI) -> None:
    changing = {place for place in routes_of(app) if "{tenant_id}" in place[1] and place[0] != "GET"}

    assert changing - OWNERS == {
        ("POST", "/api/v1/tenants/{tenant_id}/switch"),
        ("POST", "/api/v1/tenants/{tenant_id}/leave"),
        ("DELETE", "/api/v1/tenants/{tenant_id}"),  # looks for its owner itself: one may work in another tenant then
    }


def test_what_a_sharing_link_opens_are_reading_routes_that_exist(app: FastAPI) -> None:
    reading = {
        str(getattr(route, "unique_id", ""))
        for route in iter_route_contexts(app.routes)
        if set(route.methods or ()) <= {"GET", "HEAD"}
    }

    assert {name for opened in OPEN.values() for name in opened} - reading == set()
    assert set(OPEN) == set(Kind)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("get", "/api/v1/repositories", READ),
        ("post", "/api/v1/analyses", WRITE),
        ("post", "/api/v1/conversations/{conversation_id}/questions", ASK),
        ("get", "/api/v1/events", EVENTS),
        ("get", "/api/v1/analyses/{analysis_id}/events", EVENTS),
    ],
)
def test_the_description_of_the_api_says_which_scope_and_which_proofs(
    app: FastAPI, method: str, path: str, scope: str
) -> None:
    description = app.openapi()

    assert description["paths"][path][method]["security"] == [{"bearer": [scope]}, {"session": [scope]}]
    assert description["components"]["securitySchemes"].keys() == {"bearer", "session"}
