"""The lexicon over tantivy: one field of our own tokens, one number per document, packed as one tar.

A sealed index never changes. Its blob is unpacked once into a folder of its name; the least recently used
folders are removed when the cache outgrows its bound.
"""

import io
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import tantivy

_HEAP_BYTES = 64_000_000
_MEMBER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_SCHEMA = (
    tantivy.SchemaBuilder()
    .add_text_field("body", stored=False, tokenizer_name="whitespace", index_option="freq")
    .add_unsigned_field("number", stored=False, indexed=False, fast=True)
    .build()
)


class TantivyOpen:
    """One open index."""

    def __init__(self, index: tantivy.Index) -> None:
        self._index = index
        self._searcher = index.searcher()

    def search(self, tokens: Sequence[str], limit: int) -> list[tuple[int, float]]:
        """See `ports.OpenLexicon`."""
        if not tokens or limit < 1:
            return []
        query = tantivy.Query.or_should_match(
            *(tantivy.Query.term_query(_SCHEMA, "body", token, index_option="freq") for token in tokens)
        )
        hits = self._searcher.search(query, limit=limit, count=False).hits
        numbers = self._searcher.fast_field_values("number", [address for _, address in hits])
        found = [(int(number or 0), float(score)) for number, (score, _) in zip(numbers, hits, strict=True)]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))


class TantivyLexicon:
    """Builds in a temporary folder, opens from a bounded cache folder."""

    def __init__(self, cache: Path, *, max_bytes: int = 2_000_000_000) -> None:
        self._cache = cache
        self._max_bytes = max_bytes

    def build(self, documents: Iterable[str]) -> bytes:
        """See `ports.Lexicon`."""
        with tempfile.TemporaryDirectory(prefix="lexicon-") as folder:
            index = tantivy.Index(_SCHEMA, path=folder)
            writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
            for number, line in enumerate(documents):
                document = tantivy.Document()
                document.add_text("body", line)
                document.add_unsigned("number", number)
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
            return _pack(Path(folder))

    def open(self, name: str, packed: bytes | None) -> TantivyOpen:
        """See `ports.Lexicon`."""
        folder = self._cache / name
        if folder.is_dir():
            try:
                opened = TantivyOpen(tantivy.Index.open(str(folder)))
            except (OSError, ValueError):
                shutil.rmtree(folder, ignore_errors=True)
            else:
                os.utime(folder)
                return opened
        if packed is None:
            raise LookupError(name)
        self._unpack(packed, folder)
        self._evict(keep=name)
        return TantivyOpen(tantivy.Index.open(str(folder)))

    def keep(self, wanted: set[str]) -> None:
        """Remove the unpacked indexes that are not `wanted`; one that is searched stays open until it is let go of."""
        for folder in self._cache.iterdir() if self._cache.is_dir() else ():
            if folder.name not in wanted and not folder.name.startswith(".new-"):
                shutil.rmtree(folder, ignore_errors=True)

    def _unpack(self, packed: bytes, folder: Path) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=self._cache))
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() and _MEMBER.fullmatch(member.name) else None
                if content is not None:
                    (fresh / member.name).write_bytes(content.read())
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


def _pack(folder: Path) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for file in sorted(folder.iterdir()):
            if file.suffix == ".lock" or not file.is_file():
                continue
            member = tarfile.TarInfo(file.name)
            member.size = file.stat().st_size
            with file.open("rb") as content:
                archive.addfile(member, content)
    return sink.getvalue()


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
