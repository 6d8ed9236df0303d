"""Tables of vectors as artifacts: one row a chunk, with the hash of the text that was embedded."""

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from events.artifacts import VectorRow
from rag_manager.rows.embeddings import VectorPlace
from runtime.faults import Permanent
from runtime.objects import Objects
from runtime.parquet import read_table, schema_of, write_table

_NUMBERS = "vector.list.element"  # of all vectors: the path of the column in Parquet
MODEL_KEY = b"repostream.model"  # which model made the vectors: in the artifact's schema metadata


async def stored_vectors(
    objects: Objects, places: Mapping[str, VectorPlace], dimension: int
) -> dict[str, NDArray[np.float32]]:
    """The vectors at these places; what cannot be read any more is left out, and embedded again."""
    by_artifact: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for hash_, place in places.items():
        by_artifact.setdefault((place.key, place.sha256), []).append((hash_, place.row))
    found: dict[str, NDArray[np.float32]] = {}
    for (key, sha256), rows in by_artifact.items():
        try:
            table = await asyncio.to_thread(read_table, await objects.get(key, sha256), ["vector"])
        except Permanent:
            continue
        matrix = vectors_of(table, dimension)
        found |= {hash_: matrix[row] for hash_, row in rows if row < len(matrix)}
    return found


def vectors_of(table: pa.Table, dimension: int) -> NDArray[np.float32]:
    """The vectors of a table of VectorRow, shape (rows, dimension)."""
    flat = table.column("vector").combine_chunks().flatten()
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, dimension)


def vectors_table(
    ids: Sequence[str], hashes: Sequence[str], found: Mapping[str, NDArray[np.float32]], model: str, width: int
) -> bytes:
    """A table of VectorRow, as Parquet: the vectors `found` of length `width` by the hashes of the chunks' texts."""
    flat = np.concatenate([found[hash_] for hash_ in hashes]) if hashes else np.empty(0, np.float32)
    offsets = np.arange(0, len(hashes) * width + 1, width, dtype=np.int32)
    schema = schema_of(VectorRow).with_metadata({MODEL_KEY: model.encode()})
    vectors = pa.ListArray.from_arrays(offsets, pa.array(flat, pa.float32()))
    return write_table(
        pa.Table.from_arrays(
            [pa.array(ids, pa.large_string()), pa.array(hashes, pa.large_string()), vectors], schema=schema
        ),
        floats=_NUMBERS,
    )
