"""What is in an analysed repository: files, what was left out, symbols, dependencies, lines.

By analysis, or by the newest one of a repository.
"""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from orchestrator.adapters.contents import DependencyQuery, FileQuery, SymbolQuery
from orchestrator.adapters.sources import NoLines
from orchestrator.api.content_models import CellView, LinesView
from orchestrator.api.dependencies import Parts, Reader, Services, cloned_artifacts, history_of
from orchestrator.api.freshness import Freshness, Known
from orchestrator.api.models import RepositoryView
from orchestrator.api.pages import DependencyPage, FilePage, JsonText, RepositoryPage, SymbolPage
from orchestrator.api.paging import Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.projections.analyses import fold

router = APIRouter(tags=["contents"])
MAX_LINES = 2_000

Path = Annotated[str, Query(min_length=1, max_length=4_096)]
Prefix = Annotated[str | None, Query(max_length=4_096)]
Name = Annotated[str | None, Query(max_length=200)]
Line = Annotated[int, Query(ge=1, le=10_000_000)]


@dataclass(frozen=True)
class Range:
    """Which lines. `first` and `last` are short for the longer names."""

    first_line: int = 1
    last_line: int | None = None
    first: int | None = None
    last: int | None = None

    @property
    def bounds(self) -> tuple[int, int]:
        """First and last line, at most MAX_LINES of them."""
        begin = self.first or self.first_line
        end = self.last or self.last_line or begin + MAX_LINES - 1
        return begin, min(end, begin + MAX_LINES - 1)


async def line_range(
    first_line: Line = 1, last_line: Line | None = None, first: Line | None = None, last: Line | None = None
) -> Range:
    """Which lines, as the query string says it."""
    return Range(first_line, last_line, first, last)


async def file_query(prefix: Prefix = None, reason: Name = None) -> FileQuery:
    """Which entries, as the query string says it."""
    return FileQuery(prefix, reason)


async def left_out_query(reason: Name = None) -> FileQuery:
    """Which of the entries that are not in the index."""
    return FileQuery(reason=reason, left_out=True)


async def symbol_query(path: Prefix = None, kind: Name = None, name: Name = None) -> SymbolQuery:
    """Which definitions, as the query string says it."""
    return SymbolQuery(path, kind, name)


async def dependency_query(
    ecosystem: Name = None, scope: Name = None, path: Prefix = None, name: Name = None, locked: bool | None = None
) -> DependencyQuery:
    """Which mentions, as the query string says it."""
    return DependencyQuery(ecosystem, scope, path, name, locked)


Files = Annotated[FileQuery, Depends(file_query)]
LeftOut = Annotated[FileQuery, Depends(left_out_query)]
Symbols = Annotated[SymbolQuery, Depends(symbol_query)]
Dependencies = Annotated[DependencyQuery, Depends(dependency_query)]


@router.get("/analyses/{analysis_id}/files")
async def files(  # one argument for each part of the request
    analysis_id: UUID, who: Reader, parts: Parts, query: Files, page: Paging, known: Freshness
) -> FilePage:
    """The tree at the commit, by path; with `reason`, the files of which it is said (`syntax_errors`, `binary`, …)."""
    await known_as_of(parts, who, analysis_id, known)
    return await parts.contents.files(who.tenant_id, analysis_id, query, page)


@router.get("/analyses/{analysis_id}/skipped")
async def skipped(  # one argument for each part of the request
    analysis_id: UUID, who: Reader, parts: Parts, query: LeftOut, page: Paging, known: Freshness
) -> FilePage:
    """The files that were left out, or that failed, with their reasons."""
    await known_as_of(parts, who, analysis_id, known)
    return await parts.contents.files(who.tenant_id, analysis_id, query, page)


@router.get("/analyses/{analysis_id}/symbols")
async def symbols(
    analysis_id: UUID,
    who: Reader,
    parts: Parts,
    query: Symbols,
    page: Paging,
    known: Freshness,
) -> SymbolPage:
    """Definitions: of one file, of one kind, whose name begins so: `route`, or of what, `Flask.route`.

    With a name, what is called just so comes first, then the shorter ones; else they come in the order of their files.
    """
    await known_as_of(parts, who, analysis_id, known)
    return await parts.contents.symbols(who.tenant_id, analysis_id, query, page)


@router.get("/analyses/{analysis_id}/dependencies")
async def dependencies(  # one argument for each part of the request
    analysis_id: UUID, who: Reader, parts: Parts, query: Dependencies, page: Paging, known: Freshness
) -> DependencyPage:
    """What manifests ask for and lock files chose, with the line of each; by manifest, lock files last."""
    await known_as_of(parts, who, analysis_id, known)
    return await parts.contents.dependencies(who.tenant_id, analysis_id, query, page)


@router.get("/analyses/{analysis_id}/lines", responses={409: {}})
async def lines(
    analysis_id: UUID,
    who: Reader,
    parts: Parts,
    path: Path,
    bounds: Annotated[Range, Depends(line_range)],
    known: Freshness,
) -> LinesView:
    """Lines of a file as they were analysed, at most 2,000."""
    history = await history_of(parts, who, f"analysis/{analysis_id}")
    artifacts = cloned_artifacts(history)
    known.as_of(*(artifact.key for artifact in artifacts), strong=True)  # an artifact is named by what it holds
    found = await parts.sources.lines(artifacts, path, *bounds.bounds)
    if isinstance(found, NoLines):
        if found.skipped is not None:
            raise ApiProblem("file_skipped", f"It was not analysed: {found.skipped}.")
        raise ApiProblem("file_not_found", "The repository has no such file at the analysed commit.")
    record = fold(history)
    commit = record.view.commit if record is not None else None
    return LinesView(
        path=path,
        commit=commit or "",
        language=found.language,
        first_line=found.first_line,
        last_line=found.last_line,
        line_count=found.line_count,
        text=found.text,
        cells=[CellView(**{**vars(cell), "lines": list(cell.lines)}) for cell in found.cells],
    )


@router.get("/repositories", response_model=RepositoryPage)
async def repositories(who: Reader, parts: Parts, page: Paging, name: Name = None) -> JsonText:
    """Repositories, each with its newest analysis; the one that was asked for last comes first.

    With `name`, those that have it in their name or address, case aside.
    """
    return JsonText(await parts.read.repositories(who.tenant_id, page, name=name))


@router.get("/repositories/{repository_id}")
async def repository(repository_id: UUID, who: Reader, parts: Parts) -> RepositoryView:
    """One repository with its newest analysis."""
    found = await parts.read.repository(who.tenant_id, repository_id)
    if found is None:
        raise ApiProblem("not_found", "Check the id: no repository of yours has it.")
    return found


@router.get("/repositories/{repository_id}/files")
async def repository_files(
    repository_id: UUID, who: Reader, parts: Parts, query: Files, page: Paging, known: Freshness
) -> FilePage:
    """The tree of the newest analysis."""
    newest = await _newest(parts, who, repository_id)
    await known_as_of(parts, who, newest, known)
    return await parts.contents.files(who.tenant_id, newest, query, page)


@router.get("/repositories/{repository_id}/skipped")
async def repository_skipped(
    repository_id: UUID, who: Reader, parts: Parts, query: LeftOut, page: Paging, known: Freshness
) -> FilePage:
    """The files that the newest analysis left out, or that failed."""
    newest = await _newest(parts, who, repository_id)
    await known_as_of(parts, who, newest, known)
    return await parts.contents.files(who.tenant_id, newest, query, page)


@router.get("/repositories/{repository_id}/symbols")
async def repository_symbols(
    repository_id: UUID,
    who: Reader,
    parts: Parts,
    query: Symbols,
    page: Paging,
    known: Freshness,
) -> SymbolPage:
    """Definitions in the newest analysis."""
    newest = await _newest(parts, who, repository_id)
    await known_as_of(parts, who, newest, known)
    return await parts.contents.symbols(who.tenant_id, newest, query, page)


@router.get("/repositories/{repository_id}/dependencies")
async def repository_dependencies(  # one argument for each part of the request
    repository_id: UUID, who: Reader, parts: Parts, query: Dependencies, page: Paging, known: Freshness
) -> DependencyPage:
    """What the manifests ask for, in the newest analysis."""
    newest = await _newest(parts, who, repository_id)
    await known_as_of(parts, who, newest, known)
    return await parts.contents.dependencies(who.tenant_id, newest, query, page)


async def known_as_of(parts: Services, who: Identity, analysis_id: UUID, known: Known) -> None:
    """Raise NotModified where nothing of an analysis has changed, and ApiProblem `not_found` where it is not there."""
    version = await parts.read.version(who.tenant_id, analysis_id)
    if version is None:
        raise ApiProblem("not_found", "Check the id: nothing of yours has it.")
    known.as_of(who.tenant_id, analysis_id, version)


async def _newest(parts: Services, who: Identity, repository_id: UUID) -> UUID:
    found = await parts.read.repository(who.tenant_id, repository_id)
    if found is None or found.latest is None:
        raise ApiProblem("not_found", "Check the id: no analysed repository of yours has it.")
    return found.latest.analysis_id
