"""`repostream fork`: a history with one event edited, and how the present code goes on from it."""

from collections.abc import Sequence

from cli.api import connect
from cli.events import stream_of
from cli.exits import OK
from cli.inspecting import change_line
from cli.letters import changes_of
from cli.plain import visible
from cli.screen import tell
from runtime.client.shapes import ChangeView, DecisionView, ForkRequest, ForkView, MissingView

_MOST = 40  # lines of each part


def run_fork(stream: str, version: int, values: Sequence[str], *, as_json: bool) -> int:
    """Fork and print both sides; returns the exit code. Raises ApiError."""
    asked = ForkRequest(stream_id=stream_of(stream), version=version, changes=changes_of(values, "fork_edit_refused"))
    made = connect().forks_make(asked)
    tell(made, lines_of(made), as_json=as_json)
    return OK


def lines_of(made: ForkView) -> list[str]:
    """What was edited, what became of it, and what nobody knows."""
    head = f"{visible(made.stream_id)}: {made.fork_events:,} events, really {made.real_events:,}"
    lines = [f"{head}; forked at {made.version} ({made.event_type})", *_part("edited:", made.edited)]
    differing = [each for each in made.decisions if not each.agrees]
    lines.append(f"decisions: {len(made.decisions) - len(differing):,} as they were, {len(differing):,} otherwise")
    for each in differing[:_MOST]:
        lines += decision_lines(each)
    lines += _part("state right after it:", made.then)
    lines += _part("state at the end:", made.now)
    lines += [missing_line(each) for each in made.not_recorded[:_MOST]]
    return [*lines, "It went on as it did." if made.agrees else "It went on otherwise."]


def decision_lines(each: DecisionView) -> list[str]:
    """Both sides of a decision."""
    return [f"  really  {visible(each.real or 'nothing')}", f"  fork    {visible(each.fork or 'nothing')}"]


def missing_line(each: MissingView) -> str:
    """What nothing is recorded of."""
    if each.what != "run":
        return f"  not recorded ({each.code}): what came of it, {each.what}"
    return f"  not recorded ({each.code}): {each.stage}[{each.shard}], attempt {each.attempt}"


def _part(title: str, changes: Sequence[ChangeView]) -> list[str]:
    more = [f"  … and {len(changes) - _MOST:,} more"] if len(changes) > _MOST else []
    return [title, *(f"  {change_line(each).plain}" for each in changes[:_MOST]), *more] if changes else []
