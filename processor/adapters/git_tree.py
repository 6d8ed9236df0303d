"""What `git ls-tree -z -l` prints, as entries of a tree. Pure."""

import sys
from collections.abc import Iterator

from processor.ports import TreeEntry

_MAX_PATH = 65_536  # bytes of one path that are kept; longer ones are cut, and refused by their length


def records(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The records between NUL bytes; of one that is absurdly long, the beginning."""
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\0")
        yield from whole
        rest = rest[:_MAX_PATH]
    if rest:
        yield rest


def entry(record: bytes) -> TreeEntry:
    """`100644 blob <id>    1234\\tpath`; the size is `BAD` for an object that was not fetched and `-` for no blob."""
    described, _, path = record.partition(b"\t")
    mode, _, blob_id, size = described.decode("ascii", "replace").split(maxsplit=3)
    mode = sys.intern(mode)  # one of five, of each entry
    return TreeEntry(path, mode, blob_id, int(size) if size.isdecimal() else 0 if size == "-" else None)
