"""What a consumer's handler receives and returns. `subscriber.py` does all the rest."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Draft, Envelope
from runtime.faults import Cancelled, Fault


@dataclass(frozen=True)
class Append:
    """Drafts for one stream; `expected` as in `Journal.append`."""

    stream_id: str
    drafts: tuple[Draft, ...]
    expected: int | None = None


@dataclass(frozen=True)
class Timer:
    """A `timer.fired` event to be appended to `stream_id` at `due_at` (by the database's clock)."""

    timer_id: UUID
    stream_id: str
    due_at: datetime
    kind: str
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Also:
    """Another message of the same topic whose work was done with this one's, and what is to be said of it."""

    envelope: Envelope
    append: Append


@dataclass(frozen=True)
class Result:
    """What a handler wants recorded, in one transaction with the inbox row that says the message is done.

    `also` is recorded of those messages that nobody was done with, for stages' runs alone.
    `write` may execute statements on the transaction's connection; it must not commit.
    """

    appends: tuple[Append, ...] = ()
    timers: tuple[Timer, ...] = ()
    write: Callable[[AsyncConnection], Awaitable[None]] | None = None
    also: tuple[Also, ...] = ()


class Run(Protocol):
    """One execution of a long handler, under a lease that a heartbeat keeps."""

    @property
    def worker(self) -> str:
        """The name of this worker process."""
        ...

    @property
    def token(self) -> int:
        """The fencing token. Whoever holds a smaller one is late; its result will be discarded."""
        ...

    @property
    def cancelled(self) -> bool:
        """Whether a person asked the analysis to stop, or the lease was lost. Long loops look at it."""
        ...

    def check(self) -> None:
        """Raise `runtime.faults.Cancelled` where `cancelled` is true."""
        ...

    async def record(self, append: Append) -> None:
        """Append before the run has ended, as long as the lease is ours; what is there already stays as it is.

        Waits for a database that is away. Raises `runtime.faults.Cancelled` where the lease was lost.
        """
        ...

    async def recorded(self, envelope: Envelope) -> list[Envelope]:
        """What the message's stream has after it, such as what an earlier worker on it recorded."""
        ...


# In a transaction: the message and the connection. Right for decisions, which take milliseconds.
ShortHandler = Callable[[Envelope, AsyncConnection], Awaitable[Result]]

# In a transaction: many messages at once, of which each is new. Right for fine-grained facts, which come in thousands.
BatchHandler = Callable[[Sequence[Envelope], AsyncConnection], Awaitable[Result]]

# Outside a transaction, under a lease. Right for stages, which take seconds or minutes.
LongHandler = Callable[[Envelope, Run], Awaitable[Result]]

# What is recorded at the beginning of a long run (`processing.stage.started`).
OnStart = Callable[[Envelope, Run], tuple[Append, ...]]

# What is recorded where a handler raised a Fault (anything else it raises becomes a Transient `internal_error`).
OnFault = Callable[[Envelope, Fault], tuple[Append, ...]]

# What is recorded where a run was cancelled, in the transaction that ends it: by what the handler raised, or None where
# it was cancelled before this worker began.
OnCancelled = Callable[[Envelope, Cancelled | None], Awaitable[tuple[Append, ...]]]

# What is recorded where a message was delivered too often without an end: it kills its workers.
OnParked = Callable[[Envelope, int], tuple[Append, ...]]
