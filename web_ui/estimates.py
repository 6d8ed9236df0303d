"""What an analysis is expected to take, in words. Pure."""

from datetime import datetime

from runtime.client.shapes import AnalysisView, EstimateView, SpentView
from web_ui.usage import dollars
from web_ui.words import count, duration, size

_LIMITS = {"files": "number of files", "bytes": "amount of text", "minutes": "time", "cost": "cost"}


def expected(estimate: EstimateView) -> list[str]:
    """Files, text, time, tokens and money. Time is left out where no earlier analysis says anything of it."""
    facts = [count(estimate.files, "file"), f"{size(estimate.bytes)} of text"]
    if estimate.known_files:
        share = f"{estimate.known_bytes * 100 // estimate.bytes} % of the text" if estimate.bytes else "no text"
        facts.append(f"{estimate.known_files:,} of them as in an earlier analysis ({share}), so it may take less")
    if estimate.seconds is not None:
        basis = count(estimate.measured, "earlier analysis", "earlier analyses")
        facts.append(f"about {duration(estimate.seconds)} until it is ready, by {basis} here")
    else:
        facts.append("time unknown: nothing as large was analysed here yet")
    if estimate.cost is not None:
        facts.append(f"about {estimate.tokens:,} tokens to embed, {estimate.cost:,.2f} {estimate.currency}")
    return facts


def facts(analysis: AnalysisView) -> list[str]:
    """What is expected of an analysis that goes on; nothing of one that is ready or over."""
    if analysis.estimate is None or analysis.state not in {"running", "answerable"}:
        return []
    return expected(analysis.estimate)


def spent(took: SpentView | None) -> str:
    """What embedding really took; empty where no model that counts tokens was asked."""
    if took is None:
        return ""
    cost = dollars(took.cost_usd * 100) if took.cost_usd is not None else "at a cost that is not set"
    return f"{took.tokens:,} tokens, {cost}"


def waiting_sentence(analysis: AnalysisView, now: datetime) -> str:
    """That an analysis waits to be confirmed: why, what it would take, and for how long; empty where it does not."""
    estimate = analysis.estimate
    if analysis.state != "unconfirmed" or estimate is None:
        return ""
    over = " and ".join(_LIMITS.get(name, name) for name in estimate.over)
    left = (estimate.until - now).total_seconds() if estimate.until is not None else 0
    rest = f" It waits for {duration(left)} more." if left > 0 else ""
    skipped = sum(analysis.skipped.values())
    out = f", {count(skipped, 'file')} left out (listed below)" if skipped else ""
    what = "; ".join(expected(estimate))
    why = f"This is over a limit of the installation ({over}), so it waits for somebody to let it go on"
    return f"{why}: {what}{out}.{rest}"
