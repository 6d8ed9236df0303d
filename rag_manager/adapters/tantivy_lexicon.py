"""The lexicon over tantivy: one field of our own tokens, one number per document, packed as one tar.

A sealed index never changes. Its blob is unpacked once into a folder of its name; the least recently used
folders are removed when the cache outgrows its bound.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import tantivy

from rag_manager.adapters.tantivy_parts import (
    PARTS,
    SCHEMA,
    bases_of,
    in_memory,
    pack,
    put_together,
    read_parts,
    unpack,
)
from rag_manager.ports import LexiconPart


class TantivyOpen:
    """One open index."""

    def __init__(self, index: tantivy.Index, bases: Mapping[int, int] | None = None) -> None:
        """`bases`: where the numbers of each part begin; None where the index is of one part."""
        self._index = index
        self._searcher = index.searcher()
        self._bases = bases

    @classmethod
    def of(cls, folder: Path) -> "TantivyOpen":
        """The one in a folder. Raises OSError, ValueError where there is no whole one."""
        file = folder / PARTS  # an index from before there were parts numbers its documents by itself
        bases = bases_of(read_parts(file.read_bytes())) if file.is_file() else None
        return cls(tantivy.Index.open(str(folder)), bases)

    def search(self, tokens: Sequence[str], limit: int) -> list[tuple[int, float]]:
        """See `ports.OpenLexicon`."""
        if not tokens or limit < 1:
            return []
        query = tantivy.Query.or_should_match(
            *(tantivy.Query.term_query(SCHEMA, "body", token, index_option="freq") for token in tokens)
        )
        hits = self._searcher.search(query, limit=limit, count=False).hits
        addresses = [address for _, address in hits]
        numbers = [int(number or 0) for number in self._searcher.fast_field_values("number", addresses)]
        if self._bases is not None:
            parts = self._searcher.fast_field_values("part", addresses)
            numbers = [self._bases[int(part or 0)] + number for part, number in zip(parts, numbers, strict=True)]
        found = [(number, float(score)) for number, (score, _) in zip(numbers, hits, strict=True)]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))

    def frequencies(self, tokens: Sequence[str]) -> list[int]:
        """See `ports.OpenLexicon`."""
        return [int(self._searcher.doc_freq("body", token)) for token in tokens]


class TantivyLexicon:
    """Builds in a temporary folder, opens from a bounded cache folder."""

    def __init__(self, cache: Path, *, max_bytes: int = 2_000_000_000) -> None:
        self._cache = cache
        self._max_bytes = max_bytes

    @property
    def recipe(self) -> str:
        """See `ports.Lexicon`."""
        return f"tantivy {version('tantivy')}, parts 1"

    def build(self, parts: Sequence[LexiconPart], earlier: bytes | None = None) -> tuple[bytes, int]:
        """See `ports.Lexicon`."""
        files, taken = put_together(parts, unpack(earlier) if earlier is not None else {})
        return pack(files), taken

    def open(self, name: str, packed: bytes | None) -> TantivyOpen:
        """See `ports.Lexicon`."""
        folder = self._cache / name
        if folder.is_dir():
            try:
                opened = TantivyOpen.of(folder)
            except (OSError, ValueError):
                shutil.rmtree(folder, ignore_errors=True)
            else:
                os.utime(folder)
                return opened
        if packed is None:
            raise LookupError(name)
        self._unpack(packed, folder)
        self._evict(keep=name)
        return TantivyOpen.of(folder)

    def hold(self, documents: Iterable[str]) -> TantivyOpen:
        """See `ports.Lexicon`."""
        return TantivyOpen(in_memory(documents))

    def keep(self, wanted: set[str]) -> None:
        """Remove the unpacked indexes that are not `wanted`; one that is searched stays open until it is let go of."""
        for folder in self._cache.iterdir() if self._cache.is_dir() else ():
            if folder.name not in wanted and not folder.name.startswith(".new-"):
                shutil.rmtree(folder, ignore_errors=True)

    def _unpack(self, packed: bytes, folder: Path) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=self._cache))
        for name, content in unpack(packed).items():
            (fresh / name).write_bytes(content)
        try:
            fresh.rename(folder)
        except OSError:  # another opener was faster: its copy is the same
            shutil.rmtree(fresh, ignore_errors=True)

    def _evict(self, *, keep: str) -> None:
        folders = sorted((f for f in self._cache.iterdir() if f.is_dir()), key=_used_at, reverse=True)
        total = 0
        for folder in folders:
            total += sum(_size(file) for file in folder.iterdir())
            if total > self._max_bytes and folder.name != keep and not folder.name.startswith(".new-"):
                shutil.rmtree(folder, ignore_errors=True)


def _used_at(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
