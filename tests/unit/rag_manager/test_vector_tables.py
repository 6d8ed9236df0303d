"""Tables of vectors as artifacts."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rag_manager.jobs.vector_tables import MODEL_KEY, vectors_of, vectors_table
from runtime.parquet import read_table

WIDTH = 64


def test_vectors_come_back_as_they_were_and_take_less_than_their_numbers() -> None:
    drawn = np.random.default_rng(7).normal(size=(1_500, WIDTH)).astype(np.float32)
    ids = [f"{number:032x}" for number in range(len(drawn))]

    content = vectors_table(ids, ids, dict(zip(ids, drawn, strict=True)), "a model", WIDTH)

    table = read_table(content)
    assert np.array_equal(vectors_of(table, WIDTH), drawn)
    assert table.column("chunk_id").to_pylist() == ids
    assert table.schema.metadata[MODEL_KEY] == b"a model"
    numbers = pq.ParquetFile(pa.BufferReader(content)).metadata.row_group(0).column(2)
    assert numbers.total_compressed_size < 512 * WIDTH * 4
    assert "BYTE_STREAM_SPLIT" in numbers.encodings


def test_a_table_of_no_vectors_has_its_columns() -> None:
    table = read_table(vectors_table([], [], {}, "a model", WIDTH))

    assert (table.num_rows, table.column_names) == (0, ["chunk_id", "text_sha256", "vector"])
