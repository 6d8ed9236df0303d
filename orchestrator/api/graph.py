"""The graph of an analysed repository: callers, callees, imports, the most connected files, what is how large."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from orchestrator.api.contents import known_as_of
from orchestrator.api.dependencies import Parts, Reader
from orchestrator.api.freshness import Freshness
from orchestrator.api.graph_models import ConnectionPage, ImportPage, LinkPage, ModuleMap, Treemap
from orchestrator.api.paging import Paging

router = APIRouter(tags=["graph"])

SymbolId = Annotated[
    str, Path(pattern=r"^[0-9]{1,9}-[0-9]{1,9}$", description="`id` of a definition, as symbols are listed.")
]
FilePath = Annotated[str, Query(min_length=1, max_length=4_096)]
Folder = Annotated[str, Query(max_length=4_096, description="A folder of the repository; empty for all of it.")]

Inside = Annotated[str | None, Query(max_length=4_096, description="What is right below this folder; empty for all.")]


@router.get("/analyses/{analysis_id}/symbols/{symbol_id}/callers")
async def callers(  # one argument for each part of the request
    analysis_id: UUID, symbol_id: SymbolId, who: Reader, parts: Parts, page: Paging, known: Freshness
) -> LinkPage:
    """Who calls a definition, inherits from it or names it, with the line and how sure that is."""
    await known_as_of(parts, who, analysis_id, known)
    return await parts.contents.graph.links(who.tenant_id, analysis_id, _place(symbol_id), page, "callers")


@router.get("/analyses/{analysis_id}/symbols/{symbol_id}/callees")
async def callees(  # one argument for each part of the request
    analysis_id: UUID, symbol_id: SymbolId, who: Reader, parts: Parts, page: Paging, known: Freshness
) -> LinkPage:
    """What a definition calls, inherits from or names, with the line and how sure that is."""
    await known_as_of(parts, who, analysis_id, known)
    return await parts.contents.graph.links(who.tenant_id, analysis_id, _place(symbol_id), page, "callees")


@router.get("/analyses/{analysis_id}/imports")
async def imports(  # one argument for each part of the request
    analysis_id: UUID, who: Reader, parts: Parts, path: FilePath, page: Paging, known: Freshness
) -> ImportPage:
    """What a file imports: files of the repository, dependencies, the standard library, or what nobody knows."""
    await known_as_of(parts, who, analysis_id, known)
    return await parts.contents.graph.imports(who.tenant_id, analysis_id, path, page)


@router.get("/analyses/{analysis_id}/imported-by")
async def imported_by(  # one argument for each part of the request
    analysis_id: UUID, who: Reader, parts: Parts, path: FilePath, page: Paging, known: Freshness
) -> ImportPage:
    """Which imports mean a file, or a folder."""
    await known_as_of(parts, who, analysis_id, known)
    return await parts.contents.graph.imports(who.tenant_id, analysis_id, path, page, to=True)


@router.get("/analyses/{analysis_id}/connections")
async def connections(analysis_id: UUID, who: Reader, parts: Parts, page: Paging, known: Freshness) -> ConnectionPage:
    """Files by how many others they import, call, are imported and called by; the most connected first."""
    await known_as_of(parts, who, analysis_id, known)
    return await parts.contents.graph.connections(who.tenant_id, analysis_id, page)


@router.get("/analyses/{analysis_id}/modules")
async def modules(analysis_id: UUID, who: Reader, parts: Parts, known: Freshness, folder: Inside = None) -> ModuleMap:
    """How many imports and calls lead from one folder to another.

    With `folder` (empty for the whole repository), between the files and folders right below it, each with all that is
    in it: the map of one level.
    """
    await known_as_of(parts, who, analysis_id, known)
    return await parts.contents.graph.modules(who.tenant_id, analysis_id, folder)


@router.get("/analyses/{analysis_id}/treemap")
async def treemap(analysis_id: UUID, who: Reader, parts: Parts, known: Freshness, folder: Folder = "") -> Treemap:
    """What is right below a folder, with sizes, lines, languages and complexity."""
    await known_as_of(parts, who, analysis_id, known)
    return await parts.contents.graph.treemap(who.tenant_id, analysis_id, folder)


def _place(symbol_id: str) -> tuple[int, int]:
    shard, _, ordinal = symbol_id.partition("-")
    return int(shard), int(ordinal)
