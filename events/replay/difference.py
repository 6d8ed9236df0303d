"""What is different between two states, each as JSON. Pure."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

Json = object  # what `json.loads` gives
Kind = Literal["added", "removed", "changed"]


class Change(NamedTuple):
    """One place that differs: `path` is a JSON Pointer (RFC 6901); what is not there is None."""

    path: str
    kind: Kind
    before: Json
    after: Json


def difference(before: Json, after: Json, path: str = "") -> Iterator[Change]:
    """The places at which two states differ, in the order of the newer one; what went comes after what is there.

    Objects are compared by their keys, lists by their places; what has another type is one change. As to Python, 1, 1.0
    and true are the same.
    """
    if before == after:  # quick, and most of a large state is
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _keyed(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _keyed(dict(enumerate(before)), dict(enumerate(after)), path)
    else:
        yield Change(path, "changed", before, after)


def _keyed(before: dict[object, Json], after: dict[object, Json], path: str) -> Iterator[Change]:
    for key, value in after.items():
        below = f"{path}/{_escaped(key)}"
        if key not in before:
            yield Change(below, "added", None, value)
        else:
            yield from difference(before[key], value, below)
    for key, value in before.items():
        if key not in after:
            yield Change(f"{path}/{_escaped(key)}", "removed", value, None)


def _escaped(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
