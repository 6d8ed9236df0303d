"""The one form of all lists: `cursor` and `limit` go in, `{items, next}` comes out.

A cursor is opaque: it names the list it is of and the place after which the next page begins. It carries no right:
every query is of one tenant and one subject whatever the cursor says.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter

from orchestrator.api.problems import ApiProblem

Place = TypeVar("Place", bound=tuple[Any, ...])
Item = TypeVar("Item")
LONGEST = 8_192  # characters: a path of 4,096 bytes in base64, and what is around it
Cursor = Annotated[
    str | None, Query(max_length=LONGEST, description="`next` of the page before; the first page where it is left out.")
]
Limit = Annotated[int, Query(ge=1, le=500, description="How many items a page has at most.")]


@dataclass(frozen=True)
class Page:
    """Which page, and how long."""

    cursor: str | None = None
    limit: int = 100


async def _page(cursor: Cursor = None, limit: Limit = 100) -> Page:
    return Page(cursor, limit)


Paging = Annotated[Page, Depends(_page)]


class CursorOf(Generic[Place]):
    """The cursors of one kind of list, whose places are tuples of the type `shape`."""

    def __init__(self, kind: str, shape: type[Place]) -> None:
        self._kind = kind
        self._shape: TypeAdapter[Place] = TypeAdapter(shape)

    def write(self, place: Place) -> str:
        """The cursor of the page that begins after `place`."""
        raw = json.dumps([self._kind, *self._shape.dump_python(place, mode="json")], separators=(",", ":"))
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    def read(self, cursor: str | None) -> Place | None:
        """The place that a cursor names; None for the first page. Raises ApiProblem `bad_cursor`."""
        if cursor is None:
            return None
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
            kind, *place = json.loads(raw)
            if kind == self._kind:
                return self._shape.validate_python(tuple(place))
        except (ValueError, TypeError, RecursionError):
            pass  # one refusal for all that we did not write
        raise ApiProblem("bad_cursor", "Send `next` of the page before as it came, or begin without one.")

    def cut(
        self, found: Sequence[Item], limit: int, place: Callable[[Item], Place]
    ) -> tuple[Sequence[Item], str | None]:
        """One page of what was `found`, which is one more where there is a page after it; and that page's cursor."""
        shown = found[:limit]
        return shown, self.write(place(shown[-1])) if len(found) > limit else None


def _sayable(text: str) -> str:
    """Text that PostgreSQL can take: JSON knows NUL and halves of characters."""
    text.encode()
    if "\x00" in text:
        raise ValueError("NUL")
    return text


def _in_range(moment: datetime) -> datetime:
    if not 1 < moment.year < 9_999:  # at the edges, another time zone's year does not exist
        raise ValueError("no such moment")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_range)]
Path = Annotated[str, AfterValidator(_sayable)]
Number = Annotated[int, Field(ge=0, lt=2**62)]
Small = Annotated[int, Field(ge=0, lt=2**31)]

ANALYSES = CursorOf("analyses", tuple[Moment, UUID])
REPOSITORIES = CursorOf("repositories", tuple[Moment, UUID])
CONVERSATIONS = CursorOf("conversations", tuple[Moment, UUID])
FILES = CursorOf("files", tuple[Path])
SYMBOLS = CursorOf("symbols", tuple[Small, Small])
NAMED_SYMBOLS = CursorOf("named_symbols", tuple[Small, Small, Small, Small])
DEPENDENCIES = CursorOf("dependencies", tuple[Small, Small])
LINKS = CursorOf("links", tuple[Small, Small])
IMPORTS = CursorOf("imports", tuple[Small, Small])
CONNECTIONS = CursorOf("connections", tuple[Small, Path])
FEED = CursorOf("feed", tuple[Number])
DELIVERIES = CursorOf("deliveries", tuple[Moment, UUID])
INVITATIONS = CursorOf("invitations", tuple[Moment, UUID])
SHARES = CursorOf("shares", tuple[Moment, UUID])
UPLOADS = CursorOf("uploads", tuple[Moment, UUID])
DIFFERENCES = CursorOf("differences", tuple[Small])
STREAM = CursorOf("stream", tuple[Small])
KEYS = CursorOf("keys", tuple[Moment, UUID])
SESSIONS = CursorOf("sessions", tuple[Moment, UUID])
GRANTS = CursorOf("grants", tuple[Moment, UUID])
PEOPLE = CursorOf("people", tuple[Moment, UUID])
AUDIT = CursorOf("audit", tuple[Number])
TEAMS = CursorOf("teams", tuple[Moment, UUID])
LETTERS = CursorOf("letters", tuple[Moment, UUID])
SHADOWS = CursorOf("shadows", tuple[Moment, UUID])
