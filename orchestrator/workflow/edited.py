"""A parked run with other values, as an administrator wants it. Pure.

In:  the request that was parked, and the values that are to be others.
Out: the request with them, as the next attempt; and the fact that says what was changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from events.processing import RetryRequested, StageRequested
from orchestrator.workflow.decide import run_id_of
from orchestrator.workflow.evolve import EDITED
from orchestrator.workflow.retrying import again_of, retried
from orchestrator.workflow.state import AnalysisState

# What names the repository, the run or a credential stays; and nobody is shown another's artifact.
EDITABLE = ("ref", "commit", "include", "history_depth", "inputs")


@dataclass(frozen=True)
class Edit:
    """The request with its new values, and those that were changed, before and after."""

    request: StageRequested
    before: dict[str, object]
    after: dict[str, object]


def edit(request: StageRequested, changes: Mapping[str, object]) -> Edit:
    """The request with `changes`. Raises ValueError with a sentence where a value cannot be, or nothing changes."""
    if fixed := sorted(set(changes) - set(EDITABLE)):
        raise ValueError(f"{', '.join(fixed)} cannot be changed: only {', '.join(EDITABLE)}.")
    old = request.model_dump(mode="json")
    try:
        edited = StageRequested.model_validate({**old, **changes})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}.") from None
    if not set(edited.inputs) <= set(request.inputs):
        raise ValueError("inputs may lose some of the run's own artifacts, and get no others.")
    new = edited.model_dump(mode="json")
    changed = [name for name in EDITABLE if new[name] != old[name]]
    if not changed:
        raise ValueError("Nothing would be different: have it run again instead.")
    return Edit(edited, {name: old[name] for name in changed}, {name: new[name] for name in changed})


def next_attempt(request: StageRequested, state: AnalysisState) -> tuple[RetryRequested, StageRequested]:
    """The retry of its shard, and the request as the next attempt at it after that.

    Raises ValueError with a sentence where the run does not wait for anybody.
    """
    retry = again_of(state, request)
    if retry is None:
        raise ValueError("The run does not wait any more: it was asked for again, or its analysis was cancelled.")
    attempt, again = state.slots[request.stage, request.shard].attempt + 1, retried(state, retry)
    run_id = run_id_of(request.analysis_id, request.stage, request.shard, attempt)
    changed = {"attempt": attempt, "run_id": run_id, "because": EDITED, "round": again.round}
    return retry, request.model_copy(update=changed)
