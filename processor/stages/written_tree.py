"""The rows of a tree as they are found: a block of them are objects, all before it compressed bytes."""

from collections import Counter
from collections.abc import Sequence

from events.artifacts import TreeRow
from runtime.parquet import TableWriter, Written, schema_of, table_of

_BLOCK = 1_000  # rows that are objects at a time: one is more than a kilobyte
_LANGUAGES = 60


class WrittenTree:
    """Takes rows and counts what they say. `files`, `bytes` and `lines` are of those that are not left out."""

    def __init__(self) -> None:
        self.files = self.bytes = self.lines = 0
        self._entries = 0
        self._skipped: Counter[str] = Counter()
        self._known: Counter[str] = Counter()
        self._languages: Counter[str] = Counter()
        self._writer = TableWriter(schema_of(TreeRow))
        self._block: list[TreeRow] = []
        self._written: Written | None = None

    def __len__(self) -> int:
        return self._entries

    def append(self, row: TreeRow) -> None:
        """One more row."""
        self._entries += 1
        if row.skipped is not None:
            self._skipped[row.skipped] += 1
        else:
            self._take(row)
        self._block.append(row)
        if len(self._block) >= _BLOCK:
            self._write()

    def know(self, rows: Sequence[TreeRow]) -> None:
        """These are in an earlier tree as they are here."""
        self._known.update(known_files=len(rows), known_bytes=sum(row.size for row in rows))

    def _take(self, row: TreeRow) -> None:
        self.files += 1
        self.bytes += row.size
        self.lines += row.lines
        if row.is_counted:
            self._languages[row.language or "other"] += row.size

    def _write(self) -> None:
        self._writer.add(table_of(TreeRow, self._block))
        self._block.clear()

    def finish(self) -> Written:
        """All rows. Nothing can be added any more."""
        if self._written is None:
            self._write()
            self._written = self._writer.finish()
        return self._written

    def counts(self) -> dict[str, int]:
        """Files accepted, their bytes and lines, entries in all and left out; what an earlier tree had, if anything."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "lines": self.lines,
            "entries": self._entries,
            "skipped": self._entries - self.files,
        } | +self._known

    def skipped(self) -> dict[str, int]:
        """How many entries were left out, by reason, most first."""
        return dict(self._skipped.most_common())

    def languages(self) -> dict[str, int]:
        """Bytes of what was taken by language, most first."""
        return dict(self._languages.most_common(_LANGUAGES))
