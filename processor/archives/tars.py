"""The members of a tar, read in one pass from its beginning to its end."""

import io
import tarfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from processor.archives.limits import ArchiveLimits, Meter, Refused, damaged, special, trailing
from processor.archives.members import CHUNK, LINK, Member, member_of, mode_of
from processor.archives.names import Names, is_gits, shown
from processor.archives.streams import Unpacked
from runtime.archive_kinds import HEAD_BYTES, ArchiveKind, kind_of

_NAMES = frozenset(
    {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
)
_MAX_NAMES = 1 << 18  # bytes of a header that says more about the next member
_SPECIAL = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
_ERRORS = (tarfile.TarError, ValueError, LookupError, ArithmeticError, OSError, RecursionError, AssertionError)
_PLAIN = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE})


class _Header(tarfile.TarInfo):
    """A header that is looked at before the library acts upon it, which would end silently at one that is broken."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Header":
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # not in the stubs
            raise
        except tarfile.HeaderError as error:
            raise damaged("it has no end" if not buf else f"a header cannot be read: {error}") from None
        if header.size < 0:
            raise damaged("a member has less than no bytes")
        if header.type in _NAMES and header.size > _MAX_NAMES:
            raise Refused("archive_bad_name", "A member's name or notes are longer than any name: pack it again.")
        if (what := _SPECIAL.get(header.type)) is not None:
            raise special(shown(header.name), what)
        if header.type not in _NAMES | _PLAIN:
            raise special(shown(header.name), "of a kind that is not known")
        return header


def read_tar(file: BinaryIO, kind: ArchiveKind, limits: ArchiveLimits) -> Iterator[Member]:
    """The files and symbolic links of a tar, in its order. Raises Refused."""
    meter, names = Meter(limits), Names()
    source = _Peeked(Unpacked(file, kind, meter))
    if kind is not ArchiveKind.TAR:
        _check_inner(source.head)
    try:
        with tarfile.open(fileobj=source, mode="r|", tarinfo=_Header, bufsize=CHUNK, errors="surrogateescape") as tar:
            while (header := _next(tar)) is not None:
                meter.entry()
                member = _member(tar, header, names, limits)
                if member is not None:
                    yield member
            _check_rest(tar)
    except _ERRORS as error:
        raise damaged(f"it cannot be read as a tar: {type(error).__name__}") from None


class _Peeked(io.RawIOBase):
    """A source whose first bytes were looked at."""

    def __init__(self, source: Unpacked) -> None:
        super().__init__()
        self._source = source
        self.head = b""
        while len(self.head) < HEAD_BYTES and (piece := source.read(HEAD_BYTES - len(self.head))):
            self.head += piece
        self._waiting = self.head

    def read(self, most: int = CHUNK, /) -> bytes:
        if self._waiting:
            piece, self._waiting = self._waiting[:most], self._waiting[most:]
            return piece
        return self._source.read(most)


def _check_inner(head: bytes) -> None:
    inner = kind_of(head)
    if inner is ArchiveKind.TAR or not head.strip(b"\0"):
        return
    if inner is not None:
        raise Refused("archive_nested", f"There is another archive in it ({inner}): unpack it once and upload that.")
    raise Refused("archive_unknown", "What is packed in it is no tar: pack the folder, and not one file.")


def _next(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    header = tar.next()
    tar.members.clear()  # type: ignore[attr-defined]  # it keeps all that it met
    return header


def _member(tar: tarfile.TarFile, header: tarfile.TarInfo, names: Names, limits: ArchiveLimits) -> Member | None:
    if header.size < 0:  # as notes before it may say
        raise damaged("a member has less than no bytes")
    if header.issparse():
        raise special(shown(header.name), "a sparse file")
    if is_gits(header.name):
        return None
    path = names.add(header.name, is_folder=header.isdir())
    if header.isdir():
        return None
    if header.issym():
        target = header.linkname.encode("utf-8", "surrogateescape")
        return member_of(path, LINK, len(target), iter((target,)), limits)
    return member_of(path, mode_of(header.mode), header.size, _pieces(_stream(tar), header.size), limits)


def _stream(tar: tarfile.TarFile) -> BinaryIO:
    """What the library reads from: it stands behind the header that was read last."""
    return cast("BinaryIO", tar.fileobj)


def _pieces(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """The next `size` bytes: a member's content follows its header."""
    while size:
        piece = stream.read(min(size, CHUNK))
        if not piece:
            raise damaged("it ends in the middle of a member")
        size -= len(piece)
        yield piece


def _check_rest(tar: tarfile.TarFile) -> None:
    """Behind the end there are zeros, or there is something that nobody would see."""
    stream = _stream(tar)
    while piece := stream.read(CHUNK):
        if piece.strip(b"\0"):
            raise trailing()
