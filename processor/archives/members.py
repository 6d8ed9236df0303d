"""What a reader of archives says of each member."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from processor.archives.limits import ArchiveLimits

FILE, EXECUTABLE, LINK = "100644", "100755", "120000"
CHUNK = 1 << 16


class Member(NamedTuple):
    """One file or symbolic link. `path` is without a top folder taken off; `content` is None where it was too large."""

    path: str
    mode: str
    size: int
    blob_id: str
    content: bytes | None


def mode_of(bits: int) -> str:
    """Git's mode of a file with these permissions."""
    return EXECUTABLE if bits & 0o100 else FILE


def member_of(path: str, mode: str, size: int, pieces: Iterator[bytes], limits: ArchiveLimits) -> Member:
    """Read a member of `size` bytes: hashed as git does, kept where it is small enough.

    `pieces` come to exactly that size, or raise.
    """
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    kept: list[bytes] | None = [] if limits.keeps(path, size) else None
    for piece in pieces:
        digest.update(piece)
        if kept is not None:
            kept.append(piece)
    return Member(path, mode, size, digest.hexdigest(), None if kept is None else b"".join(kept))
