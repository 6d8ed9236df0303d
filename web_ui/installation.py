"""How the installation does, as administrators read it. Pure."""

from collections.abc import Iterable

from runtime.client.shapes import QueueList, QueueView, ServiceView, SettingView, TeamUsageView
from web_ui import markup
from web_ui.usage import usage_rows
from web_ui.words import count, duration, visible

_LONGEST = 1.0  # seconds for which an event may wait for its place without a word
_TONES = {"ok": "good", "note": "calm"}
QUEUES = ("Queue", "Waits", "At work", "Workers")
SERVICES = ("Service", "State", "What it lacks")
SETTINGS = ("Setting", "State", "What is said of it", "From")


def services(items: Iterable[ServiceView]) -> list[list[str]]:
    """Markup of the rows of `SERVICES`."""
    return [
        [markup.text(each.name), _state("ready" if each.ready else "not ready", each.ready), _said(each.reason)]
        for each in items
    ]


def queues(items: Iterable[QueueView]) -> list[list[str]]:
    """Markup of the rows of `QUEUES`."""
    return [
        [
            markup.text(visible(each.consumer)),
            "unknown" if each.waiting is None else f"{each.waiting:,}",
            f"{each.held:,}",
            f"{each.workers:,}" if each.workers or not _has_work(each) else markup.pill("none", "bad"),
        ]
        for each in items
    ]


def conclusion(found: QueueList) -> tuple[str, bool]:
    """One sentence about all queues, and whether somebody has to look: where there is work that nobody takes."""
    left = [each.consumer for each in found.items if _has_work(each) and not each.workers]
    if left:
        return f"Nobody works on {', '.join(map(visible, left))}: look whether its service runs, and at its log.", True
    if found.unplaced and found.unplaced_seconds > _LONGEST:
        waiting = count(found.unplaced, "event")
        return f"{waiting} wait to be carried on, the oldest for {duration(found.unplaced_seconds)}.", True
    waits = sum(each.waiting or 0 for each in found.items)
    held = sum(each.held for each in found.items)
    if not waits and not held:
        return "Nothing waits, and nothing is at work.", False
    return f"{count(waits, 'message')} waiting, {held:,} at work.", False


def team(each: TeamUsageView) -> list[str]:
    """One line about a team: who they are, then what they have of each thing that is counted."""
    people = "one person's own" if each.personal else count(each.people, "person", "people")
    return [people, *(f"{title}: {told}" for title, told in usage_rows(each.quotas))]


def settings(items: Iterable[SettingView]) -> list[list[str]]:
    """Markup of the rows of `SETTINGS`, what is wrong first."""
    worst = sorted(items, key=lambda each: (each.state in _TONES, each.state == "ok"))
    return [
        [
            markup.text(visible(each.setting)),
            markup.pill(each.state, _TONES.get(each.state, "bad")),
            _said(each.detail),
            _said(each.source),
        ]
        for each in worst
    ]


def _has_work(queue: QueueView) -> bool:
    return bool(queue.waiting or queue.held)


def _state(word: str, good: bool) -> str:  # one of two
    return markup.pill(word, "good" if good else "bad")


def _said(text: str) -> str:
    return markup.text(visible(text))
