"""How the pages say numbers, times, reasons and names. Pure: whatever depends on the time is given it."""

import unicodedata
from datetime import datetime, tzinfo

from runtime.reasons import REASONS as KNOWN

REASONS = {code: found.title for code, found in KNOWN.items()}


def visible(text: str) -> str:
    """`text` without the characters that hide or reorder others (bidirectional marks, tags) and without controls."""
    return "".join(c for c in text if c in "\n\t\u200d" or unicodedata.category(c) not in {"Cf", "Cc"})


def spelled(text: str) -> str:
    """`text` with such characters written out: names that look alike stay apart where one of them is chosen."""
    return "".join(c if visible(c) == c else f"\\u{ord(c):04x}" for c in text)


def reason(code: str) -> str:
    """What a reason's code means; `stage.code` is a stage that was lost as a whole."""
    stage, _, why = code.rpartition(".")
    if stage:
        return f"The stage {stage} failed: {reason(why).lower()}"
    return REASONS.get(code, code.replace("_", " ").capitalize())


def meaning(code: str) -> str:
    """What a reason means and what can be done, in a sentence; empty for one that is not known."""
    found = KNOWN.get(code)
    return found.sentence if found is not None else ""


def count(value: int, noun: str, plural: str | None = None) -> str:
    """`1 file`, `1,204 files`."""
    return f"{value:,} {noun if value == 1 else plural or f'{noun}s'}"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min {int(seconds % 60)} s"
    return f"{minutes // 60} h {minutes % 60} min"


def ago(then: datetime, now: datetime) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `2 days ago`, and the date after two weeks: that of the zone `now` is in."""
    seconds = (now - then).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3_600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86_400:
        return f"{int(seconds // 3_600)} h ago"
    days = int(seconds // 86_400)
    return f"{count(days, 'day')} ago" if days <= 14 else f"{then.astimezone(now.tzinfo):%Y-%m-%d}"


def moment(at: datetime, zone: tzinfo) -> str:
    """`2026-11-22 19:05 CET`: a time as it is where the viewer is."""
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M} {local.tzname()}"


def short_commit(commit: str | None) -> str:
    """The first ten characters of a commit, as people quote it."""
    return commit[:10] if commit else ""


def size(value: int) -> str:
    """`512 B`, `12 KB`, `3.4 MB`."""
    if value < 1_000:
        return f"{value} B"
    return f"{value / 1_000:.0f} KB" if value < 1_000_000 else f"{value / 1_000_000:.1f} MB"


def place(path: str, first: int, last: int) -> str:
    """`path:first-last`, or `path:line`."""
    return f"{path}:{first}" if first == last else f"{path}:{first}-{last}"


def read_place(text: str | None) -> tuple[str, int, int] | None:
    """The path and lines of `path:first-last`; None where it is not one."""
    path, _, lines = (text or "").rpartition(":")
    first, _, last = lines.partition("-")
    if not path or not first.isdecimal() or not (last or first).isdecimal():
        return None
    start, end = int(first[:9]), int((last or first)[:9])
    return (path, start, end) if 1 <= start <= end else None


def shard_named(shard: int | None) -> str:
    """A shard as people count them, from 1; or all of them."""
    return "all" if shard is None else f"{shard + 1}"
