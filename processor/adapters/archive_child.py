"""The process that reads an uploaded archive: the file in (standard input), one frame for each member out.

A frame is four bytes of length (big-endian) and that much JSON; behind one of a member that was kept, its content. The
last frame says that it was read to its end, or why it is refused.
"""

import json
import os
import struct
import sys
from typing import BinaryIO

from processor.adapters.confine import confine
from processor.archives.limits import ArchiveLimits, Refused
from processor.archives.members import Member
from processor.archives.tars import read_tar
from processor.archives.zips import read_zip
from runtime.archive_kinds import HEAD_BYTES, ArchiveKind, kind_of


def main() -> None:
    """Read one archive. Arguments: the limits as JSON, the parent's process id."""
    limits, parent = ArchiveLimits(**json.loads(sys.argv[1])), int(sys.argv[2])
    confine(limits.memory_bytes, parent, cpu_seconds=limits.cpu_seconds)
    # Kept aside, so that nothing else that writes to standard output can break a frame.
    with os.fdopen(os.dup(1), "wb", buffering=1 << 16) as answers:
        os.dup2(2, 1)
        tell(sys.stdin.buffer, limits, answers)


def tell(file: BinaryIO, limits: ArchiveLimits, answers: BinaryIO) -> None:
    """Write the frames of one archive."""
    try:
        kind = _kind(file)
        for member in read_zip(file, limits) if kind is ArchiveKind.ZIP else read_tar(file, kind, limits):
            _write(answers, _described(member), member.content or b"")
        _write(answers, {"end": kind.value})
    except Refused as refused:
        _write(answers, {"refused": [refused.code, refused.message]})
    except MemoryError:
        _write(answers, {"refused": ["archive_memory", "Reading the archive takes too much memory: pack it anew."]})


def _kind(file: BinaryIO) -> ArchiveKind:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    kind = kind_of(head)
    if kind is None:
        raise Refused("archive_unknown", "That is no zip, and no tar, plain or packed by gzip, bzip2, xz or zstd.")
    return kind


def _described(member: Member) -> dict[str, object]:
    return {
        "path": member.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "mode": member.mode,
        "size": member.size,
        "blob_id": member.blob_id,
        "kept": member.content is not None,
    }


def _write(stream: BinaryIO, message: dict[str, object], content: bytes = b"") -> None:
    body = json.dumps(message).encode()
    stream.write(struct.pack(">I", len(body)) + body + content)


if __name__ == "__main__":
    main()
