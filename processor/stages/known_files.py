"""What an earlier analysis read of files that are still the same, so that they need not be read again. Pure.

Its rules and the code that chose must have been the same (the caller's business): then a row of a tree depends on
nothing but path, mode and blob.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from events.artifacts import SourceRow, TreeRow
from processor.ports import TreeEntry

# Decided by what else there is, by what was fetched, or shown otherwise than written: looked at again each time.
_NOT_KEPT = frozenset({"bad_path", "lock_file", "too_large", "too_many_files", "text_budget"})


@dataclass(frozen=True)
class Shard:
    """Accepted files, by path. `earlier` is the number of the earlier shard with the very same rows, if there is one.

    `read` gives the rows; those of known files are read only then.
    """

    earlier: int | None
    read: Callable[[], Sequence[SourceRow]]


class KnownFiles:
    """The rows of an earlier tree."""

    def __init__(self, tree: Iterable[TreeRow] = ()) -> None:
        """`tree` in the order in which it was written."""
        self._rows: dict[str, TreeRow] = {}
        self._shards: defaultdict[int, list[str]] = defaultdict(list)
        for row in tree:
            if row.skipped not in _NOT_KEPT:
                self._rows[row.path] = row
            if row.shard is not None:
                self._shards[row.shard].append(row.path)

    def row_of(self, entry: TreeEntry) -> TreeRow | None:
        """The row of the same file; None where it is another one, or not known."""
        try:
            row = self._rows.get(entry.path.decode())
        except UnicodeDecodeError:
            return None
        same = row is not None and (row.blob_id, row.mode, row.size) == (entry.blob_id, entry.mode, entry.size)
        return row if same else None

    def shard_of(self, rows: Sequence[TreeRow]) -> int | None:
        """The number of the shard that had these (known) files, in this order and no others."""
        number = rows[0].shard if rows else None
        same = number is not None and self._shards[number] == [row.path for row in rows]
        return number if same else None
