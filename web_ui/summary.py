"""What the metadata and structure stages found, as rows to read. Pure; whatever is missing is left out."""

import textwrap
from collections.abc import Iterable, Mapping

from runtime.client.shapes import AnalysisView
from web_ui.estimates import spent
from web_ui.views import milestones, total_facts
from web_ui.words import count, visible

_LONGEST = 240  # characters of a value
_NAMED = 8  # of a list
_ROOM = 190  # characters of a list, with what is said before and after it


def summary_rows(analysis: AnalysisView) -> list[tuple[str, str]]:
    """Names and values: README, licence, dependencies, tools, totals, times."""
    rows = [
        ("Commit", _commit(analysis)),
        ("Scope", _scope(analysis)),
        ("README", _text(analysis.metadata, "readme_title", "name")),
        ("About", _about(analysis.metadata)),
        ("Licence", _text(analysis.metadata, "licence")),
        ("Dependencies", _dependencies(analysis.metadata)),
        ("Manifests", _text(analysis.metadata, "manifests")),
        ("Entry points", _text(analysis.metadata, "entry_points")),
        ("CI", _text(analysis.metadata, "ci")),
        ("Containers", _text(analysis.metadata, "containers")),
        ("Files by kind", _kinds(analysis.structure)),
        ("Totals", ", ".join(total_facts(analysis.totals))),
        ("Embedded", spent(analysis.spent)),
    ]
    return [(name, value) for name, value in rows if value] + milestones(analysis)


def _commit(analysis: AnalysisView) -> str:
    """The date and the subject of the commit; the default branch too where another one was read."""
    head = analysis.head
    if head is None:
        return ""
    other = head.default_branch if head.default_branch != head.ref else None
    facts = (f"{head.authored_at:%Y-%m-%d}" if head.authored_at else "", visible(head.subject or ""))
    said = " · ".join(fact for fact in facts if fact)
    return f"{said} (default branch: {visible(other)})" if other and said else said


def _scope(analysis: AnalysisView) -> str:
    """The folder that was read, and how much lies outside; nothing where all was read."""
    outside = analysis.head.out_of_scope if analysis.head else 0
    left = f": {count(outside, 'entry', 'entries')} of the tree outside it" if outside else ""
    return f"only {visible(analysis.folder)}{left}" if analysis.folder else ""


def _about(facts: Mapping[str, object]) -> str:
    """The first paragraph of what it says of itself, cut between words where it is long."""
    said = _say(facts.get("description")) or _say(facts.get("readme_summary"))
    return textwrap.shorten(said.partition("\n\n")[0], _LONGEST, placeholder=" …")


def _text(facts: Mapping[str, object], *names: str) -> str:
    return next((said for name in names if (said := _say(facts.get(name)))), "")[:_LONGEST]


def _say(value: object) -> str:
    if isinstance(value, Mapping):
        return next((str(value[key]) for key in ("spdx", "name", "path") if value.get(key)), "")
    if isinstance(value, list | tuple):
        said = _said(value)
        return _first(said, len(said))
    return "" if value in (None, False) or isinstance(value, bool) else str(value).strip()


def _said(values: Iterable[object]) -> list[str]:
    return list(dict.fromkeys(part for item in values if (part := _say(item))))


def _first(names: list[str], of: int) -> str:
    """As many of the first eight of `names` as there is room for, and how many more of `of` there are."""
    shown = names[:_NAMED]
    while len(shown) > 1 and len(", ".join(shown)) > _ROOM:
        shown.pop()
    is_cut = len(shown) < of and (len(shown) < len(names) or len(names) >= _NAMED)
    return ", ".join(shown) + (f" and {of - len(shown):,} more" if is_cut else "")


def _kinds(structure: Mapping[str, object]) -> str:
    classes = structure.get("classes")
    named = classes.items() if isinstance(classes, Mapping) else ()
    files = {str(name): size.get("files") for name, size in named if isinstance(size, Mapping)}
    return ", ".join(f"{number:,} {name}" for name, number in files.items() if isinstance(number, int))


def _dependencies(facts: Mapping[str, object]) -> str:
    """How many there are, and the first of them: the stage lists only some of very many."""
    found, listed = facts.get("dependencies_found"), facts.get("dependencies")
    all_of_them = found if isinstance(found, int) else 0
    names = _said(listed) if isinstance(listed, list | tuple) else []
    number = count(all_of_them, "dependency", "dependencies") if all_of_them else ""
    return ": ".join(part for part in (number, _first(names, max(all_of_them, len(names)))) if part)[:_LONGEST]
