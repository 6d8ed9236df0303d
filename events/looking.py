"""What the assistant asks of the facts and files of one analysis while it looks for an answer, and what it is told."""

from uuid import UUID

from events.base import Value


class DefinitionsRequest(Value):
    """Definitions of one analysis: whose name begins so, or those of a file."""

    tenant_id: UUID
    analysis_id: UUID
    name: str | None = None
    path: str | None = None
    limit: int = 30


class CallersRequest(Value):
    """Who calls a definition, by its id in its analysis (`shard-number`), or inherits from it."""

    tenant_id: UUID
    analysis_id: UUID
    symbol: str
    limit: int = 30


class FolderRequest(Value):
    """What is right below a folder of one analysis; empty for the whole repository."""

    tenant_id: UUID
    analysis_id: UUID
    folder: str = ""


class Entry(Value):
    """One thing that is known of an analysis: a definition, a caller, or what is in a folder; `note` says the rest."""

    kind: str
    name: str
    path: str
    first_line: int = 0
    last_line: int = 0
    id: str = ""
    note: str = ""


class Entries(Value):
    """The first of `total` entries."""

    total: int
    entries: tuple[Entry, ...]


class LinesRequest(Value):
    """A range of lines of one file of one analysis; the whole file where the lines are left out."""

    tenant_id: UUID
    analysis_id: UUID
    path: str
    first_line: int = 1
    last_line: int | None = None


class LinesReply(Value):
    """The lines that exist of those asked for; `line_count` is the file's."""

    path: str
    language: str | None
    first_line: int
    last_line: int
    line_count: int
    text: str
