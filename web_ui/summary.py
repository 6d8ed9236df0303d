"""What the metadata and structure stages found, as rows to read. Pure; whatever is missing is left out."""

from collections.abc import Mapping

from web_ui.shapes import Analysis
from web_ui.views import milestones, total_facts
from web_ui.words import count, visible

_LONGEST = 240  # characters of a value


def summary_rows(analysis: Analysis) -> list[tuple[str, str]]:
    """Names and values: README, licence, dependencies, tools, totals, times."""
    rows = [
        ("Commit", _commit(analysis)),
        ("README", _text(analysis.metadata, "readme_title", "name")),
        ("About", _text(analysis.metadata, "description", "readme_summary")),
        ("Licence", _text(analysis.metadata, "licence")),
        ("Dependencies", _dependencies(analysis.metadata)),
        ("Manifests", _text(analysis.metadata, "manifests")),
        ("Entry points", _text(analysis.metadata, "entry_points")),
        ("CI", _text(analysis.metadata, "ci")),
        ("Containers", _text(analysis.metadata, "containers")),
        ("Files by kind", _kinds(analysis.structure)),
        ("Totals", ", ".join(total_facts(analysis.totals))),
    ]
    return [(name, value) for name, value in rows if value] + milestones(analysis)


def _commit(analysis: Analysis) -> str:
    """The date and the subject of the commit; the default branch too where another one was read."""
    head = analysis.head
    if head is None:
        return ""
    other = head.default_branch if head.default_branch != head.ref else None
    facts = (f"{head.authored_at:%Y-%m-%d}" if head.authored_at else "", visible(head.subject or ""))
    said = " · ".join(fact for fact in facts if fact)
    return f"{said} (default branch: {visible(other)})" if other and said else said


def _text(facts: Mapping[str, object], *names: str) -> str:
    return next((said for name in names if (said := _say(facts.get(name)))), "")[:_LONGEST]


def _say(value: object) -> str:
    if isinstance(value, Mapping):
        return next((str(value[key]) for key in ("spdx", "name", "path") if value.get(key)), "")
    if isinstance(value, list | tuple):
        said = list(dict.fromkeys(part for item in value if (part := _say(item))))
        return ", ".join(said[:8]) + (f" and {len(said) - 8} more" if len(said) > 8 else "")
    return "" if value in (None, False) or isinstance(value, bool) else str(value).strip()


def _kinds(structure: Mapping[str, object]) -> str:
    classes = structure.get("classes")
    named = classes.items() if isinstance(classes, Mapping) else ()
    files = {str(name): size.get("files") for name, size in named if isinstance(size, Mapping)}
    return ", ".join(f"{number:,} {name}" for name, number in files.items() if isinstance(number, int))


def _dependencies(facts: Mapping[str, object]) -> str:
    found = facts.get("dependencies_found")
    listed = _say(facts.get("dependencies"))
    number = count(found, "dependency", "dependencies") if isinstance(found, int) and found else ""
    return ": ".join(part for part in (number, listed) if part)[:_LONGEST]
