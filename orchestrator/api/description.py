"""The API's own description (OpenAPI): stable names of operations, summaries, and the problems that each may answer.

FastAPI knows routes and shapes; what every answer passes (guard, sign-in, the handlers of errors) is added here.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from orchestrator.api.examples import add_examples
from orchestrator.api.idempotency import PARAMETER
from orchestrator.api.models import Problem
from orchestrator.api.problems import MEDIA_TYPE
from orchestrator.progress.stream import only_needed, take_stream

Json = dict[str, Any]
_EVERYWHERE = {
    400: "The request is for another host, or cannot be read at all",
    401: "Nobody is signed in, or no longer",
    403: "Who asks may not do that, or a page elsewhere asks",
    413: "The body is too large",
    422: "The request cannot be read, or means something that is not allowed; `code` says what",
    429: "Too much in too short a time: wait for `Retry-After` seconds",
    500: "A fault of ours; the correlation id leads to the log",
    503: "Come back in `Retry-After` seconds",
}
_NAMED = {404: "Nothing of yours has that id"}
_CHANGING = {409: "It is not in a state in which that can be done"}
_OF_A_LINK = "shares_shared"  # whoever asks with something else than a sharing link has none
_METHODS = ("get", "put", "post", "patch", "delete")


class Api(FastAPI):
    """Serves streams outside of everything else that a request passes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        received = scope.get("headers")
        await super().__call__(scope, receive, send)
        stream = take_stream(scope)
        if stream is not None:
            only_needed(scope, received)
            await stream.run(receive, send)


def create_api(
    routes: Iterable[BaseRoute],
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """The routes and their description, without the parts that serve them: the typed client is made from it."""
    app = Api(
        title="Repostream",
        version="0.1.0",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
    )
    app.router.routes.extend(routes)
    app.openapi = described(app)  # type: ignore[method-assign]  # FastAPI's own way to change it
    return app


def routes_of(routers: Iterable[APIRouter], bare: Iterable[APIRouter] = ()) -> list[BaseRoute]:
    """The routes of the API, `bare` ones beside its version.

    Applications of one process share them: working out what each takes costs 0.4 s of processor time.
    """
    together = APIRouter(generate_unique_id_function=operation_id)
    for router in routers:
        together.include_router(router, prefix="/api/v1")
    for router in bare:
        together.include_router(router)
    return together.routes


def operation_id(route: APIRoute) -> str:
    """The name of an operation: its resource and its function, as the typed client's methods are called."""
    return f"{route.tags[0] if route.tags else 'api'}_{route.name}"


def described(app: FastAPI) -> Callable[[], Json]:
    """What `app.openapi` is to be: FastAPI's description, completed; made once."""
    bare = app.openapi

    def openapi() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = complete(bare())
        return app.openapi_schema

    return openapi


def complete(schema: Json) -> Json:
    """`schema` with problems, summaries and no trace of FastAPI's own errors; changed in place."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    answers = schema["components"].setdefault("responses", {})
    for status, meaning in (_EVERYWHERE | _NAMED | _CHANGING).items():
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        answers[f"Problem{status}"] = {"description": meaning, "content": content}
    for path, method, operation in operations(schema):
        if method == "post" and path.startswith("/api/"):
            operation.setdefault("parameters", []).append(dict(PARAMETER))
        operation["summary"] = str(operation.get("description", operation["operationId"])).partition("\n")[0]
        expected = {*_EVERYWHERE, *(_NAMED if "{" in path or method != "get" or _filters(operation) else ())}
        expected |= {*(_CHANGING if method != "get" else ())}
        expected |= {status for status in (*_NAMED, *_CHANGING) if str(status) in operation["responses"]}
        if method == "get" and "application/json" in operation["responses"].get("200", {}).get("content", {}):
            operation["responses"]["304"] = {"description": "It has not changed since the answer with that `ETag`"}
        for status in sorted(expected):
            operation["responses"][str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    add_examples(schemas)
    return schema


def operations(schema: Json) -> Iterator[tuple[str, str, Json]]:
    """Path, method and description of every operation."""
    for path, item in schema["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _filters(operation: Json) -> bool:
    """Whether it is about something that may not be there, without its id in the path."""
    named = any(parameter["name"] == "stream_id" for parameter in operation.get("parameters", ()))
    return named or operation["operationId"] == _OF_A_LINK
