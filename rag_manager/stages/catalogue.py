"""What ranking must know of every chunk and file of an analysis, in memory and without the text.

In:  rows of chunks (in ordinal order) and of symbols.
Out: a catalogue; chunks and files are numbered from 0.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from rag_manager.stages.code_tokens import code_tokens
from rag_manager.stages.noise import aside_of, noise_of
from rag_manager.stages.superseded import superseded_files

FUNCTIONS = frozenset({"function", "method", "constructor", "macro"})  # kinds of definitions
TYPES = frozenset({"class", "interface", "struct", "enum", "trait", "type", "record", "object"})
_WORKING = frozenset(
    ("function", "method", "constructor", "macro", "class", "interface", "struct", "enum", "trait", "type", "module")
) | {"object", "record"}


@dataclass(frozen=True, slots=True)
class ChunkPlace:
    """Where one chunk is; lines are 1-based and inclusive."""

    chunk_id: str
    path: str
    file_class: str
    first_line: int
    last_line: int
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """Where one name is defined: `file` is a file's number, `kind` the parser's word (class, function, …)."""

    file: int
    first_line: int
    last_line: int
    kind: str
    written: str  # the name with its capitals


@dataclass(frozen=True)
class Catalogue:
    """All places of an analysis. `files[c]` is the number of chunk c's file; `definitions` is by bare name."""

    chunk_ids: Sequence[str]
    files: Sequence[int]
    first_lines: Sequence[int]
    last_lines: Sequence[int]
    paths: Sequence[str]
    classes: Sequence[str]
    languages: Sequence[str | None]
    definitions: Mapping[str, tuple[Definition, ...]]  # lower case, without underscores around it
    lines: Mapping[str, int] = field(default_factory=dict)  # path → how many lines the file has, where that is known

    @cached_property
    def ordinals(self) -> Mapping[str, int]:
        """Chunk id → number of the chunk."""
        return {chunk_id: ordinal for ordinal, chunk_id in enumerate(self.chunk_ids)}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Path → number of the file."""
        return {path: file for file, path in enumerate(self.paths)}

    @cached_property
    def endings(self) -> Mapping[str, Sequence[int]]:
        """Last part of a path, in lower case → numbers of the files whose path ends so."""
        endings: dict[str, list[int]] = {}
        for file, path in enumerate(self.paths):
            endings.setdefault(path.lower().rpartition("/")[2], []).append(file)
        return endings

    @cached_property
    def chunks_of(self) -> Sequence[Sequence[int]]:
        """Number of the file → numbers of its chunks, in order."""
        chunks: list[list[int]] = [[] for _ in self.paths]
        for ordinal, file in enumerate(self.files):
            chunks[file].append(ordinal)
        return chunks

    @cached_property
    def stems(self) -> Sequence[frozenset[str]]:
        """Number of the file → tokens of its name without suffix."""
        return [frozenset(code_tokens(_stem(path))) for path in self.paths]

    @cached_property
    def folders(self) -> Sequence[frozenset[str]]:
        """Number of the file → tokens of the folders it is in."""
        return [frozenset(code_tokens(str(PurePosixPath(path).parent))) for path in self.paths]

    @cached_property
    def noise(self) -> Sequence[str | None]:
        """Number of the file → test, example, docs or compat, or None for a file that does the work."""
        old = superseded_files(self.paths)
        return [
            noise_of(path, file_class) or ("compat" if file in old else None)
            for file, (path, file_class) in enumerate(zip(self.paths, self.classes, strict=True))
        ]

    @cached_property
    def asides(self) -> Sequence[str | None]:
        """Number of the file → types or config, or None for a file that does the work (or is noise)."""
        return [aside_of(path, file_class) for path, file_class in zip(self.paths, self.classes, strict=True)]

    @cached_property
    def named(self) -> Mapping[int, Sequence[str]]:
        """Number of the chunk → names of the functions and types that begin in it, as they are written."""
        starts = [[self.first_lines[chunk] for chunk in chunks] for chunks in self.chunks_of]
        names: dict[int, list[str]] = {}
        for places in self.definitions.values():
            for place in places:
                if place.kind.lower() in _WORKING:
                    before = bisect_right(starts[place.file], place.first_line) - 1
                    names.setdefault(self.chunks_of[place.file][max(0, before)], []).append(place.written)
        return names

    @cached_property
    def spans(self) -> Sequence[Sequence[tuple[str, int, int]]]:
        """Number of the file → kind, first and last line of each of its definitions."""
        spans: list[list[tuple[str, int, int]]] = [[] for _ in self.paths]
        for places in self.definitions.values():
            for place in places:
                spans[place.file].append((place.kind.lower(), place.first_line, place.last_line))
        return spans

    def chunk_at(self, file: int, line: int) -> int | None:
        """Return the smallest chunk of a file that holds a line, or None."""
        holding = [c for c in self.chunks_of[file] if self.first_lines[c] <= line <= self.last_lines[c]]
        return min(holding, key=lambda c: (self.last_lines[c] - self.first_lines[c], c), default=None)


def make_catalogue(
    chunks: Iterable[ChunkPlace],
    symbols: Iterable[tuple[str, str, str, int, int]],
    lines: Iterable[tuple[str, int]] = (),
) -> Catalogue:
    """Return the catalogue of `chunks`, `symbols` (name, kind, path, first line, last line), `lines` by path. Pure."""
    numbers: dict[str, int] = {}
    classes: list[str] = []
    languages: list[str | None] = []
    ids, files, firsts, lasts = [], [], [], []
    for chunk in chunks:
        if chunk.path not in numbers:
            numbers[chunk.path] = len(numbers)
            classes.append(chunk.file_class)
            languages.append(chunk.language)
        ids.append(chunk.chunk_id)
        files.append(numbers[chunk.path])
        firsts.append(chunk.first_line)
        lasts.append(chunk.last_line)
    definitions: dict[str, list[Definition]] = {}
    for name, kind, path, first, last in symbols:
        if path in numbers:
            place = Definition(numbers[path], first, last, kind, name)
            definitions.setdefault(name.strip("_").lower(), []).append(place)
    by_name = {name: tuple(found) for name, found in definitions.items()}
    return Catalogue(ids, files, firsts, lasts, list(numbers), classes, languages, by_name, dict(lines))


def _stem(path: str) -> str:
    name = PurePosixPath(path).name
    return name.split(".")[0] or name
