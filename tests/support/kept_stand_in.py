"""What the double of the API keeps for a person: push hooks by repository, uploads by id."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Json = dict[str, Any]


async def push_hook(kept: dict[str, Json], request: Request) -> Response:
    """GET, POST and DELETE of the push hook of one repository."""
    repository, secret = request.path_params["id"], {}
    if request.method == "DELETE":
        kept.pop(repository)
        return Response(status_code=204)
    if request.method == "POST":
        hook = {"hook_id": str(uuid4()), "repository_id": repository, "created_by": str(uuid4()), "works": True}
        hook |= {"url": f"https://pages.example/hooks/{repository}", "created_at": datetime.now(UTC).isoformat()}
        kept[repository] = hook | {"outcome": "", "received_at": None}
        secret = {"secret": f"whsec_{len(kept)}"}
    found = kept.get(repository)
    if found is None:
        body = {"type": "about:blank", "title": "There is no such thing", "status": 404, "code": "not_found"}
        return JSONResponse({**body, "detail": "No push hook of yours.", "correlation_id": "c0ffee"}, 404)
    return JSONResponse(found | secret, 201 if secret else 200)


async def uploads(kept: dict[str, Json], request: Request) -> Response:
    """The list of uploads, and DELETE of one."""
    if request.method == "DELETE":
        del kept[request.path_params["id"]]
        return Response(status_code=204)
    return JSONResponse({"items": [*kept.values()], "next": None})


async def letters(kept: dict[str, Json], request: Request) -> Response:
    """The list of parked messages, and a decision on one."""
    if request.method == "POST":
        letter = kept[request.path_params["id"]]
        resolution = {"retry": "retried", "discard": "discarded"}[request.path_params["verb"]]
        letter |= {"resolution": resolution, "resolved_at": datetime.now(UTC).isoformat(), "repeatable": False}
        return JSONResponse(letter)
    settled = request.query_params.get("settled") == "true"
    return JSONResponse({"items": [each for each in kept.values() if settled or not each.get("resolution")]})


async def me(scopes: list[str], _request: Request) -> Response:
    """The one person of local mode, where a test says what they may; else nobody can be told."""
    who = {"user_id": str(uuid4()), "tenant_id": str(uuid4()), "name": "You", "local": True, "scopes": scopes}
    return JSONResponse(who, 200) if scopes else Response(status_code=404)
