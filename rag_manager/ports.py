"""What the index needs of the world outside, as Protocols. Implementations are in `adapters/`."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray


class InputRefused(Exception):
    """What embeds does not take these texts, for what one of them is: alone, the others are taken."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Spent:
    """What one call of somebody else's model took; `dollars` is None where nobody said what it costs."""

    tokens: int
    dollars: float | None = None


def uncounted(_spent: Spent) -> None:
    """Take no notice of what was spent."""


def always() -> bool:
    """Go on, whatever comes."""
    return True


class Embedder(Protocol):
    """Turns texts into vectors whose dot product is their similarity.

    Synchronous: a caller on an event loop runs it in a thread. Safe to call from several threads. The same text gives
    the same vector whatever it is embedded with, up to rounding.
    """

    @property
    def name(self) -> str:
        """Identity of the model, with its version or hash. Vectors of different names must never meet."""
        ...

    @property
    def dimension(self) -> int:
        """Length of each vector."""
        ...

    @property
    def max_batch(self) -> int:
        """The most texts to hand over in one call: about a second's work, so that progress and cancelling stay live."""
        ...

    @property
    def max_characters(self) -> int:
        """The most characters of all texts of one call together; one text alone may have more, and is cut."""
        ...

    def embed(
        self,
        texts: Sequence[str],
        *,
        question: bool = False,
        spent: Callable[[Spent], None] = uncounted,
        go_on: Callable[[], bool] = always,
    ) -> NDArray[np.float32]:
        """Return shape (len(texts), dimension), float32; each row has length 1, also that of an empty text.

        `question`: somebody waits, and models that tell questions from what answers them are told which it is. `spent`
        hears what a call took that is paid for. A call that leaves the machine ends as Transient soon after `go_on`,
        which it asks ten times a second, says no. Raises InputRefused, or a Fault where the model cannot be asked.
        """
        ...

    def close(self) -> None:
        """Let go of connections and threads; a call under way may fail as Transient. Nothing is asked of it later."""
        ...


class OpenLexicon(Protocol):
    """A sealed lexical index, open for searching. Safe to use from several threads."""

    def search(self, tokens: Sequence[str], limit: int) -> list[tuple[int, float]]:
        """Return at most `limit` (document number, BM25 score) for any of `tokens`, best first."""
        ...

    def frequencies(self, tokens: Sequence[str]) -> list[int]:
        """Return in how many documents each of `tokens` is."""
        ...


@dataclass(frozen=True)
class LexiconPart:
    """Some documents that are always indexed together. `name` is a digest (hex) of what they are made from.

    `documents` gives lines of blank-separated tokens, `size` of them; it is called where they have to be indexed.
    """

    name: str
    size: int
    documents: Callable[[], Iterable[str]]


class Lexicon(Protocol):
    """Builds lexical indexes as one blob each, and opens them again. Synchronous, bound to processor and disk."""

    @property
    def recipe(self) -> str:
        """What makes an index of documents: a blob of another recipe is of no use to `build`."""
        ...

    def build(self, parts: Sequence[LexiconPart], earlier: bytes | None = None) -> tuple[bytes, int]:
        """Return a sealed index over all parts, and how many of its documents were taken from the blob `earlier`.

        A document's number is its place in all parts together. What is found and how it is scored does not depend on
        what was taken over.
        """
        ...

    def open(self, name: str, packed: bytes | None) -> OpenLexicon:
        """Return the index that is kept by this name, from the disk cache or from `packed`.

        Raises LookupError where it is not cached (or the cached copy is damaged) and no blob was given.
        """
        ...

    def hold(self, documents: Iterable[str]) -> OpenLexicon:
        """Return an index of few documents that is in memory alone; each is a line of blank-separated tokens."""
        ...


class VectorsUnavailable(Exception):
    """The vector server is down, silent, or failing. Trying again later can help."""


class CollectionUnreadable(VectorsUnavailable):
    """The vector server answers, and of this collection with an error: slow or silent is something else."""


class CollectionMissing(LookupError):
    """No such collection: it was dropped, or the server lost its data."""


class Vectors(Protocol):
    """Collections of vectors that are searched by cosine. Every method may raise VectorsUnavailable."""

    async def create(self, collection: str) -> None:
        """Make an empty collection; one that is there is left as it is."""
        ...

    async def upsert(self, collection: str, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Write vectors, shape (len(ids), dimension), in batches; the same ids again change nothing else.

        Raises CollectionMissing.
        """
        ...

    async def count(self, collection: str) -> int:
        """Return how many vectors a collection has. Raises CollectionMissing."""
        ...

    async def query(
        self, collection: str, vector: NDArray[np.float32], limit: int, *, among: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        """Return at most `limit` (id, cosine distance), nearest first; of the ids `among` alone, where they are given.

        Raises CollectionMissing.
        """
        ...

    async def ids(self, collection: str) -> list[str]:
        """Return the ids of all vectors of a collection. Raises CollectionMissing."""
        ...

    async def get(self, collection: str, ids: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
        """Return which of `ids` are there, and their vectors in that order, shape (found, dimension).

        The numbers are those that were written, up to rounding. Raises CollectionMissing.
        """
        ...

    async def remove(self, collection: str, ids: Sequence[str]) -> None:
        """Remove vectors; what is not there is no error. Raises CollectionMissing."""
        ...

    async def drop(self, collection: str) -> None:
        """Remove a collection; a missing one is no error."""
        ...

    async def names(self) -> list[str]:
        """Return the names of all collections."""
        ...

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        ...


class SharedMemory(Protocol):
    """What was made a moment ago by any process of the installation."""

    async def get(
        self, name: str, tenant_id: UUID, analysis_id: UUID, asked: str, make: Callable[[], Awaitable[bytes | None]]
    ) -> bytes | None:
        """What is kept of what was `asked` of an analysis, or what `make` gives, which is then kept unless it is None.

        Of those who ask for the same at the same time one makes it. `name` is the metric's. Raises what `make` does.
        """
        ...
