"""`repostream shadow`: a stage of the present code over what was recorded, beside what serves."""

import math
from uuid import UUID

from cli.api import connect, refusal
from cli.exits import FAILED, OK
from cli.plain import visible
from cli.screen import Screen
from cli.waiting import until_ended
from runtime.client import Client
from runtime.client.shapes import ShadowRequest, ShadowTable, ShadowView

_EXAMPLES = 5  # of a table
_MOST = 20  # lines of decisions, and of facts


def run_shadow(analysis: str, stage: str, *, as_json: bool) -> int:
    """Have it run and wait; 1 where it failed. Raises ApiError."""
    return _print(wait_for(connect(), analysis, stage), as_json=as_json)


def run_show(shadow: str | None, *, as_json: bool) -> int:
    """Print one shadow, or list all; returns the exit code. Raises ApiError."""
    if shadow is not None:
        return _print(connect().shadows_one(shadow), as_json=as_json)
    for each in connect().shadows_listed().items:
        _say(each.model_dump_json() if as_json else line_of(each))
    return OK


def run_drop(shadow: str) -> int:
    """Remove one; returns the exit code. Raises ApiError."""
    connect().shadows_drop(shadow)
    return OK


def run_promote(shadow: str) -> int:
    """Let it take the place of what serves; returns the exit code. Raises ApiError."""
    _say(line_of(connect().shadows_promote(shadow)))
    return OK


def wait_for(api: Client, analysis: str, stage: str, seconds: float = math.inf) -> ShadowView:
    """Ask for a shadow; as it is once it ended, or after so many seconds. Raises ApiError."""
    try:
        named = UUID(analysis)
    except ValueError:
        raise refusal("not_found", f"{visible(analysis)} is no id of an analysis: see `repostream status`.") from None
    asked = api.shadows_begin(ShadowRequest(analysis_id=str(named), stage=stage))
    return until_ended(asked, lambda: api.shadows_one(asked.shadow_id), seconds)


def line_of(shadow: ShadowView) -> str:
    """One line: id, stage, analysis, and what came of it."""
    agrees = "the same" if shadow.report.agrees else "different"
    came = {"done": agrees, "failed": f"failed ({shadow.code})"}.get(shadow.state, "at work")
    promoted = ", promoted" if shadow.promoted_at is not None else ""
    asked = f"{shadow.stage} of {shadow.analysis_id}  {shadow.asked_at:%Y-%m-%d %H:%M}"
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
    if shadow.stage == "workflow":
        lines.append(f"  {report.decided:,} decisions, {len(report.decisions):,} otherwise")
    for each in report.decisions[:_MOST]:
        lines += [visible(f"    really  {each.get('real')}"), visible(f"    shadow  {each.get('fork')}")]
    return lines


def _table(kind: str, table: ShadowTable) -> list[str]:
    numbers = f"{table.same:,} the same, {table.added:,} added, {table.removed:,} removed, {table.changed:,} changed"
    lines = [f"  {visible(kind)}: {table.live:,} rows live, {table.shadow:,} in the shadow; {numbers}"]
    shown = [visible(f"    {each.get('before')} → {each.get('after')}") for each in table.examples[:_EXAMPLES]]
    return [*lines, *shown]


def _print(shadow: ShadowView, *, as_json: bool) -> int:
    for line in [shadow.model_dump_json()] if as_json else lines_of(shadow):
        _say(line)
    return OK if shadow.state == "done" else FAILED


def _say(line: str) -> None:
    Screen().print(line, markup=False, highlight=False, soft_wrap=True)
