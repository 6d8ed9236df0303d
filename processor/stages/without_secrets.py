"""Take out of what is said of a file whatever looks like a secret: nothing of it is indexed, embedded or listed.

In:  what a file defines and uses, its pieces and its lines.
Out: the same, of as many lines, with marks where a secret stood. Only `sources` have the file as it is.

A whole file is looked at: a key of several lines is known by its first, and passages are cut between them.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from processor.languages.cuts import Piece
from processor.languages.definitions import Found
from processor.languages.lines import Lines
from runtime.redaction import redact, redact_lines

_Row = TypeVar("_Row", bound=NamedTuple)


def without_secrets(found: Found, pieces: list[Piece], lines: Lines) -> tuple[Found, list[Piece], Lines]:
    """Return what may be said; the very same where no line has a secret. Pure."""
    text = lines.source.decode("utf-8", "replace")
    told = redact_lines(text)
    if told == text:
        return found, pieces, lines
    clean = Found(_all_of(found.definitions), _all_of(found.scopes), _all_of(found.edges))
    return clean, list(_all_of(pieces)), Lines(told.encode())


def _all_of(rows: Iterable[_Row]) -> tuple[_Row, ...]:
    return tuple(row._make(map(_told, row)) for row in rows)


def _told(value: object) -> object:
    if isinstance(value, str):
        return redact(value)
    return tuple(map(_told, value)) if isinstance(value, tuple) else value
