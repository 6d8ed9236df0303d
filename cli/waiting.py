"""Waiting for work of the installation that has no live stream of its own: rebuilds and shadows."""

import math
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

_PAUSE = 0.5  # seconds between two looks: the work takes seconds to minutes, and a look is one small request


class Work(Protocol):
    """Whatever is asked for and ends one day."""

    @property
    def state(self) -> str:
        """`asked` for as long as it is at work."""


W = TypeVar("W", bound=Work)


def until_ended(asked: W, look: Callable[[], W], seconds: float = math.inf) -> W:
    """`asked` as a later `look` found it: ended, or as it is after so many seconds."""
    end = time.monotonic() + seconds
    view = asked
    while view.state == "asked" and time.monotonic() < end:
        time.sleep(_PAUSE)
        view = look()
    return view
