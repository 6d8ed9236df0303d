"""`repostream shadow`: a stage of the present code over what was recorded, beside what serves."""

import math
from uuid import UUID

from cli.api import connect, refusal
from cli.exits import FAILED, OK
from cli.moments import minute
from cli.paging import all_of
from cli.plain import one_line, visible
from cli.screen import Screen, tell
from cli.sure import require_yes
from cli.waiting import until_ended
from runtime.client import Client
from runtime.client.shapes import (
    Citation,
    ShadowAnswer,
    ShadowPassage,
    ShadowReport,
    ShadowRequest,
    ShadowTable,
    ShadowView,
)

_EXAMPLES = 5  # of a table
_LONGEST = 160  # characters of an answer
_MOST = 20  # lines of decisions, and of facts
_PAGE = 500


def run_shadow(analysis: str, stage: str, passages: str | None = None, *, as_json: bool) -> int:
    """Have it run and wait; 1 where it failed. `passages` is a shadow of parse for an index. Raises ApiError."""
    return _print(wait_for(connect(), analysis, stage, passages), as_json=as_json)


def run_show(shadow: str | None, *, as_json: bool) -> int:
    """Print one shadow, or list all; returns the exit code. Raises ApiError."""
    if shadow is not None:
        return _print(connect().shadows_one(shadow), as_json=as_json)
    api = connect()
    for each in all_of(lambda cursor: api.shadows_listed(cursor=cursor, limit=_PAGE)):
        tell(each, [line_of(each)], as_json=as_json)
    return OK


def run_drop(shadow: str, *, yes: bool) -> int:
    """Remove one; returns the exit code. Raises ApiError."""
    require_yes(f"Drop the shadow {visible(shadow)} with all that it made?", yes=yes)
    connect().shadows_drop(shadow)
    _say(f"Dropped {visible(shadow)}.")
    return OK


def run_promote(shadow: str, *, yes: bool) -> int:
    """Let it take the place of what serves; returns the exit code. Raises ApiError."""
    require_yes(f"Let the shadow {visible(shadow)} take the place of what serves?", yes=yes)
    _say(line_of(connect().shadows_promote(shadow)))
    return OK


def wait_for(
    api: Client, analysis: str, stage: str, passages: str | None = None, seconds: float = math.inf
) -> ShadowView:
    """Ask for a shadow; as it is once it ended, or after so many seconds. Raises ApiError."""
    named = _id(analysis, "an analysis: see `repostream status`")
    made_of = _id(passages, "a shadow: see `repostream shadow show`") if passages is not None else None
    asked = api.shadows_begin(ShadowRequest(analysis_id=named, stage=stage, passages_of=made_of))
    named = f"Shadow {asked.shadow_id} is being made; `repostream shadow show` has it where this is ended."
    return until_ended(asked, lambda: api.shadows_one(asked.shadow_id), seconds, named=named)


def _id(said: str, what: str) -> str:
    try:
        return str(UUID(said))
    except ValueError:
        raise refusal("not_found", f"{visible(said)} is no id of {what}.") from None


def line_of(shadow: ShadowView) -> str:
    """One line: id, stage, analysis, and what came of it."""
    agrees = {True: "the same", False: "different", None: "done"}[shadow.report.agrees]
    came = {"done": agrees, "failed": f"failed ({shadow.code})"}.get(shadow.state, "at work")
    promoted = ", promoted" if shadow.promoted_at is not None else ""
    asked = f"{shadow.stage} of {shadow.analysis_id}  {minute(shadow.asked_at)}"
    return f"{shadow.shadow_id}  {asked}  {came}{promoted}"


def lines_of(shadow: ShadowView) -> list[str]:
    """All that is different."""
    report, lines = shadow.report, [line_of(shadow)]
    if shadow.message:
        lines.append(f"  {visible(shadow.message)}")
    for kind, table in report.tables.items():
        lines += _table(kind, table)
    for name in sorted({*report.counts.get("live", {}), *report.counts.get("shadow", {})}):
        live, made = (report.counts.get(side, {}).get(name, 0) for side in ("live", "shadow"))
        if live != made:
            lines.append(f"  {visible(name)}: {live:,} live, {made:,} in the shadow")
    for change in report.facts[:_MOST]:
        sides = f"{change.get('before')} → {change.get('after')}"
        lines.append(visible(f"  [{change.get('shard')}] {change.get('path')}: {sides}"))
    lines += [*_searches(report), *_answers(report)]
    if shadow.stage == "workflow":
        lines.append(f"  {report.decided:,} decisions, {len(report.decisions):,} otherwise")
    for each in report.decisions[:_MOST]:
        lines += [visible(f"    really  {each.get('real')}"), visible(f"    shadow  {each.get('fork')}")]
    return lines


def _answers(report: ShadowReport) -> list[str]:
    """Of each question that is there what is answered otherwise."""
    gone = [f"  {report.gone:,} more questions are not there any longer"] if report.gone else []
    return [line for each in report.answers for line in _answer(each)] + gone


def _searches(report: ShadowReport) -> list[str]:
    """Of an index its vectors, and of each question the places that are not the same on both sides."""
    made = report.index
    if not made:
        return []
    lines = [
        visible(
            f"  vectors: {made.get('vectors'):,} ({made.get('generation_kind')}), "
            f"{made.get('not_recorded'):,} passages without a recorded one"
        )
    ]
    for each in report.searches:
        numbers = f"{each.same:,} the same, {each.moved:,} moved, {each.gained:,} gained, {each.lost:,} lost"
        lines.append(visible(f"  {each.question}: {numbers}"))
        other = [one for one in each.passages if one.live != one.shadow][:_EXAMPLES]
        lines += [visible(f"    {one.live or 'none'} → {one.shadow or 'none'}  {_place(one)}") for one in other]
    return lines


def _answer(told: ShadowAnswer) -> list[str]:
    """Of a question what the present code answers otherwise; its text where only that differs."""
    if told.after is None:
        return [visible(f"  {told.question}: not answered ({told.code})")]
    lines = [visible(f"  {told.question}: {', '.join(told.changed) or 'the same'}")]
    then, now = told.before.generation_kind, told.after.generation_kind
    if then and now and then != now:  # not the code alone makes the difference
        lines.append(visible(f"    searched in the {then} index then, in the {now} one now"))
    for sign, places in (("+", told.gained), ("-", told.lost)):
        lines += [visible(f"    {sign} {_place(one)}") for one in places[:_EXAMPLES]]
    if "answer" in told.changed:
        lines += [
            visible(f"    before  {_short(told.before.answer)}"),
            visible(f"    after   {_short(told.after.answer)}"),
        ]
    return lines


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _table(kind: str, table: ShadowTable) -> list[str]:
    numbers = f"{table.same:,} the same, {table.added:,} added, {table.removed:,} removed, {table.changed:,} changed"
    lines = [f"  {visible(kind)}: {table.live:,} rows live, {table.shadow:,} in the shadow; {numbers}"]
    shown = [visible(f"    {each.get('before')} → {each.get('after')}") for each in table.examples[:_EXAMPLES]]
    return [*lines, *shown]


def _print(shadow: ShadowView, *, as_json: bool) -> int:
    tell(shadow, lines_of(shadow), as_json=as_json)
    return OK if shadow.state == "done" else FAILED


def _say(line: str) -> None:
    Screen().say(line)


def _place(one: Citation | ShadowPassage) -> str:
    return f"{one_line(one.path)}:{one.first_line}-{one.last_line}"
