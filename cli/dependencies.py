"""`repostream dependencies`: what the manifests of a repository ask for, each with its line."""

import json
from collections.abc import Iterator
from itertools import groupby

from cli.api import connect
from cli.ask import find_repository
from cli.exits import OK
from cli.paging import all_of
from cli.plain import one_line
from cli.screen import Screen
from runtime.client import Client
from runtime.client.shapes import DependencyView

_PAGE = 500


def run_dependencies(repository: str, *, scope: str | None, locked: bool, as_json: bool) -> int:
    """The command; returns its exit code. Raises ApiError where nothing answers, or it was not analysed."""
    api = connect()
    found = list(mentions(api, find_repository(api, repository), scope, locked=locked))
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found]))
        return OK
    console = Screen()
    for line in dependency_lines(found):
        console.say(line)
    return OK


def mentions(api: Client, repository_id: str, scope: str | None, *, locked: bool) -> Iterator[DependencyView]:
    """All of them, page by page; those of lock files only where `locked` asks for them."""
    return all_of(
        lambda cursor: api.contents_repository_dependencies(
            repository_id, scope=scope, locked=None if locked else False, cursor=cursor, limit=_PAGE
        )
    )


def dependency_lines(found: list[DependencyView]) -> Iterator[str]:
    """A heading for each manifest, a line for each dependency: `line  name  asked for → chosen  scope`."""
    if not found:
        yield "No manifest asks for anything."
    for path, listed in groupby(found, lambda one: one.path):
        yield one_line(path)
        for one in listed:
            chosen = f" → {one.version}" if one.version and one.version != one.constraint else ""
            scope = f"{one.scope}: {one.group}" if one.group else one.scope
            yield f"  {one.line:>5}  {one.name}  {one.constraint or '*'}{chosen}  ({scope})"
