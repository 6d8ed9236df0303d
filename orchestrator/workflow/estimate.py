"""What an analysis will take, once its tree is listed, and whether somebody is to be asked first. Pure.

In:  what the clone found, what earlier analyses of this installation took, the limits.
Out: the fact that is recorded. What nobody measured is not estimated.
"""

from datetime import datetime, timedelta

from events.processing import ProcessingEstimated, Stage
from orchestrator.workflow.graph import is_done
from orchestrator.workflow.policy import Pace, Thresholds
from orchestrator.workflow.state import AnalysisState, Phase

BYTES_PER_TOKEN = 3.5  # of text, by the local model's tokenizer: docs/decisions/0222-rules-and-confirmation.md


def needs_estimate(state: AnalysisState) -> bool:
    """Whether the tree is listed, nothing was estimated yet, and no other stage was asked for."""
    return (
        state.phase is Phase.RUNNING
        and not state.estimated
        and is_done(state.slots.get((Stage.CLONE, 0)))
        and all(stage is Stage.CLONE for stage, _ in state.slots)
    )


def estimate(state: AnalysisState, pace: Pace, limits: Thresholds, at: datetime) -> ProcessingEstimated:
    """The fact. `over` names the limits that it is over; then it waits until `until`.

    Files that an earlier analysis had are told and not taken off: whether its vectors serve is known only once they
    are looked for, and nobody is to pay for more than was estimated.
    """
    counts = state.slots[Stage.CLONE, 0].counts
    files, size = counts.get("files", 0), counts.get("bytes", 0)
    seconds = round(size * pace.seconds / pace.bytes, 1) if pace.analyses and pace.bytes else None
    tokens = round(size / BYTES_PER_TOKEN)
    cost = round(tokens * limits.price / 1_000_000, 4) if limits.price else None
    compared = (
        ("files", files, limits.files),
        ("bytes", size, limits.bytes),
        ("minutes", (seconds or 0) / 60, limits.minutes),
        ("cost", cost or 0, limits.cost),
    )
    over = tuple(name for name, found, limit in compared if limit and found > limit)
    return ProcessingEstimated(
        files=files,
        bytes=size,
        known_files=counts.get("known_files", 0),
        known_bytes=counts.get("known_bytes", 0),
        seconds=seconds,
        measured=pace.analyses,
        tokens=tokens,
        cost=cost,
        currency=limits.currency if cost is not None else "",
        over=over,
        until=at + timedelta(hours=limits.hours) if over else None,
    )
