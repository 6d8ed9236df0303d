"""Shadows of an analysis as people read them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from runtime.client.shapes import Citation, DifferenceView, ShadowAnswer, ShadowReport, ShadowTable, ShadowView
from web_ui import compared
from web_ui.words import ago, count, shard_named, visible

STAGES: Mapping[str, str] = {
    "metadata": "Metadata: dependencies, README, licence",
    "structure": "Structure: languages, classes of files",
    "parse": "Parse: definitions, references, passages",
    "link": "Link: imports, callers, connections",
    "embed": "Embed: vectors, of those that are stored",
    "index": "Index: what questions find in it",
    "answer": "Answers: questions that were asked, answered again",
    "workflow": "Workflow: what is decided, from the request on",
}
_KINDS = {"symbols": "Definitions", "edges": "References", "chunks": "Passages", "outcomes": "Outcomes of files"}
# What names a row of an artifact, as far as it has these; the rest is what is known of it.
_NAMES = (
    *("path", "ecosystem", "scope", "kind", "source", "target", "qualified_name", "name", "written"),
    *("first_line", "line", "chunk_id"),
)
_LOOKED_UP = frozenset({"index", "answer"})
Row = tuple[str, ...]


def title(stage: str) -> str:
    """A stage as a shadow is called by it."""
    return visible(STAGES.get(stage, stage).partition(":")[0])


def kind(name: str) -> str:
    """What the rows of an artifact are."""
    return visible(_KINDS.get(name, name.replace("_", " ").capitalize()))


def state(shadow: ShadowView) -> tuple[str, str]:
    """What became of it, as words and a tone."""
    if shadow.promoted_at is not None:
        return "promoted", "good"
    if shadow.state == "failed":
        return "failed", "bad"
    if shadow.state == "asked":
        return "at work", "busy"
    if shadow.report.agrees is None:  # it is found out for whoever looks at it
        return "done", "good"
    return ("the same", "good") if shadow.report.agrees else ("different", "warn")


def facts(shadow: ShadowView, now: datetime) -> list[str]:
    """One line: when it was asked for, how many runs it has, when it was promoted."""
    promoted = f"promoted {ago(shadow.promoted_at, now)}" if shadow.promoted_at is not None else ""
    runs = count(shadow.runs, "run") if shadow.runs else ""
    return [fact for fact in (f"asked for {ago(shadow.asked_at, now)}", runs, promoted) if fact]


def progress(shadow: ShadowView) -> tuple[float, str]:
    """How far one is that is at work, from 0 to 1, and that in words."""
    if shadow.runs_ended < shadow.runs:
        share = shadow.runs_ended / shadow.runs
        verb = "is" if shadow.runs == 1 else "are"
        return share, f"{shadow.runs_ended:,} of {count(shadow.runs, 'run')} {verb} over. You may leave the page."
    return 1.0, "What it made is being compared with what serves. You may leave the page."


def conclusion(shadow: ShadowView) -> str:
    """One sentence: what the present code makes of it."""
    report = shadow.report
    if shadow.stage == "workflow":
        decided = count(report.decided, "decision")
        otherwise = f"The present code decides otherwise: {len(report.decisions):,} of {decided} are different."
        return f"The present code decides the same: {decided}." if report.agrees else otherwise
    if shadow.stage in _LOOKED_UP:
        return _looked_up(shadow)
    if report.agrees:
        return "The present code makes the same of it, to the last row."
    differing = sum(table.added + table.removed + table.changed for table in report.tables.values())
    said = [count(differing, "row")] * bool(differing) + [count(len(report.facts), "fact")] * bool(report.facts)
    return f"The present code makes something else of it. Different: {' and '.join(said) or 'columns'}."


def _looked_up(shadow: ShadowView) -> str:
    """What questions find, or are answered, on both sides; or why that is not known now."""
    if shadow.promoted_at is not None:
        return "What questions find in it is what they find by now."
    if shadow.message:
        return visible(shadow.message)
    report = shadow.report
    if shadow.stage == "index":
        differing = sum(bool(each.moved or each.gained or each.lost) for each in report.searches)
        return _of_questions(differing, len(report.searches), "finds", "find")
    differing = sum(bool(each.changed) or each.after is None for each in report.answers)
    gone = f" Of {count(report.gone, 'question')} more nothing is there any longer." if report.gone else ""
    return _of_questions(differing, len(report.answers), "is answered", "are answered") + gone


def _of_questions(differing: int, every: int, one: str, many: str) -> str:
    if not every:
        return "No question is there to be compared."
    if not differing:
        return f"Of {count(every, 'question')} each {one} the same by the present code."
    return (
        f"Of {count(every, 'question')} {differing:,} {one if differing == 1 else many} otherwise by the present code."
    )


def searches(report: ShadowReport) -> list[Row]:
    """A row for each question: how many passages it finds in the same place, in another one, and on one side alone."""
    return [
        (visible(each.question), f"{each.same:,}", f"{each.moved:,}", f"+{each.gained:,}", f"−{each.lost:,}")  # noqa: RUF001  # a minus
        for each in report.searches
    ]


def passages(report: ShadowReport) -> list[Row]:
    """The passages that have another place in what is found, or one on one side alone."""
    return [
        (
            visible(each.question),
            visible(f"{one.path}:{one.first_line}-{one.last_line}"),
            _rank(one.live),
            _rank(one.shadow),
        )
        for each in report.searches
        for one in each.passages
        if one.live != one.shadow
    ]


def answers(report: ShadowReport) -> list[Row]:
    """The questions that are answered otherwise: what differs, as it was answered, and as it is now."""
    return [
        (visible(each.question), ", ".join([*each.changed, *_searched(each)]), visible(each.before.answer), _now(each))
        for each in report.answers
        if each.changed or each.after is None
    ]


def cited(report: ShadowReport) -> list[Row]:
    """Places that one side alone cites."""
    return [
        (visible(each.question), how, _cited(one))
        for each in report.answers
        for how, places in (("added", each.gained), ("removed", each.lost))
        for one in places
    ]


def _rank(place: int | None) -> str:
    return "not found" if place is None else f"{place:,}"


def _now(told: ShadowAnswer) -> str:
    return visible(told.after.answer if told.after is not None else told.message or told.code or "")


def _searched(told: ShadowAnswer) -> list[str]:
    """That another index served then: not the code alone makes the difference."""
    then, now = told.before.generation_kind, told.after.generation_kind if told.after is not None else None
    return [visible(f"{then} index then, {now} now")] if then and now and then != now else []


def _cited(one: Citation) -> str:
    return visible(f"{one.path}:{one.first_line}-{one.last_line}")


def tables(report: ShadowReport) -> list[Row]:
    """A row for each kind of artifact: how many there are on both sides, and how they differ."""
    return [
        (kind(name), f"{of.live:,}", f"{of.shadow:,}", f"{of.same:,}", *_differing(of))
        for name, of in report.tables.items()
    ]


def _differing(of: ShadowTable) -> Row:
    return f"+{of.added:,}", f"−{of.removed:,}", f"{of.changed:,}"  # noqa: RUF001  # a minus


def columns(report: ShadowReport) -> list[str]:
    """A sentence for each kind of which one side has columns that the other has not."""
    return [
        f"{kind(name)}: one side alone has {', '.join(map(visible, of.columns))}."
        for name, of in report.tables.items()
        if of.columns
    ]


def counts(report: ShadowReport) -> list[Row]:
    """What was counted on both sides, where it differs."""
    live, made = (report.counts.get(side, {}) for side in ("live", "shadow"))
    return [
        (visible(name.replace("_", " ")), f"{live.get(name, 0):,}", f"{made.get(name, 0):,}")
        for name in sorted({*live, *made})
        if live.get(name, 0) != made.get(name, 0)
    ]


def examples(table: ShadowTable) -> list[Row]:
    """Rows that differ: how, what they are of, and what is different."""
    return [*compared.rows([_example(one) for one in table.examples])]


def shown(report: ShadowReport) -> str:
    """How many of the differing rows are shown, where those are not all; else nothing."""
    of = report.tables.values()
    differing = sum(table.added + table.removed + table.changed for table in of)
    told = sum(len(table.examples) for table in of)
    return f"Shown of what differs: {told:,} of {count(differing, 'row')}." if differing > told else ""


def changes(report: ShadowReport) -> list[Row]:
    """Facts that differ: shard, where, as they serve and as the shadow has them."""
    return [(_shard(one), _place(one.get("path")), _value(one, "before"), _value(one, "after")) for one in report.facts]


def decisions(report: ShadowReport) -> list[Row]:
    """Decisions that differ: as they were made, and as the present code makes them."""
    return [(_value(one, "real"), _value(one, "fork")) for one in report.decisions]


def missing(report: ShadowReport) -> list[Row]:
    """What the present code would ask the world for, and of which nothing is recorded."""
    return [
        (f"{visible(str(one.get('stage')))}, shard {_shard(one)}, attempt {one.get('attempt')}",)
        for one in report.not_recorded
    ]


def _shard(one: Mapping[str, object]) -> str:
    """Its shard as people count them, from 1."""
    shard = one.get("shard")
    return shard_named(shard) if isinstance(shard, int) else ""


def apart(shadows: Sequence[ShadowView], analysis_id: str) -> tuple[list[ShadowView], list[ShadowView]]:
    """Those of an analysis, and those of others."""
    own = [each for each in shadows if each.analysis_id == analysis_id]
    return own, [each for each in shadows if each.analysis_id != analysis_id]


def _example(example: Mapping[str, object]) -> DifferenceView:
    was, now = _side(example, "before"), _side(example, "after")
    row = now or was
    name = [n for n in _NAMES if row.get(n) not in (None, "")]
    if was and now:
        name = [n for n in name if was.get(n) == now[n]]
    known = [{n: value for n, value in side.items() if n not in name} for side in (was, now)]
    how = "changed" if was and now else "added" if now else "removed"
    return DifferenceView(name=[str(row[n]) for n in name], kind=how, before=known[0], after=known[1])


def _side(example: Mapping[str, object], side: str) -> dict[str, object]:
    row = example.get(side)
    return dict(row) if isinstance(row, Mapping) else {}


def _place(path: object) -> str:
    return " / ".join(part.replace("~1", "/").replace("~0", "~") for part in visible(str(path or "")).split("/")[1:])


def _value(one: Mapping[str, object], side: str) -> str:
    return compared.short(one[side]) if one.get(side) is not None else "nothing"
