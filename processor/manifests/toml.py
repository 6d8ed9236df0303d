"""TOML with the lines of its keys.

In:  a text.
Out: the document as `tomllib` reads it, and for each table and key the line it stands on.
"""

import re
import tomllib
from collections.abc import Mapping

from processor.manifests.model import Text, table

_PART = r"(?:\"[^\"\n]*\"|'[^'\n]*'|[A-Za-z0-9_-]+)"
_PATH = rf"({_PART}(?:[ \t]*\.[ \t]*{_PART})*)"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*{_PATH}[ \t]*\]")
_KEY = re.compile(rf"[ \t]*{_PATH}[ \t]*=")
_PARTS = re.compile(_PART)
_LONGEST = 2_000  # characters of a line that is looked at


class Toml:
    """One document."""

    def __init__(self, text: Text) -> None:
        """Raises ValueError where it is not TOML."""
        self.text = text
        self.document: Mapping[str, object] = tomllib.loads(text.content)
        self._lines: dict[tuple[str, ...], int] = {}
        self._repeated: dict[tuple[str, ...], list[int]] = {}
        self._read()

    def table(self, *path: str) -> Mapping[str, object]:
        """The table at a path; an empty one where there is none."""
        found = self.document
        for part in path:
            found = table(found.get(part))
        return found

    def tables(self, name: str) -> list[tuple[Mapping[str, object], int]]:
        """The array of tables `[[name]]`, each with its line."""
        listed = self.document.get(name)
        lines = self._repeated.get((name,), [])
        rows = listed if isinstance(listed, list) else []
        return [(table(row), lines[at] if at < len(lines) else 0) for at, row in enumerate(rows)]

    def line(self, *path: str) -> int:
        """The line of a key or of a table's heading; 0 where it is not found."""
        return self._lines.get(path, 0)

    def item_line(self, item: str, *path: str) -> int:
        """The line of a text in the list at a path."""
        begin = max(1, self.line(*path))
        quoted = (self.text.find(f"{mark}{item}{mark}", from_line=begin) for mark in "\"'")
        return next((line for line in quoted if line), 0) or self.text.find(item, from_line=begin)

    def _read(self) -> None:
        heading: tuple[str, ...] = ()
        fence = ""
        for number, whole in enumerate(self.text.lines, 1):
            line = whole[:_LONGEST]
            if fence:
                fence = "" if fence in line else fence
                continue
            if (header := _HEADER.match(line)) is not None:
                heading = _path(header[1])
                self._lines.setdefault(heading, number)
                self._repeated.setdefault(heading, []).append(number)
            elif (key := _KEY.match(line)) is not None:
                self._lines.setdefault(heading + _path(key[1]), number)
            fence = next((mark for mark in ('"""', "'''") if line.count(mark) == 1), "")


def _path(written: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PARTS.findall(written))
