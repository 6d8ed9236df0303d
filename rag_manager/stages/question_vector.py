"""The vector of a question.

In:  the texts that say what is meant, and the model that embeds them.
Out: one vector; of a report that of all of it and of its first line, added up.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag_manager.ports import Embedder


def question_vector(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the vector of `texts`, shape (dimension,), of length 1 or nought. Raises what the embedder does."""
    vectors = embedder.embed(texts, question=True)
    total: NDArray[np.float32] = vectors[0] if len(vectors) == 1 else vectors.sum(axis=0)
    length = float(np.linalg.norm(total))
    return total / np.float32(length) if len(vectors) > 1 and length else total
