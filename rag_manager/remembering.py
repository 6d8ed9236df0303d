"""What was made a moment ago, kept in memory: bounded, for a while, and made once however many ask at the same time.

Behind the memory of a process is the one that all processes share.
"""

import asyncio
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Container, Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar
from uuid import UUID

from events.question import SearchReply, SearchRequest
from rag_manager.ports import SharedMemory
from rag_manager.rows.reading import Served
from runtime.metrics import cache_lookups

MOST_KEPT = 500  # replies to searches, of about 20 KB each; embedded questions
KEPT = 300.0  # seconds
Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class Remembered(Generic[Key, Made]):
    """At most `most` things under `name` (of the metric), each for `seconds`; those that were asked for last stay."""

    def __init__(self, name: str, *, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[Key, tuple[float, Made]] = OrderedDict()
        self._making: dict[Key, asyncio.Task[Made]] = {}

    def __len__(self) -> int:
        """How many are kept, also those whose time is over."""
        return len(self._kept)

    async def get(
        self, key: Key, make: Callable[[], Awaitable[Made]], *, keeps: Callable[[Made], bool] = lambda _: True
    ) -> Made:
        """What is kept under `key`, or what `make` gives, which is then kept where `keeps` says so.

        Who asks while it is being made waits for the same; a failure is everybody's, and not kept.
        """
        until, made = self._kept.get(key, (0.0, None))
        if made is not None and until > self._clock():
            self._kept.move_to_end(key)
            cache_lookups.labels(self._name, "hit").inc()
            return made
        making = self._making.get(key)
        cache_lookups.labels(self._name, "miss" if making is None else "shared").inc()
        if making is None:
            making = self._making[key] = asyncio.create_task(self._make(key, make, keeps))
            making.add_done_callback(_looked_at)
        return await asyncio.shield(making)  # whoever gives up leaves it to the others

    @property
    def keys(self) -> frozenset[Key]:
        """Of what is kept, also of what is over."""
        return frozenset(self._kept)

    def forget(self, gone: Callable[[Key], bool]) -> None:
        """Let go of what is kept under keys that are `gone`, and of all whose time is over."""
        now = self._clock()
        for key in [key for key, (until, _) in self._kept.items() if until <= now or gone(key)]:
            del self._kept[key]

    async def _make(self, key: Key, make: Callable[[], Awaitable[Made]], keeps: Callable[[Made], bool]) -> Made:
        try:
            made = await make()
        finally:
            del self._making[key]
        if keeps(made):
            self._kept[key] = (self._clock() + self._seconds, made)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


@dataclass(frozen=True)
class Asked:
    """What was asked, and of which state of what: another generation, or an index that was added to, is another key."""

    tenant_id: UUID
    analysis_id: UUID
    lexicon_sha256: str
    generation_id: UUID
    what: str

    @property
    def of(self) -> tuple[UUID, UUID, str]:
        """Whose it is: it goes with these."""
        return self.tenant_id, self.analysis_id, self.lexicon_sha256


def asked_of(request: SearchRequest, served: Served, what: Sequence[object]) -> Asked:
    """The key of `what` is asked of that which serves."""
    state = (request.tenant_id, served.analysis_id, served.lexicon_sha256, served.generation_id)
    return Asked(*state, json.dumps(what))


@dataclass(frozen=True)
class Form(Generic[Made]):
    """How something is written, and read again; reading raises ValueError where it was written otherwise."""

    write: Callable[[Made], bytes]
    read: Callable[[bytes], Made]


class Recalled(Generic[Made]):
    """The memory of this process under `name`, and behind it the shared one, where there is one."""

    def __init__(self, own: Remembered[Asked, Made], name: str, shared: SharedMemory | None, form: Form[Made]) -> None:
        self._own = own
        self._name = f"{name}, shared"
        self._shared = shared
        self._form = form

    def __len__(self) -> int:
        """How many are kept here."""
        return len(self._own)

    async def get(
        self, asked: Asked, make: Callable[[], Awaitable[Made]], *, keeps: Callable[[Made], bool] = lambda _: True
    ) -> Made:
        """As `Remembered.get`."""
        return await self._own.get(asked, lambda: self._from_all(asked, make, keeps), keeps=keeps)

    def keep(self, there: Container[tuple[UUID, UUID, str]]) -> None:
        """Let go of what is of analyses that are not `there` (tenant, analysis, digest of its lexicon) any more."""
        self._own.forget(lambda asked: asked.of not in there)

    async def _from_all(self, asked: Asked, make: Callable[[], Awaitable[Made]], keeps: Callable[[Made], bool]) -> Made:
        if self._shared is None:
            return await make()
        here: list[Made] = []

        async def written() -> bytes | None:
            here.append(await make())
            return self._form.write(here[0]) if keeps(here[0]) else None

        state = f"{asked.lexicon_sha256}\n{asked.generation_id}\n{asked.what}"
        found = await self._shared.get(self._name, asked.tenant_id, asked.analysis_id, state, written)
        if here or found is None:
            return here[0] if here else await make()
        try:
            return self._form.read(found)
        except ValueError:  # by another release
            return await make()


def _looked_at(task: "asyncio.Task[object]") -> None:
    if not task.cancelled():
        task.exception()  # nobody may be left to hear of it


@cache
def reply_shape() -> str:
    """What a reply of this release looks like: those of another are not taken."""
    return hashlib.sha256(json.dumps(SearchReply.model_json_schema()).encode()).hexdigest()


def may_be_kept(reply: SearchReply) -> bool:
    """Whether it holds as long as its generation.

    A search in part does not, nor one for an edge of the graph, nor one from before the graph was made.
    """
    return reply.degraded is None and reply.settled and all(step.retriever != "graph" for step in reply.plan)
