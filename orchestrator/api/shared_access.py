"""What whoever has a sharing link may see: the one place that says so, on the way to every route.

Who is asking is asked by `identify` alone, on every route (a test walks them). There a link is held against this list:
a route that is not on it is not there, and one that is shows the link's own thing or nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from fastapi.routing import APIRoute
from starlette.requests import Request

from orchestrator.adapters.readmodels import ReadModels
from orchestrator.api.description import operation_id
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity, Kind, Shared

Check = Callable[[Mapping[str, str], UUID, Shared, ReadModels], Awaitable[bool]]


async def _always(_parameters: Mapping[str, str], _tenant: UUID, _shared: Shared, _read: ReadModels) -> bool:
    return True


async def _repository(parameters: Mapping[str, str], _tenant: UUID, shared: Shared, _read: ReadModels) -> bool:
    return parameters["repository_id"] == str(shared.resource_id)


async def _conversation(parameters: Mapping[str, str], _tenant: UUID, shared: Shared, _read: ReadModels) -> bool:
    return parameters["conversation_id"] == str(shared.resource_id)


async def _newest_analysis(parameters: Mapping[str, str], tenant: UUID, shared: Shared, read: ReadModels) -> bool:
    found = await read.repository(tenant, shared.resource_id)
    newest = found.latest if found is not None else None
    return newest is not None and parameters["analysis_id"] == str(newest.analysis_id)


# Operation ids (`description.operation_id`) by what is shared. `shares_shared` says what the link is for.
OPEN: Mapping[Kind, Mapping[str, Check]] = {
    Kind.REPOSITORY: {
        "shares_shared": _always,
        "contents_repository": _repository,
        "contents_repository_files": _repository,
        "contents_repository_skipped": _repository,
        "contents_repository_symbols": _repository,
        "contents_repository_dependencies": _repository,
        "analyses_one": _newest_analysis,
        "contents_files": _newest_analysis,
        "contents_skipped": _newest_analysis,
        "contents_symbols": _newest_analysis,
        "contents_dependencies": _newest_analysis,
        "contents_lines": _newest_analysis,
        **dict.fromkeys(
            (
                "graph_callers",
                "graph_callees",
                "graph_imports",
                "graph_imported_by",
                "graph_connections",
                "graph_modules",
                "graph_treemap",
                "overview_one",
            ),
            _newest_analysis,
        ),
    },
    Kind.CONVERSATION: {"shares_shared": _always, "conversations_one": _conversation},
}


async def check_shared(request: Request, who: Identity, read: ReadModels) -> None:
    """Raise ApiProblem `not_found` unless the request is for what the link of `who` shows."""
    assert who.shared is not None  # noqa: S101  # asked before
    route = request.scope.get("route")
    check = OPEN[who.shared.kind].get(operation_id(route)) if isinstance(route, APIRoute) else None
    parameters = {key: str(value).lower() for key, value in request.path_params.items()}
    if check is None or not await check(parameters, who.tenant_id, who.shared, read):
        raise ApiProblem("not_found", "The link does not show that.")
