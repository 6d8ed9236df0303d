"""A model of which only what it said is known. Implements `Embedder` for a sandbox."""

from collections.abc import Callable, Sequence
from typing import NoReturn

from events.replay.sandbox import not_recorded
from rag_manager.ports import Embedder, Spent, always, uncounted


class RecordedEmbedder:
    """Has the name of a model, by which its recorded vectors are taken; a text without one is refused."""

    def __init__(self, of: Embedder) -> None:
        self.name = of.name
        self.dimension = of.dimension
        self.max_batch, self.max_characters = of.max_batch, of.max_characters

    def embed(
        self,
        texts: Sequence[str],
        *,
        question: bool = False,
        spent: Callable[[Spent], None] = uncounted,
        go_on: Callable[[], bool] = always,
    ) -> NoReturn:
        """Raises Permanent `effect_not_recorded`."""
        raise not_recorded(f"The vector of {len(texts)} texts by {self.name}")

    def close(self) -> None:
        """Nothing is open."""
