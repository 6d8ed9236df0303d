"""What the index needs of the world outside, as Protocols. Implementations are in `adapters/`."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Embedder(Protocol):
    """Turns texts into vectors whose dot product is their similarity.

    Synchronous and bound to the processor: a caller on an event loop runs it in a thread. Safe to call from several
    threads. The same text gives the same vector whatever it is embedded with, up to rounding.
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

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return shape (len(texts), dimension), float32; each row has length 1, also that of an empty text."""
        ...
