"""Archives for tests: ordinary ones of each kind, and parts of hostile ones."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping

import zstandard

from runtime.archive_kinds import ArchiveKind

PACK = {
    ArchiveKind.TAR: lambda raw: raw,
    ArchiveKind.TAR_GZ: lambda raw: gzip.compress(raw, mtime=0),
    ArchiveKind.TAR_BZ2: bz2.compress,
    ArchiveKind.TAR_XZ: lzma.compress,
    ArchiveKind.TAR_ZST: lambda raw: zstandard.ZstdCompressor().compress(raw),
}


def header(name: str, **fields: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def tar_of(*members: tuple[tarfile.TarInfo, bytes], pax: bool = True) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT) as tar:
        for info, content in members:
            if info.type in {tarfile.REGTYPE, tarfile.CONTTYPE} and content:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content) if content else None)
    return out.getvalue()


def tar_files(files: Mapping[str, bytes]) -> bytes:
    return tar_of(*((header(name), content) for name, content in files.items()))


def raw_header(name: bytes, size: bytes = b"00000000000\0", kind: bytes = b"0", magic: bytes = b"ustar\x0000") -> bytes:
    """One tar header with a right sum, whatever it says."""
    block = bytearray(512)
    block[: len(name)] = name
    block[100:108] = b"0000644\0"
    block[124:136] = size
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[257:265] = magic
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def zip_of(files: Mapping[str, bytes], *, stored: bool = False, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zip_name(name), content, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
        archive.comment = comment
    return out.getvalue()


def zip_name(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def zip_member(name: str, content: bytes, mode: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zip_name(name, mode), content)
    return out.getvalue()


def archive_of(kind: ArchiveKind, files: Mapping[str, bytes]) -> bytes:
    return zip_of(files) if kind is ArchiveKind.ZIP else PACK[kind](tar_files(files))


def by_hand(  # what a zip's records say, each by itself
    name: bytes,
    content: bytes,
    *,
    copies: int = 1,
    local_name: bytes | None = None,
    claims: int | None = None,
    flags: int = 0,
    method: int = 8,
    entries: int | None = None,
    crc: int | None = None,
    packed_tail: bytes = b"",
) -> bytes:
    """A zip whose directory names one member `copies` times, and says of it what it is told."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = (squeeze.compress(content) + squeeze.flush() if method == 8 else content) + packed_tail
    size = len(content) if claims is None else claims
    checked = zlib.crc32(content) if crc is None else crc
    own = name if local_name is None else local_name
    fields = struct.pack("<HHHHHLLL", 20, flags, method, 0, 0, checked, len(packed), size)
    local = b"PK\3\4" + fields + struct.pack("<HH", len(own), 0) + own + packed
    directory = b""
    for number in range(copies):
        each = name if copies == 1 else name + b"%d" % number
        if copies > 1:
            each = name  # the same member, so that its own header agrees
        directory += b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<HHHHHLL", len(each), 0, 0, 0, 0, 0, 0)
        directory += each
    counted = copies if entries is None else entries
    end = b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, counted, counted, len(directory), len(local), 0)
    return local + directory + end


def wide(archive: bytes, *, begin_off: int = 0, entries_off: int = 0, place_off: int = 0) -> bytes:
    """The same zip with a zip64 record, whose numbers are off by so much."""
    end = archive.rindex(b"PK\5\6")
    _, _, here, entries, size, begin = struct.unpack("<HHHHLL", archive[end + 4 : end + 20])
    record = b"PK\6\6" + struct.pack(
        "<QHHLLQQQQ", 44, 45, 45, 0, 0, here + entries_off, entries + entries_off, size, begin + begin_off
    )
    locator = b"PK\6\7" + struct.pack("<LQL", 0, end + place_off, 1)
    last = b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return archive[:end] + record + locator + last
