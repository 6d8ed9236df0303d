"""Memory that is done with."""

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Give free pages back to the system: glibc keeps those between what is in use.

    Takes milliseconds; safe on a thread. Nothing where the C library has no such call.
    """
    _trim()(0)


@cache
def _trim() -> Callable[[int], object]:
    try:
        trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # another C library; on Windows there is no such handle
        return lambda _kept: None
    return trim
