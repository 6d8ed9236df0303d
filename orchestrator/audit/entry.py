"""One line of the audit trail. Pure."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PARAMETER = re.compile(r"\{([A-Za-z_]+)(?::[a-z]+)?\}")
_LOCATION = re.compile(rf"(?:/api/v\d+)?/([a-z_-]{{1,40}}/{_UUID.pattern})")
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
LONGEST = 200  # characters of whatever a client may choose


class Outcome(StrEnum):
    """`refused`: it was not let through. `failed`: it was, and did not succeed."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True)
class Entry:
    """Who (user, of tenant, by proof) did what (action) to what (target), from where, and what became of it.

    Never a secret, a query, or a text that somebody wrote. `times` is above one where like entries were counted
    together because more came than could be written.
    """

    entry_id: UUID
    at: datetime
    action: str
    outcome: Outcome
    target: str = ""
    status: int | None = None
    code: str = ""
    tenant_id: UUID | None = None
    user_id: UUID | None = None
    proof: str = ""
    proof_id: UUID | None = None
    address: str = ""
    agent: str = ""
    correlation_id: UUID | None = None
    times: int = 1

    def as_row(self) -> dict[str, object]:
        """The entry as JSON can hold it."""
        return {name: str(value) if isinstance(value, UUID) else value for name, value in asdict(self).items()} | {
            "at": self.at.isoformat()
        }


def clean(text: str) -> str:
    """A client's own words, in a length and in characters that a table, a terminal and a page can take."""
    return _NO_TEXT.sub("\ufffd", text)[:LONGEST]


def target_of(path: str, parameters: Mapping[str, object]) -> str:
    """What a route with the template `path` was called for: `analyses/<id>` for `/analyses/{analysis_id}/cancel`.

    A parameter that is no UUID is left out: it may be the secret of a link.
    """
    end = path.rfind("}") + 1

    def value(match: re.Match[str]) -> str:
        text = str(parameters.get(match[1], ""))
        return text.lower() if _UUID.fullmatch(text) else "…"

    return clean(_PARAMETER.sub(value, path[:end]).removeprefix("/api/v1").lstrip("/"))


def created_by(location: str | None) -> str:
    """What an answer's Location says was made; empty where it leads anywhere else."""
    match = _LOCATION.fullmatch(location or "")
    return match[1].lower() if match else ""
