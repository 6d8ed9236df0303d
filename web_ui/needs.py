"""What a repository depends on, grouped by manifest and scope, as rows to draw. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from runtime.client.shapes import AnalysisView, DependencyView
from web_ui.words import count, place, visible

HERE = "dependencies"  # as `at` of the address: which part of the page an opened place belongs to
_SCOPES = ("runtime", "peer", "optional", "build", "dev", "test", "managed", "constraint", "transitive")
_MEANINGS = {
    "managed": "version only",
    "constraint": "limits others",
    "transitive": "brought along",
}


@dataclass(frozen=True)
class Manifest:
    """One manifest with its mentions, by scope, then as they stand in it."""

    path: str
    ecosystem: str
    locked: bool
    mentions: tuple[DependencyView, ...]

    @property
    def title(self) -> str:
        """Path, ecosystem and number."""
        kind = "lock file" if self.locked else self.ecosystem
        return f"{visible(self.path)} · {kind} · {len(self.mentions):,}"


def by_manifest(found: Iterable[DependencyView]) -> list[Manifest]:
    """The mentions by manifest, in the order of the list."""
    return [
        Manifest(path, ecosystem, locked, tuple(sorted(mentions, key=_rank)))
        for (path, ecosystem, locked), mentions in groupby(found, lambda one: (one.path, one.ecosystem, one.locked))
    ]


def _rank(one: DependencyView) -> tuple[int, str, int]:
    return _SCOPES.index(one.scope) if one.scope in _SCOPES else len(_SCOPES), one.group, one.line


def scope_words(one: DependencyView) -> str:
    """The scope with its group, and what it means where the word does not say it."""
    scope = f"{one.scope} ({_MEANINGS[one.scope]})" if one.scope in _MEANINGS else one.scope
    return f"{scope}: {one.group}" if one.group else scope


def address(analysis_id: str, one: DependencyView) -> str:
    """Where the line of a mention is shown; empty for lock files, which are not kept as sources."""
    if one.locked or not one.line:
        return ""
    opened = place(one.path, one.line, one.line)
    return f"/analysis?{urlencode({'analysis': analysis_id, 'open': opened, 'at': HERE})}"


def facts(analysis: AnalysisView) -> list[str]:
    """How many are asked for, how many these bring along, and what could not be read."""
    said = analysis.metadata
    unreadable = unread(said)
    numbers = (
        (_number(said, "dependencies_found"), "asked for"),
        (_number(said, "transitive_found"), "more that these bring along"),
    )
    told = [f"{n:,} {word}" for n, word in numbers if n]
    return told + (
        [count(len(unreadable), "manifest that cannot be read", "manifests that cannot be read")] if unreadable else []
    )


def choices(analysis: AnalysisView, name: str) -> list[str]:
    """The ecosystems or scopes there are, most frequent first."""
    found = analysis.metadata.get(name)
    return [str(key) for key in found] if isinstance(found, Mapping) else []


def unread(said: Mapping[str, object]) -> list[tuple[str, str]]:
    """Manifests that could not be read, with the reason; analyses of before know only the paths."""
    listed = said.get("unreadable_manifests")
    rows: Sequence[object] = listed if isinstance(listed, list) else ()
    return [
        (str(row.get("path", "")), str(row.get("reason", ""))) if isinstance(row, Mapping) else (str(row), "")
        for row in rows
    ]


def _number(said: Mapping[str, object], name: str) -> int:
    value = said.get(name)
    return value if isinstance(value, int) else 0
