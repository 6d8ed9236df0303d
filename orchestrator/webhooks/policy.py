"""When an attempt is made again, and what becomes of a webhook that does not answer. Pure."""

from datetime import datetime, timedelta

# Seconds between attempts: eleven of them within a day.
DELAYS = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800)
JITTER = 0.1  # of a delay, either way: many deliveries that failed together do not come back together
PERSISTENT = timedelta(hours=23)


def next_delay(made: int, random: float) -> float | None:
    """Seconds until the attempt after `made` ones; None where that was the last. `random` is in [0, 1)."""
    if made > len(DELAYS):
        return None
    return DELAYS[made - 1] * (1 + JITTER * (2 * random - 1))


def why_disabled(status: int | None, *, over: bool, failing_since: datetime, now: datetime) -> str | None:
    """Why a webhook is not called any more after an attempt that failed; None: it is.

    `gone`: the receiver said so (410). `failing`: a delivery was given up, and nothing succeeded in all its day.
    """
    if status == 410:
        return "gone"
    return "failing" if over and now - failing_since >= PERSISTENT else None
