"""`repostream status`: whether it runs, where, how far each repository is; of one, what became of its files."""

import json
from collections.abc import Iterator, Mapping

from rich.table import Table

from cli.api import connect, refusal
from cli.ask import address_of, find_repository, repositories_of
from cli.exits import OK
from cli.moments import minute
from cli.plain import one_line
from cli.progress import summary_lines
from cli.screen import Screen
from cli.up import configured_home
from runtime.client import ApiError, Client
from runtime.client.shapes import AnalysisSummary, AnalysisView, FilePage, StalenessView

_SHOWN = 20  # paths of one reason in the text; with --json up to
_LISTED = 500
_HARMLESS = frozenset({"no_grammar", "empty"})  # what was read as plain text because it is no code: only counted


def run_status(repository: str | None, *, as_json: bool) -> int:
    """The command; returns its exit code. Raises ApiError where nothing answers."""
    return _one(repository, as_json=as_json) if repository else _all(as_json=as_json)


def _all(*, as_json: bool) -> int:
    home = configured_home()
    api = connect()
    repositories = list(repositories_of(api))
    running = home.running()
    if as_json:
        where = {"pid": running.pid, "page": running.page, "api": running.api} if running else None
        listed = [item.model_dump(mode="json") for item in repositories]
        print(json.dumps({"home": str(home.path), "api": api.url, "running": where, "repositories": listed}))
        return OK
    console = Screen()
    console.say(f"Running: {running.page or running.api if running else api.url}")
    table = Table("repository", "state", "commit", "asked for", "files", box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    table.columns[-1].min_width = 22  # the longest code
    for item in repositories:
        latest = item.latest
        if latest is None:
            table.add_row(address_of(item), "-", "", "", "")
            continue
        asked_for = minute(latest.requested_at)
        table.add_row(address_of(item), latest.state, (latest.commit or "")[:10], asked_for, notes_of(latest))
    console.print(table if repositories else "No repository was analysed yet.")
    return OK


def _one(repository: str, *, as_json: bool) -> int:
    api = connect()
    found = api.contents_repository(find_repository(api, repository))
    if found.latest is None:
        raise refusal("repository_unknown", f"“{repository}” was not analysed: run `repostream analyze`.")
    view = api.analyses_one(found.latest.analysis_id)
    files = {why: api.contents_files(view.analysis_id, reason=why, limit=_LISTED) for why in reasons_of(view)}
    stale = _staleness(api, found.repository_id)
    if as_json:
        listed = {why: page.model_dump(mode="json") for why, page in files.items()}
        said = {"repository": found.url, "analysis": view.model_dump(mode="json"), "files": listed}
        print(json.dumps(said | {"staleness": stale.model_dump(mode="json") if stale is not None else None}))
        return OK
    console = Screen()
    console.say(f"{found.url}  {view.state}")
    behind = staleness_lines(stale)
    for line in [*failure_lines(view), *behind, *(f"  {line}" for line in summary_lines(view)), *path_lines(files)]:
        console.say(line)
    return OK


def _staleness(api: Client, repository_id: str) -> StalenessView | None:
    try:
        return api.contents_staleness(repository_id)
    except ApiError:
        return None  # the host does not answer, or the commit is not known yet


def staleness_lines(stale: StalenessView | None) -> list[str]:
    """That there is something newer, and what to do; nothing where there is not, or nobody can tell."""
    if stale is None or stale.standing != "behind":
        return []
    newest = f"{stale.ref or 'the default branch'} is at {(stale.newest or '')[:10]}"
    return [f"  {behind_words(stale)}: {newest}; `repostream analyze` takes over what did not change."]


def behind_words(stale: StalenessView) -> str:
    """`Behind by 12 commits`; `Behind` where the host does not say how many."""
    if stale.behind_by is None:
        return "Behind"
    more = " or more" if stale.behind_or_more else ""
    return f"Behind by {stale.behind_by:,}{more} commit{'s' if stale.behind_by != 1 or more else ''}"


def notes_of(view: AnalysisSummary) -> str:
    """What a person should know of an analysis' files: how many failed, are broken, were left out, are not there."""
    broken = sum(n for name, n in view.outcomes.items() if name.endswith(".syntax_errors"))
    numbers = (
        (sum(view.failed.values()), "failed"),
        (broken, "with syntax errors"),
        (sum(view.skipped.values()), "left out"),
        (len(view.damaged), "not loaded"),
    )
    return ", ".join(f"{n:,} {word}" for n, word in numbers if n) or view.code or ""


def failure_lines(view: AnalysisView) -> list[str]:
    """Why the analysis, a stage of it or the embedding of passages failed."""
    lines = [f"  Failed: {view.code}: {view.message}"] if view.code else []
    lost = (stage for stage in view.stages if stage.code and stage.code != view.code)
    refused = ((stage.stage, n) for stage in view.stages if (n := stage.counts.get("not_embedded", 0)))
    return [
        *lines,
        *(f"  {stage.stage} {stage.state}: {stage.code}: {stage.message}" for stage in lost),
        *(f"  {stage}: {n:,} passages refused, found by words alone (repostream retry)" for stage, n in refused),
    ]


def reasons_of(view: AnalysisView) -> list[str]:
    """The reasons whose files can be listed: those that failed first, then the broken ones, then those left out."""
    parsed = [name.partition(".")[2] for name in view.outcomes if "." in name]
    lost = [name for name in view.failed if "." not in name]
    return list(dict.fromkeys([*lost, *sorted(parsed), *view.skipped]))


def path_lines(files: Mapping[str, FilePage]) -> Iterator[str]:
    """The paths by their reason, of each reason the first ones."""
    for why, page in files.items():
        if why in _HARMLESS or not page.items:
            continue
        yield f"  {why} ({page.total:,})"
        for item in page.items[:_SHOWN]:
            errors = f"  {item.errors:,} errors" if why == "syntax_errors" and item.errors else ""
            yield f"    {one_line(item.path)}{errors}"
        if page.total > _SHOWN:
            yield f"    … and {page.total - _SHOWN:,} more"
