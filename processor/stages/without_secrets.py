"""Take out of what is said of a file whatever looks like a secret: nothing of it is indexed, embedded or listed.

In:  the file's path, what it defines and uses, its pieces and its lines.
Out: the same, of as many lines, with marks where a secret stood. Only `sources` have the file as it is.

A whole file is looked at: a key of several lines is known by its first, and passages are cut between them.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from processor.languages.cuts import Piece
from processor.languages.definitions import Found
from processor.languages.lines import Lines
from runtime.redaction import MARK, redact, redact_lines, secrets_of

_Row = TypeVar("_Row", bound=NamedTuple)


def without_secrets(path: str, found: Found, pieces: list[Piece], lines: Lines) -> tuple[Found, list[Piece], Lines]:
    """Return what may be said; the very same where no line has a secret. Pure."""
    text = lines.source.decode("utf-8", "replace")
    told = redact_lines(text, path)
    if told == text:
        return found, pieces, lines
    known = secrets_of(text, path)
    clean = Found(_all_of(found.definitions, known), _all_of(found.scopes, known), _all_of(found.edges, known))
    return clean, list(_all_of(pieces, known)), Lines(told.encode())


def _all_of(rows: Iterable[_Row], known: tuple[str, ...]) -> tuple[_Row, ...]:
    return tuple(row._make(_told(value, known) for value in row) for row in rows)


def _told(value: object, known: tuple[str, ...]) -> object:
    if isinstance(value, str):
        for secret in known:
            value = value.replace(secret, MARK)
        return redact(value)
    return tuple(_told(item, known) for item in value) if isinstance(value, tuple) else value
