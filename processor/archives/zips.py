"""The members of a zip. The library reads the directory; what it says is checked, and the members are read here."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from processor.archives.limits import ArchiveLimits, Meter, Refused, damaged, special, trailing
from processor.archives.members import CHUNK, LINK, Member, member_of, mode_of
from processor.archives.names import Names, is_gits, shown

_END, _END_SIZE = b"PK\x05\x06", 22
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20
_END64, _END64_SIZE = b"PK\x06\x06", 56
_LOCAL, _LOCAL_SIZE = b"PK\x03\x04", 30
_MAX_COMMENT = 0xFFFF
_MAX_DIRECTORY = 32 << 20  # bytes: fifty thousand members with long names have twelve million
_NOT_SAID = (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)  # look at the record of zip64 for it
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8 = 0x800
_STORED, _DEFLATED = 0, 8
_UNIX = 3
_MAX_LINK = 4_096
_FINDER = "__MACOSX"  # what macOS's Finder adds of its own to each zip: icons and attributes, nothing of the content


@dataclass(frozen=True)
class _Directory:
    """Where the directory is, and how many members it says it has."""

    begin: int
    size: int
    entries: int


def read_zip(file: BinaryIO, limits: ArchiveLimits) -> Iterator[Member]:
    """The files and symbolic links of a zip, in the order of their bytes. Raises Refused."""
    directory = _directory_of(file, limits)
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, OSError, EOFError) as error:
        raise damaged(f"its directory cannot be read: {error}"[:200]) from None
    if len(infos) != directory.entries:
        raise damaged("its directory has another number of members than it says")
    infos.sort(key=lambda info: info.header_offset)
    _check_places(infos, directory)
    meter, names = Meter(limits), Names()
    for info in infos:
        meter.entry()
        _check_method(info)
        name = _name_of(info)
        if is_gits(name):
            continue
        path = names.add(name, is_folder=name.endswith("/"))
        if not name.endswith("/") and path.partition("/")[0] != _FINDER:
            yield _member(file, info, path, meter)


def _directory_of(file: BinaryIO, limits: ArchiveLimits) -> _Directory:
    """Look at the record at the end, which all else hangs on. Raises Refused."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _END_SIZE - _MAX_COMMENT))
    tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_SIZE:
        raise damaged("it has no end")
    end = length - len(tail) + place
    disk, first, here, entries, size, begin, comment = struct.unpack("<4x4H2LH", tail[place : place + _END_SIZE])
    if end + _END_SIZE + comment != length:
        raise trailing()
    if disk or first or here != entries:
        raise Refused("archive_unsupported", "The zip is one of several parts: pack it as one file.")
    said, until = (here, entries, size, begin), end
    if (wide := _wide_end(file, end)) is not None:
        if any(narrow not in {bare, full} for narrow, bare, full in zip(said, _NOT_SAID, wide, strict=True)):
            raise damaged("its two directories differ")
        (_, entries, size, begin), until = wide, end - _LOCATOR_SIZE - _END64_SIZE
    if entries > limits.entries or size > _MAX_DIRECTORY:
        raise Refused(
            "archive_too_many_entries", f"The archive has more than {limits.entries:,} members: upload a part of it."
        )
    if begin + size != until:
        raise damaged("its directory is not where it says")
    return _Directory(begin, size, entries)


def _wide_end(file: BinaryIO, end: int) -> tuple[int, int, int, int] | None:
    """What the zip64 record says, where there is one: members here, in all, bytes and place of the directory."""
    if end < _LOCATOR_SIZE + _END64_SIZE:
        return None
    file.seek(end - _LOCATOR_SIZE)
    locator = file.read(_LOCATOR_SIZE)
    if not locator.startswith(_LOCATOR):
        return None
    _, place, disks = struct.unpack("<4xLQL", locator)
    if place != end - _LOCATOR_SIZE - _END64_SIZE or disks > 1:
        raise damaged("its wide directory is not where it says")
    file.seek(place)
    record = file.read(_END64_SIZE)
    if not record.startswith(_END64):
        raise damaged("its wide directory is not where it says")
    here, entries, size, begin = struct.unpack("<24x4Q", record)
    return here, entries, size, begin


def _check_places(infos: list[zipfile.ZipInfo], directory: _Directory) -> None:
    """Members follow each other: two that share bytes make much of little. Raises Refused."""
    for info, following in pairwise([*infos, None]):
        assert info is not None  # noqa: S101  # the last alone is none
        end = info.header_offset + _LOCAL_SIZE + len(_raw_name(info)) + info.compress_size
        if info.header_offset < 0 or end > (directory.begin if following is None else following.header_offset):
            raise Refused(
                "archive_overlap",
                f"“{shown(info.filename)}” shares its bytes with another member: pack it again with another program.",
            )


def _check_method(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise Refused(
            "archive_encrypted", f"“{shown(info.filename)}” is encrypted: upload an archive without a password."
        )
    if info.compress_type not in {_STORED, _DEFLATED}:
        raise Refused(
            "archive_unsupported", f"“{shown(info.filename)}” is packed in an unusual way: use deflate, as zips do."
        )


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")


def _name_of(info: zipfile.ZipInfo) -> str:
    """The name; where nothing says that it is UTF-8 it is so all the same more often than it is not."""
    if info.flag_bits & _UTF8:
        return info.orig_filename
    try:
        return _raw_name(info).decode()
    except UnicodeDecodeError:
        return info.orig_filename


def _member(file: BinaryIO, info: zipfile.ZipInfo, path: str, meter: Meter) -> Member:
    bits = info.external_attr >> 16 if info.create_system == _UNIX else 0
    kind = stat.S_IFMT(bits)
    pieces = _pieces(file, info, meter)
    if kind == stat.S_IFLNK:
        if info.file_size > _MAX_LINK:
            raise special(shown(path), "a link to a name longer than any")
        return member_of(path, LINK, info.file_size, pieces, meter.limits)
    if kind not in {0, stat.S_IFREG}:
        raise special(shown(path), "a device, a pipe or a folder by another name")
    return member_of(path, mode_of(bits), info.file_size, pieces, meter.limits)


def _pieces(file: BinaryIO, info: zipfile.ZipInfo, meter: Meter) -> Iterator[bytes]:
    """The content of a member, whose size and sum are as the directory says. Raises Refused."""
    begin = _begin_of(file, info)
    file.seek(begin)
    count = crc = 0
    unpacked = _inflated(file, info) if info.compress_type == _DEFLATED else _stored(file, info)
    for piece in unpacked:
        count += len(piece)
        crc = zlib.crc32(piece, crc)
        meter.out(len(piece))
        meter.check_ratio(info.compress_size, count)
        if count > info.file_size:
            raise damaged(f"“{shown(info.filename)}” is larger than it says")
        yield piece
    if count != info.file_size or crc != info.CRC:
        raise damaged(f"“{shown(info.filename)}” is not what its sum says")


def _begin_of(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin: its own header has to say what the directory says."""
    file.seek(info.header_offset)
    header = file.read(_LOCAL_SIZE)
    if len(header) < _LOCAL_SIZE or not header.startswith(_LOCAL):
        raise damaged(f"“{shown(info.filename)}” is not where the directory says")
    flags, method, names, extra = struct.unpack("<6x2H16x2H", header)
    if file.read(names) != _raw_name(info) or method != info.compress_type:
        raise damaged(f"“{shown(info.filename)}” is another member than the directory says")
    if flags & _ENCRYPTED:
        raise Refused("archive_encrypted", f"“{shown(info.filename)}” is encrypted: upload one without a password.")
    return info.header_offset + _LOCAL_SIZE + len(_raw_name(info)) + int(extra)


def _stored(file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    left = info.compress_size
    while left:
        piece = file.read(min(left, CHUNK))
        if not piece:
            raise damaged("it ends in the middle of a member")
        left -= len(piece)
        yield piece


def _inflated(file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    decoder = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for packed in _stored(file, info):
            if decoder.eof:
                raise damaged(f"“{shown(info.filename)}” has more bytes than it needs")
            waiting = packed
            while waiting and not decoder.eof:
                yield decoder.decompress(waiting, CHUNK)
                waiting = decoder.unconsumed_tail
        while not decoder.eof and (piece := decoder.decompress(decoder.unconsumed_tail, CHUNK)):
            yield piece
    except zlib.error as error:
        raise damaged(f"“{shown(info.filename)}” cannot be unpacked: {error}") from None
    if not decoder.eof or decoder.unused_data:
        raise damaged(f"“{shown(info.filename)}” does not end where it says")
