"""The port of the event log: append with an expected version, read a stream, read the feed.

`postgres.py` is the real one, `memory.py` its twin for tests and replays; one behaviour suite runs against both.
"""

from collections.abc import Sequence
from typing import Protocol

from events.base import Draft, Envelope


class WrongExpectedVersion(Exception):
    """Somebody else appended first. Reload, decide again."""

    def __init__(self, stream_id: str, expected: int, actual: int) -> None:
        super().__init__(f"{stream_id} is at version {actual}, not {expected}")
        self.stream_id = stream_id
        self.expected = expected
        self.actual = actual


class Journal(Protocol):
    """The event log, inside or outside a transaction."""

    async def append(self, stream_id: str, drafts: Sequence[Draft], *, expected: int | None = None) -> list[Envelope]:
        """Append all of `drafts`, or nothing, and commit.

        `expected` is the version the stream must have (0: it must not exist); None appends after whatever is there,
        which is right for facts and wrong for decisions. Appending an `event_id` that is already in the stream changes
        nothing and returns what was recorded. Raises WrongExpectedVersion.
        """
        ...

    async def read_stream(self, stream_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """The events of one stream with a version greater than `after`, in order."""
        ...

    async def read_feed(self, *, after: int, limit: int) -> list[Envelope]:
        """Events of all streams with a `seq` greater than `after`, in the one global order, without gaps."""
        ...
