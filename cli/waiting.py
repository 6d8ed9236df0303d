"""Waiting for work of the installation that has no live stream of its own: rebuilds, shadows, retries."""

import math
import sys
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from runtime.client import ApiError

_PAUSE = 0.5  # seconds between two looks: the work takes seconds to minutes, and a look is one small request
_PATIENCE = 60.0  # seconds without an orchestrator before we give up: it may be restarting


class Work(Protocol):
    """Whatever is asked for and ends one day."""

    @property
    def state(self) -> str:
        """`asked` for as long as it is at work."""


W = TypeVar("W", bound=Work)


def until_ended(asked: W, look: Callable[[], W], seconds: float = math.inf, *, named: str = "") -> W:
    """`asked` as a later `look` found it: ended, or as it is after so many seconds.

    `named` is said on standard error first: by what it is found again, should this command be ended before it.
    """
    if named:
        print(named, file=sys.stderr, flush=True)
    end = time.monotonic() + seconds
    view, patience = asked, Patience()
    patience.seen()
    while view.state == "asked" and time.monotonic() < end:
        time.sleep(_PAUSE)
        with patience:
            view = look()
    return view


class Patience:
    """Around each look: once somebody answered, it is borne for a minute that nobody does."""

    def __init__(self) -> None:
        self._seen = -math.inf

    def seen(self) -> None:
        """Somebody answers."""
        self._seen = time.monotonic()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        """Whether `error` is borne."""
        if error is None:
            self.seen()
            return False
        if not isinstance(error, ApiError) or error.problem.code != "orchestrator_unreachable":
            return False
        return time.monotonic() - self._seen <= _PATIENCE
