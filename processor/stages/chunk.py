"""Cut one file into the passages that are searched.

In:  the file's path, class and lines, the pieces it may be cut into, and what it defines.
Out: rows of `ChunkRow`, as dicts.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from processor.languages.cuts import Piece
from processor.languages.definitions import Found
from processor.languages.lines import Lines
from processor.languages.placing import Definition
from processor.languages.uses import Scope
from runtime.redaction import redact

MAX_TEXT = 6_000  # characters; only a single enormous line is longer, and is cut
_MAX_NAMES = 50
_MAX_HEADER = 300
_NOTHING_READ = sha256()


class Origin(NamedTuple):
    """What the chunks of a file have in common."""

    path: str
    language: str | None
    file_class: str


def chunk_file(origin: Origin, lines: Lines, pieces: Sequence[Piece], found: Found) -> list[dict[str, object]]:
    """The chunks of one file, in order: exact lines, every line that is not blank in at least one of them."""
    enclosing = _Enclosing(found.scopes)
    named = [definition for definition in found.definitions if definition.kind != "declaration"]
    begins = [definition.first_line for definition in named]
    ordinals: dict[str, int] = {}
    chunks: list[dict[str, object]] = []
    for piece in pieces:
        first, last = lines.trimmed(piece.first, piece.last)
        if first > last:
            continue
        header = _header(origin.path, piece.titles or enclosing.at(first))
        names = _names(named[bisect_left(begins, first) : bisect_right(begins, last)])
        for text in _texts(lines, first, last):
            ordinal = ordinals[text] = ordinals.get(text, -1) + 1
            chunks.append(
                {
                    "chunk_id": _sha256(f"{origin.path}\0{text}\0{ordinal}")[:32],
                    "path": origin.path,
                    "language": origin.language,
                    "file_class": origin.file_class,
                    "first_line": first,
                    "last_line": last,
                    "header": header,
                    "text": text,
                    "symbols": names,
                    "text_sha256": _sha256(f"{header}\n{text}"),
                }
            )
    return chunks


class _Enclosing:
    """The scopes around a line; asked for lines in rising order."""

    def __init__(self, scopes: Sequence[Scope]) -> None:
        self._coming = deque(scopes)
        self._open: list[Scope] = []

    def at(self, line: int) -> tuple[str, ...]:
        """The qualified name of the innermost scope that began before the line and goes on in it."""
        while self._coming and self._coming[0].first_line < line:
            self._open.append(self._coming.popleft())
        self._open = [scope for scope in self._open if scope.last_line >= line]
        return (self._open[-1].qualified_name,) if self._open else ()


def _names(definitions: Sequence[Definition]) -> list[str]:
    return list(dict.fromkeys(definition.name for definition in definitions))[:_MAX_NAMES]


def _header(path: str, names: Sequence[str]) -> str:
    """`path > Outer.inner`, or `path > Heading > Heading`: where the passage stands. Also a path may have a secret."""
    return redact(" > ".join((path, *names))[: max(_MAX_HEADER, len(path))])


def _texts(lines: Lines, first: int, last: int) -> Iterator[str]:
    text = lines.text(first, last)
    if first < last or len(text) <= MAX_TEXT:
        yield text
        return
    for at in range(0, len(text), MAX_TEXT):
        yield text[at : at + MAX_TEXT]


def _sha256(text: str) -> str:
    digest = _NOTHING_READ.copy()  # a new one is looked up by its name, which takes as long as a passage does
    digest.update(text.encode())
    return digest.hexdigest()
