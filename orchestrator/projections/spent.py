"""What was spent on models, added up over the runs of an analysis. Pure."""

from events.processing import StageCompleted, StageFailed
from orchestrator.api.spent_models import SpentView


def spent_after(before: SpentView | None, event: StageCompleted | StageFailed) -> SpentView | None:
    """With what one run took: of any attempt, for it was paid all the same. None while no run said anything of it."""
    tokens: int
    cost: object
    if isinstance(event, StageFailed):
        tokens, cost = event.tokens, event.cost_usd
    else:
        tokens, cost = event.counts.get("tokens", 0), event.facts.get("cost_usd")
    if not tokens and cost is None:
        return before
    known = before or SpentView(tokens=0)
    dollars = cost if isinstance(cost, int | float) else None
    added = known.cost_usd if dollars is None else round((known.cost_usd or 0.0) + dollars, 8)
    return SpentView(tokens=known.tokens + tokens, cost_usd=added)
