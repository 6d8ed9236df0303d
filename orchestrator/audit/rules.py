"""Which requests are recorded, and what became of each. Pure."""

from collections.abc import Collection

from orchestrator.audit.entry import Outcome
from orchestrator.auth.identity import ADMIN

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_REFUSED = frozenset({400, 401, 403, 404, 429})
_ALWAYS = frozenset({401, 403, 429})


def outcome_of(status: int | None) -> Outcome:
    """What a status says. None: the connection ended before there was an answer."""
    if status is None:
        return Outcome.FAILED
    if status < 400:
        return Outcome.ALLOWED
    return Outcome.REFUSED if status in _REFUSED else Outcome.FAILED


def is_recorded(
    method: str, status: int | None, *, route: str | None, known: bool, sensitive: bool, scopes: Collection[str]
) -> bool:
    """Whether a request is put on record.

    `route` is the name of the route that was found, `known` whether somebody is signed in, `sensitive` what the route
    says of itself, `scopes` what it declares. An address that is not part of the API is nobody's: it is not recorded.
    """
    if status == 405 or (status == 404 and route is None):
        return False
    if method in CHANGING or status in _ALWAYS:
        return True
    if status == 404:
        return known
    return sensitive or ADMIN in scopes or (route or "").startswith("export")
