"""What the history stage read, as sentences and rows. Pure; names are shown as git has them."""

from collections.abc import Mapping
from typing import Any

from runtime.client.shapes import AnalysisView
from web_ui.words import count, visible

_SHOWN = 15
Row = tuple[str, ...]


def facts(analysis: AnalysisView) -> list[str]:
    """How many commits of how many people, since when; what of it programs wrote."""
    past = analysis.history
    commits, people = _number(past, "commits"), _number(past, "contributors")
    if not commits:
        return []
    since, merges, bots = _day(past.get("oldest_at")), _number(past, "merges"), _number(past, "bot_commits")
    whole = "the whole history" if past.get("complete") else f"the newest {commits:,} commits"
    said = [whole, count(people, "contributor"), count(_number(past, "files_changed"), "file") + " changed"]
    if past.get("complete"):
        said.insert(1, count(commits, "commit"))
    said += [f"since {since}"] if since else []
    said += [count(merges, "merge")] if merges else []
    return said + ([f"{count(bots, 'commit')} by bots"] if bots else [])


def hot_spots(analysis: AnalysisView) -> list[Row]:
    """Path, commits, authors, last change of the files that changed most often."""
    return [
        (
            visible(str(spot.get("path", ""))),
            f"{_number(spot, 'commits'):,}",
            f"{_number(spot, 'authors'):,}",
            _day(spot.get("last_at")),
        )
        for spot in _rows(analysis.history, "hot_spots")
    ]


def co_changes(analysis: AnalysisView) -> list[Row]:
    """Two paths, how many commits changed both, and which share that is of the rarer one's."""
    found: list[Row] = []
    for pair in _rows(analysis.history, "co_changes"):
        paths, share = pair.get("paths"), pair.get("share")
        if isinstance(paths, list) and len(paths) == 2 and isinstance(share, int | float):
            first, second = (visible(str(path)) for path in paths)
            found.append((first, second, f"{_number(pair, 'commits'):,}", f"{share:.0%}"))
    return found


def contributors(analysis: AnalysisView) -> list[Row]:
    """Name, commits, first and last day of those who wrote most."""
    return [
        (
            visible(str(person.get("name", ""))) + (" (bot)" if person.get("bot") else ""),
            f"{_number(person, 'commits'):,}",
            _day(person.get("first_at")),
            _day(person.get("last_at")),
        )
        for person in _rows(analysis.history, "top_contributors")
    ]


def _rows(past: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    listed = past.get(name)
    return [row for row in listed if isinstance(row, Mapping)][:_SHOWN] if isinstance(listed, list) else []


def _number(facts: Mapping[str, Any], name: str) -> int:
    value = facts.get(name)
    return value if isinstance(value, int) else 0


def _day(moment: object) -> str:
    return moment[:10] if isinstance(moment, str) else ""
