"""What hosts said of refs a short while ago, so that a page that is looked at often does not ask them each time."""

from collections import OrderedDict
from datetime import datetime, timedelta
from uuid import UUID

from orchestrator.adapters.lookups import Found

FRESH = timedelta(minutes=5)
_MOST = 2_000
Key = tuple[UUID, UUID, str, str | None]  # tenant, user, address, ref


class HeardOfRefs:
    """The answers of one process, the latest of each question, for some minutes."""

    def __init__(self) -> None:
        self._heard: OrderedDict[Key, tuple[Found, datetime]] = OrderedDict()

    def known(self, key: Key, at: datetime) -> tuple[Found, datetime] | None:
        """What was heard, and when; None where that is too long ago."""
        heard = self._heard.get(key)
        return heard if heard is not None and at - heard[1] < FRESH else None

    def keep(self, key: Key, found: Found, at: datetime) -> tuple[Found, datetime]:
        """Remember an answer."""
        self._heard[key] = (found, at)
        self._heard.move_to_end(key)
        while len(self._heard) > _MOST:
            self._heard.popitem(last=False)
        return found, at
