"""Passages as other systems cut them, of the same files: what their vectors and words are made from.

* Windows of 350 words, each with 100 of the one before, a word being what stands between single blanks: the settings
  of deepwiki-open 04e7c13 (`api/config/embedder.json`).
* Definitions, also those inside others, cut at 2,500 characters of whole lines, each with the last 300 characters of
  the passage before: the default splitter of claude-context 6fc318b (2,500 and 300), over our parser's definitions;
  files without one as pieces of that size, and of text only what is Markdown, as there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from events.artifacts import SourceRow
from processor.stages.parse import Parsed

WINDOW, WINDOW_SHARED = 350, 100  # words
LARGEST, SHARED = 2_500, 300  # characters
DEFINITIONS = frozenset(  # kinds of definitions that are passages of their own
    {"class", "constructor", "enum", "function", "interface", "method", "module", "object", "protocol", "record"}
    | {"struct", "trait", "type", "impl"}
)
_NO_CODE = frozenset({"config", "data", "generated", "vendored"})  # file classes


class Place(NamedTuple):
    """Lines `first` to `last` of a file, shown with `size` characters."""

    path: str
    first: int
    last: int
    size: int


class Cut(NamedTuple):
    """One passage: where it stands, and its text."""

    place: Place
    text: str


File = tuple[SourceRow, Parsed]
Cutter = Callable[[File], Sequence[Cut]]


def word_windows(file: File) -> list[Cut]:
    """Windows of words, in order; the last one is what is left."""
    source, _ = file
    words = source.content.split(" ")
    lines = [1]
    for word in words:
        lines.append(lines[-1] + word.count("\n"))
    cuts = []
    for begin in range(0, len(words), WINDOW - WINDOW_SHARED):
        end = min(begin + WINDOW, len(words))
        text = " ".join(words[begin:end])
        if text.strip():
            cuts.append(Cut(Place(source.path, lines[begin], lines[end], len(text)), text))
        if end == len(words):
            break
    return cuts


def definition_pieces(file: File) -> list[Cut]:
    """Definitions and the parts of large ones, each begun with the end of the one before."""
    source, parsed = file
    if source.file_class in _NO_CODE or (source.file_class == "docs" and source.language != "markdown"):
        return []
    lines = source.content.split("\n")
    spans = [
        (int(str(row["first_line"])), int(str(row["last_line"])))
        for row in parsed.symbols
        if str(row["kind"]).lower() in DEFINITIONS
    ]
    pieces = [piece for span in sorted(spans, key=_outer_first) or [(1, len(lines))] for piece in _parts(lines, span)]
    cuts: list[Cut] = []
    before = ""
    for first, last, text in pieces:
        shared = before[-SHARED:]
        whole = f"{shared}\n{text}" if shared else text
        begin = max(1, first - shared.count("\n") - 1) if shared else first
        cuts.append(Cut(Place(source.path, begin, last, len(whole)), whole))
        before = text
    return cuts


CUTTERS: dict[str, Cutter] = {"windows": word_windows, "definitions": definition_pieces}


def cut_all(files: Iterable[File], cutter: Cutter, known: dict[tuple[str, str], Sequence[Cut]]) -> Iterator[Cut]:
    """All passages of some files. What was cut before is in `known`, by path and text."""
    for file in files:
        key = (file[0].path, file[0].content)
        if key not in known:
            known[key] = cutter(file)
        yield from known[key]


def _outer_first(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], -span[1]


def _parts(lines: Sequence[str], span: tuple[int, int]) -> Iterator[tuple[int, int, str]]:
    first, size = span[0], 0
    for line in range(span[0], span[1] + 1):
        length = len(lines[line - 1]) + 1 if line <= len(lines) else 0
        if size and size + length > LARGEST:
            yield first, line - 1, "\n".join(lines[first - 1 : line - 1])
            first, size = line, 0
        size += length
    if text := "\n".join(lines[first - 1 : span[1]]).strip("\n"):
        yield first, span[1], text
