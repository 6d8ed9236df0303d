"""Parked messages as people read them. Pure."""

import json
from datetime import datetime

from runtime.client.shapes import LetterView
from web_ui.words import ago, count, visible

RUN = "processing.stage.requested"  # the one message whose values can be changed
_DECIDED = {
    "edited": ("done with other values", "good"),
    "retried": ("done again", "good"),
    "discarded": ("discarded", "calm"),
}


def title(letter: LetterView) -> str:
    """What it is."""
    return visible(letter.event_type or "Not an event of this installation")


def state(letter: LetterView) -> tuple[str, str]:
    """What was decided, or that it waits, as words and a tone."""
    if letter.resolution is None:
        return "waits for a decision", "warn"
    return _DECIDED.get(letter.resolution, (visible(letter.resolution), "calm"))


def facts(letter: LetterView, now: datetime) -> list[str]:
    """One line: where it belongs, who was to do it, how often it was tried, since when it lies here."""
    decided = f"decided {ago(letter.resolved_at, now)}" if letter.resolved_at is not None else ""
    tried = f"tried {count(letter.attempts, 'time')}"
    parked = f"parked {ago(letter.parked_at, now)}"
    said = (visible(letter.stream_id or letter.topic), f"for {visible(letter.consumer)}", tried, parked, decided)
    return [fact for fact in said if fact]


def stream_of(letter: LetterView, tenant_id: str | None) -> dict[str, str] | None:
    """The address of its analysis's events, where whoever works in a tenant may read them; else None."""
    kind, _, analysis = (letter.stream_id or "").partition("/")
    if kind != "analysis" or tenant_id is None or letter.tenant_id != tenant_id:
        return None
    return {"analysis": analysis, "stream": f"analysis/{analysis}"}


def changes(written: str) -> dict[str, object]:
    """The values that somebody wrote as a JSON object; of anything else nothing, which the API refuses."""
    try:
        values = json.loads(written)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
