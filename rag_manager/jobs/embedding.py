"""Embed many texts: in calls of what the embedder takes at once, and so that one bad text costs no other its vector."""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from events.delivery.work import Run
from rag_manager.jobs.base import Turns, Urgency
from rag_manager.jobs.paying import Took
from rag_manager.ports import Embedder, InputRefused
from rag_manager.stages.pack_texts import pack_texts
from runtime.faults import Cancelled, Fault, Permanent

Ticked = Callable[[int], Awaitable[None]]

NOT_EMBEDDED = "not_embedded"  # what is recorded of the chunks that have words and no vector
_NOT_THE_TEXTS = 8  # texts refused one by one, and none taken: it is not for what they are
_LOOK = 0.1  # seconds between two looks at whether the run is cancelled
_HARMLESS = "hello"  # whoever refuses this takes no text at all


@dataclass
class Embedded:
    """The vectors of some texts, shape (texts, dimension). A text that was refused (place → code) has a row of zeros.

    With a `fault` it broke off: only the places in `taken` have a vector, and at least one has.
    """

    vectors: NDArray[np.float32]
    taken: list[int] = field(default_factory=list)
    fault: Fault | None = None
    refused: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Embedding:
    """Embeds for one run: ends with it, also in the middle of a call, and lets what is more urgent pass."""

    embedder: Embedder
    turns: Turns
    urgency: Urgency
    run: Run
    took: Took = field(default_factory=Took)

    async def __call__(self, texts: Sequence[str], ticked: Ticked) -> Embedded:
        """Return the vectors of `texts`, in their order. A group with a bad text is halved until that stands alone.

        Raises a Fault where the embedder cannot be asked: Permanent `embedder_rejected` where it takes no text at all.
        Where it made some vectors before, these are returned with the fault: somebody may have paid for them.
        """
        made = Embedded(np.zeros((len(texts), self.embedder.dimension), np.float32))
        lengths = [len(text) for text in texts]
        groups = pack_texts(lengths, most=self.embedder.max_batch, characters=self.embedder.max_characters)
        groups.reverse()  # a stack: the next one is the last
        while groups and made.fault is None:
            if await self._settle(groups, texts, made):
                await ticked(len(made.taken) + len(made.refused))
        if made.refused and not made.taken:  # too few of them to know why
            try:
                await self._ask([_HARMLESS])
            except InputRefused as refused:
                raise _takes_nothing(refused) from refused
        return made

    async def _settle(self, groups: list[list[int]], texts: Sequence[str], made: Embedded) -> bool:
        """Have the last of the groups embedded, or halve it; whether it is settled."""
        group = groups.pop()
        try:
            made.vectors[group] = await self._ask([texts[place] for place in group])
            made.taken += group
        except InputRefused as refused:
            if len(group) > 1:
                half = len(group) // 2
                groups += [group[half:], group[:half]]
                return False
            made.refused[group[0]] = refused.code
            if len(made.refused) >= _NOT_THE_TEXTS and not made.taken:
                raise _takes_nothing(refused) from refused
        except Fault as fault:
            if not made.taken:
                raise
            made.fault = fault
            return False
        return True

    async def _ask(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.run.check()
        await self.turns.give_way(self.urgency)
        with self.turns.working(self.urgency):
            return await self._watched(texts)

    async def _watched(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One call, which is ended as soon as the run is: a provider may take two minutes over it, and money."""
        over = threading.Event()
        embed = partial(self.embedder.embed, texts, spent=self.took.spend, go_on=lambda: not over.is_set())
        call = asyncio.create_task(asyncio.to_thread(embed))
        try:
            while not call.done():
                self.run.check()
                await asyncio.wait({call}, timeout=_LOOK)
        except Cancelled:
            over.set()
            await asyncio.gather(call, return_exceptions=True)
            raise
        finally:
            over.set()
            call.cancel()
        return call.result()


def _takes_nothing(refused: InputRefused) -> Permanent:
    message = f"The embedding provider takes no text at all ({refused.code}): check the model's settings."
    return Permanent("embedder_rejected", message)


@dataclass(frozen=True)
class Account:
    """What one shard took: texts embedded, and the chunks that have words and no vector (id, path, code)."""

    embedded: int = 0
    without: Sequence[Mapping[str, str]] = ()
    tokens: int = 0
    dollars: float | None = None

    def counts(self, chunks: int) -> dict[str, int]:
        """The numbers that are recorded of so many chunks; of those without a vector also by the reason."""
        counts = {"chunks": chunks, "embedded": self.embedded, "reused": chunks - self.embedded - len(self.without)}
        if self.without:
            counts[NOT_EMBEDDED] = len(self.without)
            counts |= Counter(f"{NOT_EMBEDDED}.{one['code']}" for one in self.without)
        return counts | ({"tokens": self.tokens} if self.tokens else {})

    def facts(self, most: int) -> dict[str, object]:
        """What else is recorded: at most so many of the chunks without a vector, and dollars."""
        facts: dict[str, object] = {NOT_EMBEDDED: [dict(one) for one in self.without[:most]]} if self.without else {}
        return facts | ({"cost_usd": round(self.dollars, 8)} if self.dollars is not None else {})
