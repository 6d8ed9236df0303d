"""From two compared analyses to rows and words. Pure."""

import json
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Literal, get_args

from runtime.client.shapes import (
    AnalysisSummary,
    ComparedView,
    ComparisonView,
    CountsView,
    DifferenceView,
    StageCompared,
)
from web_ui import estimates
from web_ui.words import duration, moment, short_commit, visible

What = Literal["files", "symbols", "dependencies", "chunks"]
Kind = Literal["added", "removed", "changed"]
WHATS: tuple[What, ...] = get_args(What)
KINDS: tuple[Kind, ...] = get_args(Kind)
_TITLES = {"files": "Files", "symbols": "Definitions", "dependencies": "Dependencies", "chunks": "Passages by file"}


def title(what: str) -> str:
    """What is compared, as people call it."""
    return _TITLES.get(what, what)


def option(one: AnalysisSummary, zone: tzinfo) -> str:
    """An analysis in a list to choose from."""
    version = f"commit {short_commit(one.commit)}" if one.commit else "no commit yet"
    ref = f" of {visible(one.ref)}" if one.ref else ""
    return f"{moment(one.requested_at, zone)}, {version}{ref}, {one.state}"


def read_kind(named: str | None) -> Kind | None:
    """The kind of difference that an address names."""
    return next((kind for kind in KINDS if kind == named), None)


def read_what(named: str | None) -> What:
    """What is compared by an address; files where it names nothing that is."""
    return next((what for what in WHATS if what == named), "files")


def counts(found: ComparisonView) -> list[tuple[str, ...]]:
    """A row for each thing that is compared."""
    pairs: Mapping[str, CountsView] = {
        "files": found.files,
        "symbols": found.symbols,
        "dependencies": found.dependencies,
        "chunks": found.chunks,
    }
    return [
        (title(what), f"+{of.added:,}", f"−{of.removed:,}", f"{of.changed:,}", f"{of.same:,}")  # noqa: RUF001  # a minus
        for what, of in pairs.items()
    ]


def is_same(found: ComparisonView) -> bool:
    """Whether nothing is different."""
    of = (found.files, found.symbols, found.dependencies, found.chunks)
    return not any(one.added or one.removed or one.changed for one in of)


def sides(found: ComparisonView) -> list[tuple[str, str, str]]:
    """What is known of the two as wholes: commit, time until ready, estimated cost, totals."""
    before, after = found.before, found.after
    names = list(dict.fromkeys([*before.totals, *after.totals]))
    rows = [
        ("State", visible(before.state), visible(after.state)),
        ("Commit", short_commit(before.commit or "") or "–", short_commit(after.commit or "") or "–"),  # noqa: RUF001  # a dash
        ("Until ready", _seconds(before.seconds), _seconds(after.seconds)),
    ]
    if before.cost is not None or after.cost is not None:
        rows.append(("Estimated cost", _cost(before), _cost(after)))
    if before.spent is not None or after.spent is not None:
        rows.append(("Embedded", estimates.spent(before.spent) or "–", estimates.spent(after.spent) or "–"))  # noqa: RUF001  # a dash
    return rows + [(_word(name), _total(before, name), _total(after, name)) for name in names]


def lacking(found: ComparisonView) -> list[str]:
    """A sentence for each of the two that not all of was read: what it has not, may only not be known."""
    return [
        f"{named} is {visible(side.state)} and has no whole result of {visible(', '.join(side.lacks))}: "
        f"what is told as {seeming} may only not be read there."
        for named, side, seeming in (("The other one", found.before, "added"), ("This one", found.after, "removed"))
        if side.lacks
    ]


def stages(found: Sequence[StageCompared]) -> list[tuple[str, str, str, str]]:
    """What each stage worked in the two, and the difference."""
    return [(visible(one.stage), _seconds(one.before), _seconds(one.after), _more(one)) for one in found]


def rows(found: Sequence[DifferenceView]) -> list[tuple[str, str, str]]:
    """What is different: how, its name, and what is known of it before and after."""
    return [(one.kind, " · ".join(visible(part) for part in one.name if part), told(one)) for one in found]


def told(one: DifferenceView) -> str:
    """What is different of a thing: only the facts that are not the same."""
    before, after = one.before or {}, one.after or {}
    if one.kind != "changed":
        facts = after or before
        return ", ".join(f"{_word(name)} {short(value)}" for name, value in facts.items() if value not in (None, ""))
    differing = [name for name in after if before.get(name) != after[name]]
    said = [f"{_word(name)} {short(before.get(name))} → {short(after[name])}" for name in differing]
    return ", ".join(said) or "content"


def _word(name: str) -> str:
    return name.replace("_", " ")


def short(value: object) -> str:
    """A value as text, without signs that hide others."""
    if isinstance(value, list):
        return "; ".join(visible(str(item)) for item in value if item not in (None, "")) or "none"
    said = value if isinstance(value, str) else json.dumps(value)
    return visible(said) if value is not None else "none"


def _seconds(value: float | None) -> str:
    return "–" if value is None else duration(value)  # noqa: RUF001  # a dash


def _cost(one: ComparedView) -> str:
    return "–" if one.cost is None else f"{one.cost:.4f} {one.currency}".strip()  # noqa: RUF001  # a dash


def _total(one: ComparedView, name: str) -> str:
    return f"{one.totals[name]:,}" if name in one.totals else "–"  # noqa: RUF001  # a dash


def _more(one: StageCompared) -> str:
    if one.before is None or one.after is None:
        return ""
    more = one.after - one.before
    sign = "+" if more >= 0 else "−"  # noqa: RUF001  # a minus
    return f"{sign}{duration(abs(more))}"
