"""A repository at a commit, through the product's own stages: sources, chunks, lexicon, vectors, ranking."""

import hashlib
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.retrieval.cuts import File
from events.artifacts import SourceRow
from processor.languages.detect import file_class_of, language_of
from processor.stages.parse import Parsed, parse_source
from rag_manager.adapters.tantivy_lexicon import TantivyLexicon, TantivyOpen
from rag_manager.ports import Embedder, LexiconPart
from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue
from rag_manager.stages.passage_text import embedding_text, lexical_text, text_hash

_MAX_BYTES = 1_000_000

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class RepositoryIndex:
    """Everything a search needs. `texts` is what was embedded of each chunk, `bodies` its lines as they stand.

    `files` are the sources with what was found in them, for those who cut them otherwise.
    """

    catalogue: Catalogue
    lexicon: TantivyOpen
    texts: Sequence[str]
    bodies: Sequence[str]
    files: Sequence[File]


class Indexer:
    """Indexes trees of one repository; a file that a tree shares with the one before is read and parsed once."""

    def __init__(self, git_dir: Path, root: str = "") -> None:
        self._git_dir = git_dir
        self._root = root
        self._sources: dict[tuple[str, str], SourceRow | None] = {}
        self._parsed: dict[tuple[str, str], Parsed] = {}  # path and content
        self._said: dict[str, tuple[str, str]] = {}  # id of a chunk → what the lexicon has of it, what is embedded

    def sources(self, revision: str) -> list[SourceRow]:
        """The text files under the root, as the clone stage would hand them over."""
        entries = [entry for entry in tree(self._git_dir, revision) if entry[0].startswith(self._prefix)]
        fresh = [entry for entry in entries if entry not in self._sources]
        self._sources = {entry: self._sources.get(entry) for entry in entries}
        self._sources |= {(source.path, source.blob_id): source for source in read_sources(self._git_dir, fresh)}
        return [source for entry in entries if (source := self._sources[entry]) is not None]

    def index(self, revision: str) -> RepositoryIndex:
        """Read, parse and index what is under the root at `revision`."""
        return self.index_sources(self.sources(revision))

    def index_sources(self, sources: Iterable[SourceRow]) -> RepositoryIndex:
        """Parse and index files as they are."""
        chunks: list[Mapping[str, object]] = []
        symbols: list[tuple[str, str, str, int, int]] = []
        listed = list(sources)
        files = list(zip(listed, self.parsed(listed), strict=True))
        for source, parsed in files:
            chunks.extend({**row, "file_class": source.file_class} for row in parsed.chunks)
            symbols.extend(
                (str(s["name"]), str(s["kind"]), source.path, int(str(s["first_line"])), int(str(s["last_line"])))
                for s in parsed.symbols
            )
        unique = list({str(row["chunk_id"]): row for row in reversed(chunks)}.values())[::-1]
        self._said = {str(row["chunk_id"]): self._said_of(row) for row in unique}
        return RepositoryIndex(
            catalogue=make_catalogue(map(_place, unique), symbols),
            lexicon=open_lexicon([lexical for lexical, _ in self._said.values()]),
            texts=[embedded for _, embedded in self._said.values()],
            bodies=[str(row["text"]) for row in unique],
            files=files,
        )

    @property
    def _prefix(self) -> str:
        return f"{self._root}/" if self._root else ""

    def parsed(self, sources: Iterable[SourceRow]) -> list[Parsed]:
        """What the files say, as the parse stage would hand it over."""
        known, self._parsed = self._parsed, {}
        for source in sources:
            key = (source.path, source.content)
            self._parsed[key] = known.get(key) or parse_source(source)
        return list(self._parsed.values())

    def _said_of(self, row: Mapping[str, object]) -> tuple[str, str]:
        header, text = str(row["header"]), str(row["text"])
        return self._said.get(str(row["chunk_id"])) or (lexical_text(header, text), embedding_text(header, text))


def open_lexicon(documents: Sequence[str]) -> TantivyOpen:
    """An index of lines of tokens, number by number."""
    lexicon = TantivyLexicon(Path(_lexicons().name))
    packed, _ = lexicon.build([LexiconPart("0" * 64, len(documents), lambda: documents)])
    return lexicon.open(hashlib.sha256(packed).hexdigest(), packed)


@cache
def _lexicons() -> tempfile.TemporaryDirectory[str]:
    """Where they are unpacked for as long as the process runs."""
    return tempfile.TemporaryDirectory(prefix="bench-lexicon-", ignore_cleanup_errors=True)


class VectorStore:
    """The vectors of texts by one model; a text is embedded once, also by later runs where they are kept."""

    def __init__(self, embedder: Embedder, folder: Path, name: str) -> None:
        self.embedder = embedder
        self._file = folder / f"{text_hash(embedder.name)[:12]}-{name}.npz"
        self._rows: dict[str, int] = {}
        self._fresh = False
        self._vectors: Vectors = np.empty((0, embedder.dimension), np.float32)
        if self._file.is_file():
            with np.load(self._file) as stored:
                self._rows = {key: row for row, key in enumerate(stored["keys"].tolist())}
                self._vectors = stored["vectors"]

    def of(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, dimension). New texts are embedded, the shortest first."""
        keys = [text_hash(text) for text in texts]
        fresh = sorted({key: text for key, text in zip(keys, texts, strict=True) if key not in self._rows}.items())
        if fresh:
            self._embed(sorted(fresh, key=lambda item: len(item[1])))
        return self._vectors[[self._rows[key] for key in keys]]

    def _embed(self, fresh: Sequence[tuple[str, str]]) -> None:
        made = [self._vectors]
        step = self.embedder.max_batch
        for start in range(0, len(fresh), step):
            batch = fresh[start : start + step]
            made.append(self.embedder.embed([text for _, text in batch]))
            self._rows |= {key: len(self._rows) + place for place, (key, _) in enumerate(batch)}
        self._vectors = np.concatenate(made)
        self._fresh = True

    def keep(self) -> None:
        """Write the file, where there is anything new."""
        if not self._fresh:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(self._file, keys=np.array(list(self._rows)), vectors=self._vectors)
        self._fresh = False


def tree(git_dir: Path, revision: str) -> list[tuple[str, str]]:
    """(path, blob) of every regular file at `revision`."""
    listed = _git(git_dir, "ls-tree", "-r", "-z", revision).split(b"\0")
    entries = []
    for line in filter(None, listed):
        meta, path = line.split(b"\t", 1)
        mode, _, blob = meta.decode().split()
        if mode in {"100644", "100755"}:
            entries.append((path.decode("utf-8", "replace"), blob))
    return entries


def read_sources(git_dir: Path, entries: Sequence[tuple[str, str]]) -> Iterator[SourceRow]:
    """The texts among (path, blob)."""
    asked = "\n".join(blob for _, blob in entries).encode() + b"\n"
    reply = subprocess.run(
        ["git", f"--git-dir={git_dir}", "cat-file", "--batch"], input=asked if entries else b"", capture_output=True,
        check=True,
    ).stdout  # fmt: skip
    offset = 0
    for path, blob in entries:
        end = reply.index(b"\n", offset)
        if reply[offset:end].endswith(b" missing"):
            offset = end + 1
            continue
        size = int(reply[offset:end].split()[2])
        content = reply[end + 1 : end + 1 + size]
        offset = end + 1 + size + 1
        if size <= _MAX_BYTES and b"\0" not in content[:8_000]:
            yield _source(path, blob, content)


def _source(path: str, blob: str, content: bytes) -> SourceRow:
    text = content.decode("utf-8", "replace")
    language = language_of(path, text)
    return SourceRow(
        path=path,
        blob_id=blob,
        language=language,
        file_class=file_class_of(path, language, text[:2_000]),
        size=len(content),
        lines=text.count("\n") + 1,
        content=text,
    )


def _place(row: Mapping[str, object]) -> ChunkPlace:
    return ChunkPlace(
        str(row["chunk_id"]),
        str(row["path"]),
        str(row["file_class"]),
        int(str(row["first_line"])),
        int(str(row["last_line"])),
    )


def _git(git_dir: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", f"--git-dir={git_dir}", *arguments], capture_output=True, check=True).stdout
