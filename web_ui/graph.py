"""The graph of a repository as rows and rectangles to draw. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from runtime.client.shapes import (
    AnalysisView,
    ConnectionView,
    ImportView,
    LinkView,
    ModuleEdgeView,
    SymbolView,
    TreemapItem,
)
from runtime.language_names import language
from web_ui.words import count, place, spelled, visible

WIDTH, HEIGHT = 1_000.0, 420.0  # of the picture, in its own units
_MOST_BOXES = 60
_MOST_NODES = 40
_TONES = 6
_HEATS = 4  # colours of what was changed


@dataclass(frozen=True)
class Box:
    """One rectangle of the treemap; `tone` names a colour: of its language, or of how often its files changed."""

    item: TreemapItem
    x: float
    y: float
    width: float
    height: float
    tone: str

    def drawn(self, analysis_id: str) -> tuple[tuple[float, float, float, float], str, str, str, str]:
        """As `markup.treemap` takes it; pressed, it opens the file or the folder."""
        area = (self.x / WIDTH, self.y / HEIGHT, self.width / WIDTH, self.height / HEIGHT)
        folder = self.item.path.rpartition("/")[0] if self.item.is_file else self.item.path
        opened = {"analysis": analysis_id, "explore": "yes", "folder": folder}
        opened |= {"file": self.item.path} if self.item.is_file else {}
        return area, self.tone, self.label, self.title, f"/analysis?{urlencode(opened)}"

    @property
    def label(self) -> str:
        """What fits into it."""
        room = int(self.width / 8)
        name = visible(self.item.name) + ("" if self.item.is_file else "/")
        return name if self.height >= 16 and len(name) <= room else ""

    @property
    def title(self) -> str:
        """All that is known of it."""
        return title_of(self.item)


def title_of(item: TreemapItem) -> str:
    """All that is known of a file or folder."""
    facts = [f"{item.size:,} bytes", count(item.lines, "line"), item.language or "no language"]
    if not item.is_file:
        facts.insert(0, count(item.files, "file"))
    if item.functions:
        facts.append(f"{count(item.functions, 'function')}, complexity {item.complexity:,}")
    if item.changes:
        facts.append(count(item.changes, "change") + ("" if item.is_file else " of its files"))
    return f"{visible(item.path)}: {', '.join(facts)}"


def boxes(items: Sequence[TreemapItem], *, by_changes: bool = False) -> list[Box]:
    """The largest of `items` as rectangles whose areas are as their sizes: the longer side is cut each time.

    Their colours are those of their languages, or (`by_changes`) warmer the more often their files were changed.
    """
    shown = [item for item in items[:_MOST_BOXES] if item.size > 0]
    tones, most = _tones(shown), max(map(churn, shown), default=0.0)
    placed: list[Box] = []
    todo = [(shown, 0.0, 0.0, WIDTH, HEIGHT)]
    while todo:
        group, x, y, width, height = todo.pop()
        if len(group) == 1:
            tone = f"heat-{_heat(churn(group[0]), most)}" if by_changes else f"tone-{tones[group[0].language]}"
            placed.append(Box(group[0], x, y, width, height, tone))
        elif group:
            todo += _cut(group, x, y, width, height)
    return sorted(placed, key=lambda box: (-box.item.size, box.item.path))


def _tones(items: Sequence[TreemapItem]) -> dict[str | None, int]:
    """The colour of each language: the larger ones have their own, what has none and the rest the last one."""
    sizes: Counter[str] = Counter()
    for item in items:
        if item.language:
            sizes[item.language] += item.size
    ranked = [name for name, _ in sizes.most_common()]
    own: dict[str | None, int] = {name: min(number, _TONES - 1) for number, name in enumerate(ranked)}
    return own | {None: _TONES - 1}


def churn(item: TreemapItem) -> float:
    """How many commits changed a file; of a folder, a file of it on average."""
    return item.changes / max(1, item.files)


def _heat(value: float, most: float) -> int:
    """Which colour stands for so many changes where `most` are the most that are shown: by their order of size."""
    return min(_HEATS, 1 + int(_HEATS * math.log1p(value) / math.log1p(most))) if value > 0 else 0


def churn_legend(placed: Sequence[Box]) -> list[tuple[str, str]]:
    """Each colour that is there with the changes that it stands for."""
    there: dict[str, list[float]] = {}
    for box in placed:
        there.setdefault(box.tone, []).append(churn(box.item))
    return [(tone, _changes_words(min(values), max(values))) for tone, values in sorted(there.items())]


def _changes_words(least: float, most: float) -> str:
    if not most:
        return "no change"
    low, high = (f"{value:,.{0 if value >= 10 or value == int(value) else 1}f}" for value in (least, most))
    said = low if low == high else f"{low} to {high}"
    return f"{said} {'change' if said == '1' else 'changes'} a file"


def legend(placed: Sequence[Box]) -> list[tuple[str, str]]:
    """Each colour that is there with its language; the last one is that of all others."""
    named: dict[str, list[str]] = {}
    for box in placed:
        found = named.setdefault(box.tone, [])
        word = language(box.item.language) if box.item.language else "no language"
        if word not in found:
            found.append(word)
    return [(tone, words[0] if len(words) == 1 else "others") for tone, words in sorted(named.items())]


def map_data(items: Sequence[TreemapItem], edges: Sequence[ModuleEdgeView]) -> dict[str, object]:
    """What the map of one folder is given: the most connected of what is right below it, and their edges."""
    ends: Counter[str] = Counter()
    for edge in edges:
        for path in (edge.source, edge.target):
            ends[path] += edge.imports + edge.calls
    ranked = sorted(items, key=lambda item: (-ends[item.path], -item.size, item.path))[:_MOST_NODES]
    tones = _tones(ranked)
    left = len(items) - len(ranked)
    hint = "Press a folder to go into it, a file to read it. An arrow leads from what imports or calls."
    return {
        "nodes": [
            {
                "path": item.path,
                "name": item.name,
                "is_file": item.is_file,
                "size": item.size,
                "tone": tones[item.language],
                "title": title_of(item),
            }
            for item in ranked
        ],
        "edges": [edge.model_dump() for edge in edges],
        "hint": hint + (f" {left:,} more with fewer ends are not drawn." if left else ""),
    }


def _cut(
    group: list[TreemapItem], x: float, y: float, width: float, height: float
) -> list[tuple[list[TreemapItem], float, float, float, float]]:
    total = sum(item.size for item in group)
    taken, at = group[0].size, 1
    while at < len(group) - 1 and 2 * (taken + group[at].size) <= total:
        taken += group[at].size
        at += 1
    share = taken / total
    if width >= height:
        wide = width * share
        return [(group[:at], x, y, wide, height), (group[at:], x + wide, y, width - wide, height)]
    high = height * share
    return [(group[:at], x, y, width, high), (group[at:], x, y + high, width, height - high)]


def above(folder: str) -> list[str]:
    """A folder and those it is in, the repository itself (empty) first."""
    parts = [part for part in folder.split("/") if part]
    return ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]


def connections(found: Iterable[ConnectionView]) -> list[tuple[str, ...]]:
    """Rows of the most connected files."""
    return [
        (
            visible(one.path),
            f"{one.imported_by:,}",
            f"{one.imports:,}",
            f"{one.called_by:,}",
            f"{one.calls:,}",
            f"{one.complexity:,}" if one.functions else "",
        )
        for one in found
    ]


def address(analysis_id: str, path: str, line: int, kept: Mapping[str, str]) -> str:
    """Where a line is shown, with what else is open: `kept` are the parameters of the page that stay."""
    return f"/analysis?{urlencode({'analysis': analysis_id, 'open': place(path, line, line), **kept})}"


def is_linked(analysis: AnalysisView) -> bool:
    """Whether a graph is there: which calls mean what, and which imports. It stays while calls are linked again."""
    return any(stage.stage == "link" and (stage.state == "completed" or stage.counts) for stage in analysis.stages)


def why_not_linked(analysis: AnalysisView) -> str:
    """What is missing without the graph, and whether it is to come."""
    state = next((stage.state for stage in analysis.stages if stage.stage == "link"), "")
    missing = "The map of modules, imports and callers are not there"
    if state in {"waiting", "queued", "running", "retrying"}:
        return f"{missing} yet: calls are being linked."
    return f"{missing}: calls were not linked. *Go on refining* or *Run again* has them linked."


def symbol_words(one: SymbolView) -> str:
    """A definition in a list to choose from."""
    return spelled(f"{one.qualified_name} · {one.kind} · {one.path}:{one.first_line}")


def symbol_facts(one: SymbolView) -> list[str]:
    """What is known of a definition beside its lines."""
    told = [one.visibility] if one.visibility else []
    if one.complexity:
        told.append(f"complexity {one.complexity:,}")
    if one.code_lines:
        told.append(f"{count(one.code_lines, 'line')} of code")
    return told


def link_cells(one: LinkView) -> tuple[str, str, str]:
    """Who or what is at the other end, where, and how sure that is."""
    name = one.name or "the file itself"
    sure = f"{one.level} ({one.confidence:.2f})"
    word = _WORDS.get(one.kind, "")
    return visible(name), f"{visible(one.path)}:{one.line}", f"{word}, {sure}" if word else sure


_WORDS = {"inherit": "inherits", "use": "names it", "import": "imports it"}


def import_cells(one: ImportView) -> tuple[str, str, str]:
    """What an import says and what it means."""
    named = f"{one.module} · {one.name}" if one.name else one.module
    return visible(named or one.written), one.resolution, visible(one.target)
