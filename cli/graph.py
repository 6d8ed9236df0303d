"""`repostream graph`: who calls what, what files import, which folders hang together."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel

from cli.exits import USAGE, leave
from cli.paging import all_of
from cli.plain import one_line, visible
from runtime.client import Client
from runtime.client.shapes import ImportView, LinkView, ModuleEdgeView, SymbolView

graph_app = typer.Typer(help="How an analysed repository hangs together.", no_args_is_help=True)
Repository = Annotated[str, typer.Argument(help="The repository's URL, name or id.")]
Definition = Annotated[str, typer.Argument(help="A definition, as Flask.run or run; path:name where several have it.")]
File = Annotated[str, typer.Argument(help="The path of a file.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
_PAGE = 500
_MOST_CHOICES = 20
T = TypeVar("T", bound=BaseModel)


@graph_app.command("callers")
def callers(repository: Repository, definition: Definition, json: Json = False) -> None:
    """List who calls a definition, inherits from it or names it, each with its line and how sure that is."""
    api, analysis = _searched(repository)
    found = symbol(api, analysis, definition)
    _tell(all_of(lambda cursor: api.graph_callers(analysis, found.id, cursor=cursor, limit=_PAGE)), link_line, json)


@graph_app.command("callees")
def callees(repository: Repository, definition: Definition, json: Json = False) -> None:
    """List what a definition calls, inherits from or names."""
    api, analysis = _searched(repository)
    found = symbol(api, analysis, definition)
    _tell(all_of(lambda cursor: api.graph_callees(analysis, found.id, cursor=cursor, limit=_PAGE)), link_line, json)


@graph_app.command("imports")
def imports(repository: Repository, path: File, json: Json = False) -> None:
    """List what a file imports, and what each import means."""
    api, analysis = _searched(repository)
    _tell(all_of(lambda cursor: api.graph_imports(analysis, path=path, cursor=cursor, limit=_PAGE)), import_line, json)


@graph_app.command("imported-by")
def imported_by(
    repository: Repository, path: Annotated[str, typer.Argument(help="A file or a folder.")], json: Json = False
) -> None:
    """List which imports mean a file or a folder."""
    api, analysis = _searched(repository)
    _tell(
        all_of(lambda cursor: api.graph_imported_by(analysis, path=path, cursor=cursor, limit=_PAGE)), import_line, json
    )


@graph_app.command("modules")
def modules(
    repository: Repository,
    folder: Annotated[str | None, typer.Option(help="Only what is right below this folder; / for the top.")] = None,
    json: Json = False,
) -> None:
    """List how many imports and calls lead from one folder to another, most first."""
    api, analysis = _searched(repository)
    found = api.graph_modules(analysis, folder=folder.strip("/") if folder is not None else None).items
    _tell(found, module_line, json)


def symbol(api: Client, analysis_id: str, named: str) -> SymbolView:
    """The one definition of that name, or qualified name. Leaves with the choices where there are several, or none."""
    path, _, name = named.rpartition(":")
    bare = name.rpartition(".")[2]
    candidates = [
        one
        for one in _symbols(api, analysis_id, bare)
        if name in {one.name, one.qualified_name} or one.qualified_name.endswith(f".{name}")
    ]
    found = [one for one in candidates if not path or one.path == path]
    exact = [one for one in found if one.qualified_name == name] or found
    if not exact:
        leave(USAGE, f"Nothing here is called “{named}”.")
    if len(exact) > 1:
        choices = [f"{one.path}:{one.qualified_name}" for one in exact[:_MOST_CHOICES]]
        more = "" if len(exact) <= _MOST_CHOICES else f" … and {len(exact) - _MOST_CHOICES:,} more"
        leave(USAGE, f"Several are called “{named}”; name one: {', '.join(map(visible, choices))}{more}")
    return exact[0]


def _symbols(api: Client, analysis_id: str, name: str) -> Iterator[SymbolView]:
    return all_of(lambda cursor: api.contents_symbols(analysis_id, name=name, cursor=cursor, limit=_PAGE))


def link_line(one: LinkView) -> str:
    """`app/main.py:4  App.run  call, exact (0.95)`."""
    name = visible(one.name) or "the file itself"
    return f"{one_line(one.path)}:{one.line}  {name}  {one.kind}, {one.level} ({one.confidence:.2f})"


def import_line(one: ImportView) -> str:
    """`app/main.py:2  app.util → app/util.py  (file)`."""
    said = ".".join(part for part in (one.module, one.name) if part) or one.written
    target = f" → {one_line(one.target)}" if one.target else ""
    return f"{one_line(one.path)}:{one.line}  {visible(said)}{target}  ({one.resolution})"


def module_line(one: ModuleEdgeView) -> str:
    """`app → docs  imports: 2, calls: 3`; `/` is the top."""
    ends = f"{one_line(one.source) or '/'} → {one_line(one.target) or '/'}"
    return f"{ends}  imports: {one.imports:,}, calls: {one.calls:,}"


def _searched(repository: str) -> tuple[Client, str]:
    """The API, and the id of the analysis that is searched. Raises ApiError where there is none."""
    from cli.api import connect
    from cli.ask import find_analysis

    api = connect()
    return api, find_analysis(api, repository)


def _tell(found: Iterable[T], line: Callable[[T], str], as_json: bool) -> None:
    from cli.screen import Screen

    listed = list(found)
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in listed]))
        return
    for each in listed:
        Screen().say(line(each))
    if not listed:
        Screen().say("None.")
