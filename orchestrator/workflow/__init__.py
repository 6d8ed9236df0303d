"""The workflow of an analysis, pure: `evolve(state, event, at) -> state`, `decide(state, cause, policy) -> Decision`.

No clock, no random, no I/O. The stage graph is data (`graph.py`). A decision looks at the whole state and asks what is
missing, so a message that comes twice, late or out of order decides nothing that was not due.
"""

from orchestrator.workflow.decide import Alarm, Decision, decide
from orchestrator.workflow.estimate import needs_estimate
from orchestrator.workflow.evolve import evolve, evolve_all, replay
from orchestrator.workflow.policy import Pace, Policy, Thresholds
from orchestrator.workflow.state import AnalysisState, Phase, initial_state

__all__ = [
    "Alarm",
    "AnalysisState",
    "Decision",
    "Pace",
    "Phase",
    "Policy",
    "Thresholds",
    "decide",
    "evolve",
    "evolve_all",
    "initial_state",
    "needs_estimate",
    "replay",
]
