"""A packed file, unpacked as it is read: bounded in memory, counted in bytes that really came out."""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

import zstandard

from processor.archives.limits import Meter, damaged, trailing
from runtime.archive_kinds import MAGIC, ArchiveKind

_IN = 1 << 15
_IN_ZSTD = 512  # bytes at a time: each four of them may become 128 KiB, and there is no way to ask for less
_OUT = 1 << 18
_XZ_MEMORY = 128 << 20
_WINDOW = 128 << 20
_ASKED_IN_VAIN = 100  # times behind the end: the library's readers of sparse files ask for ever
_ERRORS = (zlib.error, OSError, lzma.LZMAError, zstandard.ZstdError, ValueError, EOFError)


class _Decoder(Protocol):
    """One frame of a packed file."""

    @property
    def eof(self) -> bool:
        """Whether it is read to its end."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What came behind its end."""
        ...

    @property
    def wants(self) -> bool:
        """Whether it needs more packed bytes to go on."""
        ...

    def feed(self, packed: bytes) -> bytes:
        """Take packed bytes, give unpacked ones: a bounded number."""
        ...


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self._rest = b""
        self._full = False

    def feed(self, packed: bytes) -> bytes:
        unpacked = self._inner.decompress(self._rest + packed, _OUT)
        self._rest = self._inner.unconsumed_tail
        self._full = len(unpacked) >= _OUT
        return unpacked

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def wants(self) -> bool:
        return not self._rest and not self._full


class _Standard:
    """What bz2 and lzma have in common."""

    def __init__(self, inner: "bz2.BZ2Decompressor | lzma.LZMADecompressor") -> None:
        self._inner = inner

    def feed(self, packed: bytes) -> bytes:
        return self._inner.decompress(packed, _OUT)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def wants(self) -> bool:
        return self._inner.needs_input


class _Zstd:
    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()

    def feed(self, packed: bytes) -> bytes:
        return self._inner.decompress(packed) if packed else b""

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def wants(self) -> bool:
        return True


_DECODERS: dict[ArchiveKind, Callable[[], _Decoder]] = {
    ArchiveKind.TAR_GZ: _Gzip,
    ArchiveKind.TAR_BZ2: lambda: _Standard(bz2.BZ2Decompressor()),
    ArchiveKind.TAR_XZ: lambda: _Standard(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)),
    ArchiveKind.TAR_ZST: _Zstd,
}


class Unpacked:
    """The tar inside of a packed one; a plain one as it is. Its only way to be read is `read`."""

    def __init__(self, file: BinaryIO, kind: ArchiveKind, meter: Meter) -> None:
        self._file = file
        self._kind = kind
        self._meter = meter
        self._new = _DECODERS.get(kind)
        self._decoder = self._new() if self._new is not None else None
        self._packed = self._unpacked = 0
        self._step = _IN_ZSTD if kind is ArchiveKind.TAR_ZST else _IN
        self._waiting = b""
        self._is_over = False
        self._behind = 0

    def read(self, most: int) -> bytes:
        """At most so many bytes; none at the end. Raises Refused."""
        while not self._waiting and not self._is_over:
            try:
                self._waiting = self._more()
            except _ERRORS as error:
                raise damaged(f"{self._kind} cannot be unpacked: {error}"[:200]) from None
            self._meter.out(len(self._waiting))
            self._unpacked += len(self._waiting)
            self._meter.check_ratio(self._packed, self._unpacked)
        piece, self._waiting = self._waiting[:most], self._waiting[most:]
        self._behind += not piece
        if self._behind > _ASKED_IN_VAIN:
            raise damaged("it ends in its middle")
        return piece

    def _take(self) -> bytes:
        packed = self._file.read(self._step)
        self._packed += len(packed)
        return packed

    def _more(self) -> bytes:
        if self._decoder is None or self._new is None:
            plain = self._take()
            self._is_over = not plain
            return plain
        if self._decoder.eof:
            return self._next_frame(self._decoder.unused_data or self._take())
        if not self._decoder.wants:
            return self._decoder.feed(b"")
        packed = self._take()
        if not packed:
            raise damaged("it ends in its middle")
        return self._decoder.feed(packed)

    def _next_frame(self, packed: bytes) -> bytes:
        """Another frame may follow, or zeros; all else would be left unread."""
        if not packed:
            self._is_over = True
            return b""
        assert self._new is not None  # noqa: S101  # there was a frame before
        magic = MAGIC[self._kind]
        if len(packed) < len(magic):
            packed += self._take()
        if packed.startswith(magic):
            self._decoder = self._new()
            return self._decoder.feed(packed)
        while packed:
            if packed.strip(b"\0"):
                raise trailing()
            packed = self._take()
        self._is_over = True
        return b""
