"""Uploaded archives as commits to read. The adapter of `ports.Archives`.

The archive is one file of the work folder; a process of its own reads it member by member. What it keeps is put one
behind the other into a file without a name: no member's name ever reaches the file system.
"""

import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, Any

from processor.adapters.archive_process import ArchiveProcess, reading
from processor.adapters.workspace import Workspace
from processor.archives.content_id import content_id, without_top
from processor.archives.limits import ArchiveLimits
from processor.ports import MAX_FILE_BYTES, Head, TreeEntry, Watch
from runtime.archive_kinds import HEAD_BYTES, kind_of
from runtime.faults import Permanent

REF = "upload"
_MODES = frozenset({"100644", "100755", "120000"})
_BLOB = 40  # digits


class UploadedArchives:
    """Reads archives within `limits`, in folders of `workspace`."""

    def __init__(self, workspace: Workspace, limits: ArchiveLimits | None = None) -> None:
        self._workspace = workspace
        self._limits = limits or ArchiveLimits()

    @contextmanager
    def checkout(
        self,
        pieces: Iterable[bytes],
        watch: Watch,
        *,
        file_bytes: int = MAX_FILE_BYTES,
        manifest_bytes: int = MAX_FILE_BYTES,
    ) -> Iterator["ArchiveCheckout"]:
        """As `ports.Archives.checkout`."""
        limits = replace(self._limits, keep_bytes=file_bytes, manifest_bytes=manifest_bytes)
        with (
            self._workspace.folder_for("upload") as folder,
            tempfile.TemporaryFile(dir=folder) as archive,
            tempfile.TemporaryFile(dir=folder) as kept,
        ):
            for piece in pieces:
                watch.check()
                archive.write(piece)
            archive.flush()
            with reading(archive, limits, watch) as process:
                spool = _Spool(kept, limits)
                entries = spool.fill(process, watch)
            yield ArchiveCheckout(without_top(entries), spool)


class ArchiveCheckout:
    """The content of one archive, as a commit has it."""

    is_tracked = False  # whatever lay in the folder that was packed

    def __init__(self, entries: list[TreeEntry], spool: "_Spool") -> None:
        self._entries = sorted(entries)
        self._spool = spool
        self.head = Head(content_id(entries), REF, None, None, "")

    def entries(self, limit: int, folder: str = "") -> Iterator[TreeEntry]:
        """As `ports.Checkout.entries`."""
        below = f"{folder}/".encode() if folder else b""
        found = [entry for entry in self._entries if entry.path.startswith(below)]
        if folder and not found:
            raise Permanent("folder_not_found", "There is no such folder in the upload: check its path.")
        return iter(found[:limit])

    def named(self, paths: Collection[str]) -> list[TreeEntry]:
        """As `ports.Checkout.named`."""
        wanted = {path.encode() for path in paths}
        return [entry for entry in self._entries if entry.path in wanted]

    def count(self, limit: int) -> int:
        """As `ports.Checkout.count`."""
        return min(limit, len(self._entries))

    def read(self, blob_id: str) -> bytes | None:
        """As `ports.Checkout.read`."""
        return self._spool.read(blob_id)

    def complete(self, entries: Sequence[TreeEntry], most: int) -> list[TreeEntry]:
        """As `ports.Checkout.complete`: what is wanted by its name was kept at once."""
        del most
        return list(entries)


class _Spool:
    """The contents that were kept, by their ids."""

    def __init__(self, file: IO[bytes], limits: ArchiveLimits) -> None:
        self._file = file
        self._limits = limits
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0
        self._archives = self._files = 0

    def fill(self, process: ArchiveProcess, watch: Watch) -> list[TreeEntry]:
        """Take all members. Raises Permanent where the archive is refused."""
        entries: list[TreeEntry] = []
        while "path" in (frame := process.frame()):
            entry, kept = _entry(frame, self._limits)
            if kept:
                self._keep(entry, process.exactly(entry.size or 0))
            entries.append(entry)
            if len(entries) > self._limits.entries or self._end > self._limits.total_bytes:
                raise Permanent("archive_too_large", "The archive unpacks to more than is read of one: upload a part.")
            watch.progress(len(entries), 0, entry.path.decode("utf-8", "replace"), "entries")
        if "refused" in frame:
            code, message = frame["refused"]
            raise Permanent(str(code), str(message))
        if entries and self._archives == self._files > 0:
            raise Permanent("archive_nested", "There are only other archives in it: unpack it once and upload those.")
        return entries

    def _keep(self, entry: TreeEntry, content: bytes) -> None:
        if entry.mode != "120000":
            self._files += 1
            self._archives += kind_of(content[:HEAD_BYTES]) is not None
        if entry.blob_id not in self._places:
            self._places[entry.blob_id] = (self._end, len(content))
            self._file.seek(self._end)
            self._file.write(content)
            self._end += len(content)

    def read(self, blob_id: str) -> bytes | None:
        """A content; None for one that was not kept."""
        if blob_id not in self._places:
            return None
        begin, length = self._places[blob_id]
        self._file.seek(begin)
        return self._file.read(length)


def _entry(frame: dict[str, Any], limits: ArchiveLimits) -> tuple[TreeEntry, bool]:
    """A member as git lists it, and whether its content follows. Of a large one the size is not told, as in a clone."""
    path, mode, size, blob_id = (frame.get(name) for name in ("path", "mode", "size", "blob_id"))
    if not isinstance(path, str) or not isinstance(size, int) or mode not in _MODES or size < 0:
        raise ArchiveProcess.crashed()
    if not isinstance(blob_id, str) or len(blob_id) != _BLOB or set(blob_id) - set("0123456789abcdef"):
        raise ArchiveProcess.crashed()
    kept = bool(frame.get("kept"))
    raw = path.encode("latin-1", "replace")
    if kept != limits.keeps(raw.decode("utf-8", "surrogateescape"), size):
        raise ArchiveProcess.crashed()
    return TreeEntry(raw, mode, blob_id, size if kept else None), kept
