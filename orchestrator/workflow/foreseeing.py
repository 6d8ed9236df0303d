"""Whether anything comes of a retry. Pure.

In:  the state of an analysis, the retry, the newest event of its stream, and the rule of retries.
Out: yes where one of the runs that it makes due is asked for in the end, if all that is at work until then succeeds.
"""

from dataclasses import replace

from events.base import Envelope
from events.processing import ProcessingCompleted, ProcessingRefined, RetryRequested, Stage, StageRequested
from orchestrator.workflow.decide import decide
from orchestrator.workflow.evolve import evolve, evolve_all
from orchestrator.workflow.policy import Policy
from orchestrator.workflow.state import AnalysisState, SlotStatus

_AT_WORK = frozenset({SlotStatus.ASKED, SlotStatus.WAITING})


def anything_comes_of(state: AnalysisState, retry: RetryRequested, newest: Envelope, policy: Policy) -> bool:
    """Whether a run, or an end that was still to come, follows the retry."""
    after = evolve(state, retry, newest.timestamp)
    if after is state:
        return False
    due = {key for key, slot in after.slots.items() if slot != state.slots.get(key)}
    if not due and any(slot.status in _AT_WORK for slot in after.slots.values()):
        return True  # what was begun before it failed counts again
    for _ in Stage:  # so deep do they follow each other
        events = [draft.event for draft in decide(after, newest, policy).drafts]
        requests = [event for event in events if isinstance(event, StageRequested)]
        if any(not due or (request.stage, request.shard) in due for request in requests):
            return True
        if not due and any(isinstance(event, ProcessingCompleted | ProcessingRefined) for event in events):
            return True
        after = _all_done(evolve_all(after, ((event, newest.timestamp) for event in events)))
    return False


def _all_done(state: AnalysisState) -> AnalysisState:
    """The state once all that is at work has succeeded."""
    done = {
        key: replace(slot, status=SlotStatus.DONE, failure=None, stale="") if slot.status in _AT_WORK else slot
        for key, slot in state.slots.items()
    }
    return replace(state, slots=done)
