"""`repostream status`: whether it runs, where, how far each repository is; of one, what became of its files."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from cli.api import Api, ApiError, Json, api_url, part
from cli.ask import find_repository
from cli.exits import OK, USAGE
from cli.progress import summary_lines
from cli.screen import Screen
from cli.up import configured_home

_SHOWN = 20  # paths of one reason in the text; with --json up to
_LISTED = 500
_HARMLESS = frozenset({"no_grammar", "empty"})  # what was read as plain text because it is no code: only counted


def run_status(repository: str | None, *, as_json: bool) -> int:
    """The command; returns its exit code. Raises ApiError where nothing answers."""
    return _one(repository, as_json=as_json) if repository else _all(as_json=as_json)


def _all(*, as_json: bool) -> int:
    home = configured_home()
    api = Api(api_url())
    repositories = api.get("/repositories")["items"]
    running = home.running()
    if as_json:
        where = {"pid": running.pid, "page": running.page, "api": running.api} if running else None
        print(json.dumps({"home": str(home.path), "api": api.url, "running": where, "repositories": repositories}))
        return OK
    console = Screen()
    console.print(f"Running: {running.page or running.api if running else api.url}", highlight=False)
    table = Table("repository", "state", "commit", "asked for", "files", box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    table.columns[-1].min_width = 22  # the longest code
    for item in repositories:
        latest = item.get("latest") or {}
        table.add_row(
            str(item["url"]),
            str(latest.get("state") or "-"),
            str(latest.get("commit") or "")[:10],
            str(latest.get("requested_at") or "")[:16].replace("T", " "),
            notes_of(latest),
        )
    console.print(table if repositories else "No repository was analysed yet.")
    return OK


def _one(repository: str, *, as_json: bool) -> int:
    api = Api(api_url())
    found = api.get(f"/repositories/{part(find_repository(api, repository))}")
    if not found.get("latest"):
        raise ApiError("repository_unknown", f"“{repository}” was not analysed: run `repostream analyze`.", USAGE)
    path = f"/analyses/{part(str(found['latest']['analysis_id']))}"
    view = api.get(path)
    files = {why: api.get(f"{path}/files", reason=why, limit=_LISTED) for why in reasons_of(view)}
    if as_json:
        print(json.dumps({"repository": found["url"], "analysis": view, "files": files}))
        return OK
    console = Screen()
    console.print(f"{found['url']}  {view['state']}", markup=False, highlight=False)
    for line in [*failure_lines(view), *(f"  {line}" for line in summary_lines(view)), *path_lines(files)]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return OK


def notes_of(view: Mapping[str, Any]) -> str:
    """What a person should know of an analysis' files: how many failed, are broken, were left out, are not there."""
    outcomes = view.get("outcomes") or {}
    broken = sum(n for name, n in outcomes.items() if name.endswith(".syntax_errors"))
    numbers = (
        (sum((view.get("failed") or {}).values()), "failed"),
        (broken, "with syntax errors"),
        (sum((view.get("skipped") or {}).values()), "left out"),
        (len(view.get("damaged") or ()), "not loaded"),
    )
    return ", ".join(f"{n:,} {word}" for n, word in numbers if n) or str(view.get("code") or "")


def failure_lines(view: Mapping[str, Any]) -> list[str]:
    """Why the analysis, or a stage of it, failed."""
    lines = [f"  Failed: {view['code']}: {view.get('message')}"] if view.get("code") else []
    lost = (stage for stage in view.get("stages", []) if stage.get("code") and stage["code"] != view.get("code"))
    return lines + [f"  {stage['stage']} {stage['state']}: {stage['code']}: {stage.get('message')}" for stage in lost]


def reasons_of(view: Mapping[str, Any]) -> list[str]:
    """The reasons whose files can be listed: those that failed first, then the broken ones, then those left out."""
    outcomes = view.get("outcomes") or {}
    parsed = [name.partition(".")[2] for name in outcomes if "." in name]
    lost = [name for name in view.get("failed") or {} if "." not in name]
    return list(dict.fromkeys([*lost, *sorted(parsed), *(view.get("skipped") or {})]))


def path_lines(files: Mapping[str, Json]) -> Iterator[str]:
    """The paths by their reason, of each reason the first ones."""
    for why, page in files.items():
        if why in _HARMLESS or not page["items"]:
            continue
        yield f"  {why} ({page['total']:,})"
        for item in page["items"][:_SHOWN]:
            errors = f"  {item['errors']:,} errors" if why == "syntax_errors" and item.get("errors") else ""
            yield f"    {item['path']}{errors}"
        if page["total"] > _SHOWN:
            yield f"    … and {page['total'] - _SHOWN:,} more"
