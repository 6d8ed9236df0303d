"""How a route says that it will go: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and where to go instead.

`@router.get("/old", deprecated=True, dependencies=[deprecated(...)])`; docs/api.md has the policy.
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from fastapi import Depends, Response

LEAST_NOTICE = timedelta(days=180)


def deprecated(since: datetime, sunset: datetime, successor: str) -> Any:  # noqa: ANN401  # FastAPI's marker
    """A dependency for a route that goes at `sunset`; `successor` is the path that takes its place.

    Raises ValueError where the notice is shorter than `LEAST_NOTICE`, or a time has no zone.
    """
    if since.tzinfo is None or sunset.tzinfo is None or sunset - since < LEAST_NOTICE:
        raise ValueError(f"give both times with their zone, and notice of {LEAST_NOTICE.days} days at least")
    headers = {
        "Deprecation": f"@{int(since.timestamp())}",
        "Sunset": format_datetime(sunset.astimezone(UTC), usegmt=True),
        "Link": f'<{successor}>; rel="successor-version"',
    }

    async def say(response: Response) -> None:
        response.headers.update(headers)

    return Depends(say)
