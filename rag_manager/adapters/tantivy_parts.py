"""An index of tantivy put together from parts: each is one segment, named by what it is made from.

A segment is taken over from an earlier index as its files are. Scores are of all segments together, so that it does
not matter which of them were.
"""

import io
import json
import re
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import tantivy

from rag_manager.ports import LexiconPart

PARTS = "parts.json"  # the parts' names and sizes, in their order
SCHEMA = (
    tantivy.SchemaBuilder()
    .add_text_field("body", stored=False, tokenizer_name="whitespace", index_option="freq")
    .add_unsigned_field("number", stored=False, indexed=False, fast=True)
    .add_unsigned_field("part", stored=False, indexed=False, fast=True)
    .build()
)
_META = "meta.json"
_HEX = 32  # of a part's name: tantivy names a segment by as many
_HEAP_BYTES = 64_000_000
_SMALL_HEAP_BYTES = 15_000_000  # the least that tantivy takes
_MEMBER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
Files = Mapping[str, bytes]


def put_together(parts: Sequence[LexiconPart], earlier: Files) -> tuple[Files, int]:
    """The files of an index over all parts, and how many documents were taken over from the files `earlier`."""
    sizes = dict(read_parts(earlier[PARTS])) if PARTS in earlier else {}
    whole: dict[str, bytes] = {}
    made: list[tuple[str, int]] = []
    segments: list[object] = []
    meta: Mapping[str, Any] = {}
    taken = 0
    for part in (part for part in parts if part.size):
        name = part.name[:_HEX]
        if sizes.get(name) == part.size:
            files, taken = earlier, taken + part.size
        else:
            files = _segment(name, part.documents())
        meta = json.loads(files[_META])
        whole |= {file: content for file, content in files.items() if file.startswith(f"{name}.")}
        segments += [each for each in meta["segments"] if each["segment_id"] == str(UUID(hex=name))]
        made.append((name, part.size))
    whole[_META] = json.dumps({**meta, "segments": segments}).encode()
    whole[PARTS] = json.dumps(made).encode()
    return whole, taken


def _segment(name: str, documents: Iterable[str]) -> Files:
    """The files of an index with one segment, which has this name."""
    # A thread of tantivy's may write its list of files once more while the folder is removed.
    with tempfile.TemporaryDirectory(prefix="lexicon-", ignore_cleanup_errors=True) as folder:
        index = tantivy.Index(SCHEMA, path=folder)
        _fill(index, documents, part_number(name), _HEAP_BYTES)
        meta = json.loads((Path(folder) / _META).read_bytes())
        [segment] = meta["segments"]  # a shard is far smaller than the heap
        old = segment["segment_id"].replace("-", "")
        found = [file for file in Path(folder).iterdir() if file.name.startswith(old)]
        segment["segment_id"] = str(UUID(hex=name))
        return {**{f"{name}{file.suffix}": file.read_bytes() for file in found}, _META: json.dumps(meta).encode()}


def in_memory(documents: Iterable[str]) -> tantivy.Index:
    """An index of few documents, of one part, which is nowhere else."""
    index = tantivy.Index(SCHEMA)
    _fill(index, documents, 0, _SMALL_HEAP_BYTES)
    index.reload()
    return index


def _fill(index: tantivy.Index, documents: Iterable[str], part: int, heap_bytes: int) -> None:
    writer = index.writer(heap_size=heap_bytes, num_threads=1)
    for number, line in enumerate(documents):
        document = tantivy.Document()
        document.add_text("body", line)
        document.add_unsigned("number", number)
        document.add_unsigned("part", part)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()


def part_number(name: str) -> int:
    """What the documents of a part have in their field `part`."""
    return int(name[:15], 16)


def read_parts(content: bytes) -> list[tuple[str, int]]:
    """Name and size of each part, in order."""
    return [(str(name), int(size)) for name, size in json.loads(content)]


def bases_of(parts: Sequence[tuple[str, int]]) -> dict[int, int]:
    """The number of each part's first document, by the part's number."""
    bases, base = {}, 0
    for name, size in parts:
        bases[part_number(name)] = base
        base += size
    return bases


def unpack(packed: bytes) -> Files:
    """The files in a blob; what is no plain file with a plain name is passed over."""
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as archive:
        usable = (member for member in archive if member.isreg() and _MEMBER.fullmatch(member.name))
        found = ((member.name, archive.extractfile(member)) for member in usable)
        return {name: content.read() for name, content in found if content is not None}


def pack(files: Files) -> bytes:
    """One blob of some files."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return sink.getvalue()
