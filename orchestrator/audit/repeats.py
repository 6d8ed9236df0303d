"""Refusals that anybody can cause at will: one entry at once, and one a minute for all that follow. Pure."""

from dataclasses import replace

from orchestrator.audit.entry import Entry, Outcome
from orchestrator.auth.address import site_of

MINUTE = 60.0  # seconds that like refusals are counted together
LIMIT = 1_000  # kinds that are counted apart; those above are counted without their address
_Key = tuple[str, str, str, str]


def repeats(entry: Entry) -> bool:
    """Whether nothing but the will of a client limits how many of its kind come."""
    return entry.outcome is not Outcome.ALLOWED and (entry.user_id is None or entry.status == 429)


class Repeats:
    """Counts, by action, code, user and address."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._since: dict[_Key, float] = {}
        self._more: dict[_Key, Entry] = {}

    def take(self, entry: Entry, now: float) -> Entry | None:
        """The entry, where it is to be written; None where it was counted. `now` in seconds, monotonic."""
        key: _Key = (entry.action, entry.code, str(entry.user_id or ""), site_of(entry.address))
        if key not in self._since and len(self._since) >= self._limit:
            key = (*key[:2], "", "")
            entry = of_nobody(entry)
        if key not in self._since:
            self._since[key] = now
            return entry
        before = self._more.get(key)
        self._more[key] = replace(entry, times=entry.times + (before.times if before is not None else 0))
        return None

    def due(self, now: float) -> list[Entry]:
        """What was counted in the minutes that are over, each kind once; all of it for an infinite `now`."""
        over = [key for key, since in self._since.items() if now - since >= MINUTE]
        found = []
        for key in over:
            del self._since[key]
            if (entry := self._more.pop(key, None)) is not None:
                self._since[key] = now  # it goes on: the next minute begins
                found.append(entry)
        return found


def of_nobody(entry: Entry) -> Entry:
    """The entry without who, what and from where: it stands for many."""
    nobody = replace(entry, tenant_id=None, user_id=None, proof="", proof_id=None, correlation_id=None)
    return replace(nobody, target="", address="", agent="")
