"""Make facts small enough for an event.

In:  facts of which some are lists, most important items first.
Out: the same facts with the longest lists cut, and how many items each lost, under `left_out`.
"""

import json
from collections.abc import Mapping

MAX_BYTES = 32_000  # an event holds at most 64 KiB, and every viewer of the analysis gets these
_MAX_TEXT = 600


def fit(facts: Mapping[str, object], limit: int = MAX_BYTES) -> dict[str, object]:
    """`facts` as at most `limit` bytes of JSON. Texts are cut at 600 characters, lists from their ends."""
    kept = {name: _short(value) for name, value in facts.items()}
    lists = {name: value for name, value in kept.items() if isinstance(value, list)}
    full = {name: len(value) for name, value in lists.items()}
    while _bytes(kept) > limit and any(lists.values()):
        largest = max(lists, key=lambda name: _bytes(lists[name]))
        del lists[largest][len(lists[largest]) // 2 :]
    left_out = {name: full[name] - len(value) for name, value in lists.items() if len(value) < full[name]}
    return {**kept, "left_out": left_out} if left_out else kept


def _bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _short(value: object) -> object:
    if isinstance(value, str):
        return value if len(value) <= _MAX_TEXT else f"{value[: _MAX_TEXT - 1]}…"
    if isinstance(value, Mapping):
        return {str(name)[:_MAX_TEXT]: _short(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_short(item) for item in value]
    return value
