"""What a provider took for a run that ended without a result: a call is paid for however the run ends."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from events.artifacts import ArtifactRef
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Append, Run
from rag_manager.ports import Spent
from runtime.faults import Cancelled, Fault, Permanent


@dataclass
class Took:
    """What the calls of one run took. `dollars` is None where nobody said what the `tokens` cost."""

    tokens: int = 0
    dollars: float | None = None

    def spend(self, spent: Spent) -> None:
        """Count what a call took."""
        self.tokens += spent.tokens
        if spent.dollars is not None:
            self.dollars = (self.dollars or 0.0) + spent.dollars

    def failed(self, envelope: Envelope, fault: Fault, *, artifacts: Sequence[ArtifactRef] = ()) -> tuple[Append, ...]:
        """That a run ended in the fault, after it made `artifacts` that the next one makes use of, and what it took."""
        dollars = round(self.dollars, 8) if self.dollars is not None else None
        return stages.failed(envelope, fault, artifacts=artifacts, tokens=self.tokens, cost_usd=dollars)


class Ends:
    """What runs took that ended without a result: by what ended them, until that is recorded."""

    def __init__(self) -> None:
        self._took: WeakKeyDictionary[Fault | Cancelled, Took] = WeakKeyDictionary()

    @contextmanager
    def counted(self, run: Run) -> Iterator[Took]:
        """What a run takes inside, remembered by what ends it there: a fault, or that somebody stopped it.

        Whatever ends a run that was stopped may come of that: it raises Cancelled then.
        """
        took = Took()
        try:
            yield took
        except (Fault, Cancelled, asyncio.CancelledError) as error:
            if run.cancelled:
                ended = Cancelled()
                self._took[ended] = took
                raise ended from error
            if isinstance(error, Fault):
                self._took[error] = took
            raise  # where it was cancelled, the process ends, and another goes on

    def failed(self, envelope: Envelope, fault: Fault) -> tuple[Append, ...]:
        """What is recorded where a run ended by the fault."""
        return self._took.get(fault, Took()).failed(envelope, fault)

    async def stopped(self, envelope: Envelope, ended: Cancelled | None) -> tuple[Append, ...]:
        """What is recorded where a run was stopped: what it took; nothing where that is nothing."""
        took = self._took.get(ended) if ended is not None else None
        if took is None or took == Took():
            return ()
        stopped = Permanent("stage_stopped", "Somebody stopped this stage; what it took by then is counted.")
        return took.failed(envelope, stopped)
