"""How much of the machine a benchmark had, where others work on it too."""

import time


def yardstick() -> float:
    """Millions of additions a second of this process, by the clock: how much of a core there was."""
    began, total = time.perf_counter(), 0
    for number in range(1_000_000):
        total += number
    return 1 / (time.perf_counter() - began)
