"""Archives that must not be read, each with the code that says why. `LIMITS` are those that they are beyond."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
from collections.abc import Callable

import zstandard

from processor.archives.limits import ArchiveLimits
from runtime.archive_kinds import ArchiveKind
from tests.support.archives import (
    PACK,
    by_hand,
    header,
    raw_header,
    tar_files,
    tar_of,
    wide,
    zip_member,
    zip_of,
)

LIMITS = ArchiveLimits(total_bytes=20_000_000, entries=1_000, memory_bytes=512 << 20, seconds=30.0, cpu_seconds=10)
TEXT = b"x = 1\n"
GOOD = tar_files({"a.py": TEXT})
ZEROS = bytes(8_000_000)
END = bytes(1_024)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def pax(**records: str) -> bytes:
    """A header with notes about the next member."""
    body = b""
    for name, value in records.items():
        line = f" {name.replace('_', '.')}={value}\n".encode()
        length = len(line) + len(str(len(line) + 2))
        body += str(length).encode() + line
    return raw_header(b"notes", b"%011o\0" % len(body), b"x") + padded(body)


def named(*names: str) -> bytes:
    return tar_files(dict.fromkeys(names, TEXT))


def quine_like() -> bytes:
    """Archives in archives, nothing else."""
    inner = zip_of({"a.txt": TEXT})
    for _ in range(5):
        inner = zip_of({"again.zip": inner})
    return inner


def many(count: int) -> bytes:
    return zip_of({f"f{number}": b"" for number in range(count)})


def zstd_rle(blocks: int) -> bytes:
    """A frame of blocks that are one byte repeated 128 KiB times: four bytes each."""
    block = ((131_072 << 3) | (1 << 1)).to_bytes(3, "little") + b"\0"
    last = ((131_072 << 3) | (1 << 1) | 1).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd" + b"\x00" + b"\x58" + block * (blocks - 1) + last


def of_type(kind: bytes, **fields: object) -> bytes:
    return tar_of((header("odd", type=kind, **fields), b""), pax=False)


def negative_size() -> bytes:
    return raw_header(b"a", b"\xff" * 11 + b"\xf0") + END


def sparse_without_end() -> bytes:
    """Notes that say a sparse file's map follows, and no map that ever ends."""
    notes = pax(GNU_sparse_major="1", GNU_sparse_minor="0", GNU_sparse_name="a", GNU_sparse_realsize="10")
    return notes + raw_header(b"a", b"%011o\0" % 512) + padded(b"9999999\n1\n") + END


def nested_notes(count: int) -> bytes:
    return pax(comment="again") * count + raw_header(b"a") + END


def zip_with_nul() -> bytes:
    return by_hand(b"a\0b.py", TEXT)


def lzma_zip() -> bytes:
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.py", TEXT)
    return out.getvalue()


def several_disks() -> bytes:
    made = bytearray(zip_of({"a": TEXT}))
    end = made.rindex(b"PK\5\6")
    made[end + 4 : end + 6] = struct.pack("<H", 3)
    return bytes(made)


def directory_elsewhere() -> bytes:
    made = bytearray(zip_of({"a": TEXT}))
    end = made.rindex(b"PK\5\6")
    made[end + 16 : end + 20] = struct.pack("<L", 5)
    return bytes(made)


_LINK = stat.S_IFLNK | 0o777
HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    # not what they say
    "no archive": ("archive_unknown", lambda: b"#!/bin/sh\necho hello\n" * 50),
    "an empty file": ("archive_unknown", lambda: b""),
    "a zip in name only": ("archive_unknown", lambda: b"PK" + bytes(600)),
    "a self-extracting zip": ("archive_unknown", lambda: b"MZ" + bytes(100) + zip_of({"a": TEXT})),
    "a gzip of one file": ("archive_unknown", lambda: gzip.compress(TEXT * 200)),
    "a gzip of a gzip": ("archive_nested", lambda: gzip.compress(gzip.compress(GOOD))),
    "an xz of a zip": ("archive_nested", lambda: lzma.compress(zip_of({"a": TEXT}))),
    # bombs
    "a zip of zeros": ("archive_ratio", lambda: zip_of({"zeros": ZEROS})),
    "a tar.gz of zeros": ("archive_ratio", lambda: PACK[ArchiveKind.TAR_GZ](tar_files({"zeros": ZEROS}))),
    "a tar.bz2 of zeros": ("archive_ratio", lambda: PACK[ArchiveKind.TAR_BZ2](tar_files({"zeros": ZEROS}))),
    "a tar.xz of zeros": ("archive_ratio", lambda: PACK[ArchiveKind.TAR_XZ](tar_files({"zeros": ZEROS}))),
    "a tar.zst of zeros": ("archive_ratio", lambda: PACK[ArchiveKind.TAR_ZST](tar_files({"zeros": ZEROS}))),
    "four bytes of zstd for each 128 KiB": ("archive_ratio", lambda: zstd_rle(40_000)),
    "zstd that wants a large window": ("archive_damaged", lambda: b"\x28\xb5\x2f\xfd\x00\xa8" + bytes(100)),
    "zeros behind the end of a tar": ("archive_ratio", lambda: gzip.compress(GOOD + ZEROS)),
    "gzip members that add up": ("archive_ratio", lambda: gzip.compress(GOOD[:-1024]) + gzip.compress(ZEROS) * 4),
    "more than is unpacked of one": (
        "archive_too_large",
        lambda: zip_of({f"{n}": bytes(5_000_000) for n in range(5)}, stored=True),
    ),
    "a tar larger than is read": ("archive_too_large", lambda: tar_files({"a": bytes(21_000_000)})),
    "too many in a zip": ("archive_too_many_entries", lambda: many(1_001)),
    "too many in a tar": ("archive_too_many_entries", lambda: named(*(f"f{n}" for n in range(1_001)))),
    "one member named often": ("archive_overlap", lambda: by_hand(b"a", ZEROS[:9_000], copies=900)),
    "a directory that counts itself short": ("archive_damaged", lambda: by_hand(b"a", TEXT, copies=2, entries=1)),
    "archives in archives": ("archive_nested", quine_like),
    "a tar of tars": ("archive_nested", lambda: tar_files({"a.tar": GOOD, "b.zip": zip_of({"a": TEXT})})),
    # lies
    "larger than it says": ("archive_damaged", lambda: by_hand(b"a", TEXT * 999, claims=10, crc=0)),
    "a right sum of its beginning": ("archive_damaged", lambda: by_hand(b"a", b"ab", claims=1, crc=0xE8B7BE43)),
    "smaller than it says": ("archive_damaged", lambda: by_hand(b"a", TEXT, claims=5_000)),
    "stored, of another size": ("archive_damaged", lambda: by_hand(b"a", TEXT, claims=3, method=0)),
    "a wrong sum": ("archive_damaged", lambda: by_hand(b"a", TEXT, crc=1)),
    "bytes behind a member's end": ("archive_damaged", lambda: by_hand(b"a", TEXT, packed_tail=b"hidden")),
    "two names for one member": ("archive_damaged", lambda: by_hand(b"a.py", TEXT, local_name=b"b.py")),
    "zip64 with another place": ("archive_damaged", lambda: wide(zip_of({"a": TEXT}), begin_off=1 << 40)),
    "zip64 with more members": ("archive_too_many_entries", lambda: wide(zip_of({"a": TEXT}), entries_off=1 << 40)),
    "zip64 with one more": ("archive_damaged", lambda: wide(zip_of({"a": TEXT}), entries_off=1)),
    "zip64 that is elsewhere": ("archive_damaged", lambda: wide(zip_of({"a": TEXT}), place_off=7)),
    "a directory that is elsewhere": ("archive_damaged", directory_elsewhere),
    "one of several disks": ("archive_unsupported", several_disks),
    "an unusual method": ("archive_unsupported", lzma_zip),
    "encrypted": ("archive_encrypted", lambda: by_hand(b"a", TEXT, flags=1)),
    "strongly encrypted": ("archive_encrypted", lambda: by_hand(b"a", TEXT, flags=0x41)),
    # broken off, and behind the end
    "a zip without its end": ("archive_damaged", lambda: zip_of({"a": TEXT})[:-30]),
    "a tar.gz without its end": ("archive_damaged", lambda: gzip.compress(GOOD)[:-20]),
    "a tar.bz2 without its end": ("archive_damaged", lambda: bz2.compress(GOOD)[:-5]),
    "a tar.xz without its end": ("archive_damaged", lambda: lzma.compress(GOOD)[:-8]),
    "a tar.zst without its end": ("archive_damaged", lambda: zstandard.compress(GOOD)[:-6]),
    "a tar without its end": ("archive_damaged", lambda: GOOD[:1_024]),
    "a tar broken off in a member": ("archive_damaged", lambda: tar_files({"a": bytes(5_000)})[:2_000]),
    "a broken header in the middle": (
        "archive_damaged",
        lambda: GOOD[:1_024] + b"\x01" * 512 + tar_files({"b.py": TEXT}),
    ),
    "a broken gzip": ("archive_damaged", lambda: gzip.compress(GOOD)[:30] + bytes(60)),
    "something behind a zip": ("archive_trailing_data", lambda: zip_of({"a": TEXT}) + b"more"),
    "something behind a tar": ("archive_trailing_data", lambda: GOOD + b"more".ljust(512, b"\0")),
    "something behind a gzip": ("archive_trailing_data", lambda: gzip.compress(GOOD) + b"more"),
    "a tar behind a tar": ("archive_trailing_data", lambda: GOOD + GOOD),
    # members that are no files
    "a hard link": ("archive_special_member", lambda: of_type(tarfile.LNKTYPE, linkname="/etc/passwd")),
    "a character device": ("archive_special_member", lambda: of_type(tarfile.CHRTYPE, devmajor=1, devminor=5)),
    "a block device": ("archive_special_member", lambda: of_type(tarfile.BLKTYPE)),
    "a pipe": ("archive_special_member", lambda: of_type(tarfile.FIFOTYPE)),
    "an old sparse file": ("archive_special_member", lambda: raw_header(b"a", kind=b"S") + END),
    "a kind that nobody knows": ("archive_special_member", lambda: raw_header(b"a", kind=b"Z") + END),
    "a sparse file by notes": (
        "archive_special_member",
        lambda: pax(GNU_sparse_map="0,1", GNU_sparse_size="1", GNU_sparse_numblocks="1") + raw_header(b"a") + END,
    ),
    "a sparse map without an end": ("archive_damaged", sparse_without_end),
    "a zip's device": ("archive_special_member", lambda: zip_member("a", b"", stat.S_IFCHR | 0o644)),
    "a zip's endless link": ("archive_special_member", lambda: zip_member("a", b"x" * 5_000, _LINK)),
    "less than no bytes": ("archive_damaged", negative_size),
    "less than no bytes by notes": ("archive_damaged", lambda: pax(size="-512") + raw_header(b"a") + END),
    "notes about notes": ("archive_damaged", lambda: nested_notes(3_000)),
    "notes longer than any": (
        "archive_bad_name",
        lambda: raw_header(b"n", b"%011o\0" % 9_000_000, b"x") + bytes(9_000_320) + END,
    ),
    "a long name without an end": (
        "archive_bad_name",
        lambda: raw_header(b"n", b"%011o\0" % 9_000_000, b"L") + b"a" * 9_000_320 + END,
    ),
    # names
    "a name that leads out": ("archive_bad_name", lambda: named("../evil.py")),
    "a name that leads out in the middle": ("archive_bad_name", lambda: zip_of({"a/../../evil.py": TEXT})),
    "an absolute name": ("archive_bad_name", lambda: named("/etc/cron.d/evil")),
    "a drive's letter": ("archive_bad_name", lambda: zip_of({"C:evil.py": TEXT})),
    "a backslash": ("archive_bad_name", lambda: zip_of({"..\\evil.py": TEXT})),
    "a NUL in a name": ("archive_bad_name", zip_with_nul),
    "a control character": ("archive_bad_name", lambda: named("a\x1b[31m.py")),
    "a name that reads backwards": ("archive_bad_name", lambda: named("a\u202eyp.exe")),
    "an empty part": ("archive_bad_name", lambda: zip_of({"a//b.py": TEXT})),
    "a name of two thousand bytes": ("archive_bad_name", lambda: named("/".join(["d" * 200] * 10))),
    "too deep": ("archive_too_deep", lambda: named("/".join(["d"] * 65) + "/a.py")),
    "git's own folder, in capitals": ("archive_git_folder", lambda: named("a.py", ".GIT/hooks/post-checkout")),
    "git's own folder, for Windows": ("archive_git_folder", lambda: zip_of({"x/GIT~1/config": TEXT})),
    "git's own folder, with dots": ("archive_git_folder", lambda: zip_of({"x/.Git. /config": TEXT})),
    "git's own folder, hidden": ("archive_git_folder", lambda: named("x/.g\u200cit/config")),
    "the same name twice": ("archive_duplicate_name", lambda: tar_of((header("a"), b"1"), (header("a"), b"2"))),
    "names that differ in case": ("archive_duplicate_name", lambda: named("README.md", "readme.md")),
    "names that differ in form": ("archive_duplicate_name", lambda: named("caf\u00e9", "cafe\u0301")),
    "a file that is a folder": ("archive_duplicate_name", lambda: named("a", "a/b.py")),
    "a folder that is a file": ("archive_duplicate_name", lambda: named("a/b.py", "A")),
}
