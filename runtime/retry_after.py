"""The header `Retry-After` (RFC 9110, 10.2.3) as seconds."""

import math
from email.utils import parsedate_to_datetime


def seconds_of(header: str | None, now: float) -> float | None:
    """For how long a host asks to be left alone; None where it does not say, or nothing that makes sense.

    `now` is a POSIX time: the header may be a date.
    """
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - now
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
