"""Exact lines of a file as it was at the analysed commit, out of the stored sources."""

import asyncio
from collections import OrderedDict

import pyarrow as pa
import pyarrow.parquet as pq

from events.looking import LinesReply, LinesRequest
from rag_manager.rows import reading
from rag_manager.rows.reading import FilePlace
from runtime.faults import Permanent
from runtime.notebook_cells import SUFFIX, cells_of, shown
from runtime.objects import Objects
from runtime.tenancy import TenantDatabase

MAX_CACHED = 32_000_000  # characters of files kept in memory


class Lines:
    """Answers requests for lines; keeps the files that were asked for last."""

    def __init__(self, rows: TenantDatabase, objects: Objects, *, max_cached: int = MAX_CACHED) -> None:
        self._rows = rows
        self._objects = objects
        self._max_cached = max_cached
        self._cached: OrderedDict[tuple[str, str, int], str] = OrderedDict()

    async def __call__(self, request: LinesRequest) -> LinesReply:
        """Return the lines that exist of those asked for. Raises Permanent `no_such_analysis` or `no_such_file`."""
        place = await reading.file_place(self._rows, request.tenant_id, request.analysis_id, request.path)
        if place is None:
            if await reading.indexed(self._rows, request.tenant_id, request.analysis_id) is None:
                raise Permanent("no_such_analysis", "No analysis with this id is indexed.")
            raise Permanent("no_such_file", "The analysed commit has no such text file.")
        lines = _read(place.path, await self._content(place))
        last = len(lines) if request.last_line is None else min(request.last_line, len(lines))
        first = max(1, request.first_line)
        return LinesReply(
            path=place.path,
            language=place.language,
            first_line=first,
            last_line=max(last, first - 1),
            line_count=len(lines),
            text="\n".join(lines[first - 1 : last]),
        )

    def held(self) -> set[tuple[str, str]]:
        """The sources whose files are kept: each one's key, which is its tenant's, and digest."""
        return {(key, sha256) for key, sha256, _ in self._cached}

    def forget(self, sources: set[tuple[str, str]]) -> None:
        """Let go of the files of these sources."""
        for key in [key for key in self._cached if key[:2] in sources]:
            del self._cached[key]

    async def _content(self, place: FilePlace) -> str:
        key = (place.source_key, place.source_sha256, place.source_row)
        if key not in self._cached:
            artifact = await self._objects.get(place.source_key, place.source_sha256)
            self._cached[key] = await asyncio.to_thread(_row_content, artifact, place.source_row)
            while sum(map(len, self._cached.values())) > self._max_cached and len(self._cached) > 1:
                self._cached.popitem(last=False)
        self._cached.move_to_end(key)
        return self._cached[key]


def _read(path: str, content: str) -> list[str]:
    """The lines of a file; of a notebook those of its cells, and blank ones: what passages of it have."""
    lines = _lines_of(content)
    cells = cells_of(content) if path.endswith(SUFFIX) else ()
    return shown(cells, len(lines)) if cells else lines


def _lines_of(content: str) -> list[str]:
    # Not splitlines(): a form feed ends no line for an editor, a compiler, or whoever counted the lines.
    lines = content.split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def _row_content(artifact: bytes, row: int) -> str:
    file = pq.ParquetFile(pa.BufferReader(artifact))
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if row < size:
            return str(file.read_row_group(group, columns=["content"]).column("content")[row])
        row -= size
    raise Permanent("artifact_corrupt", "The stored sources have fewer files than were indexed.")
