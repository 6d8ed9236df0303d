"""Tables to Parquet bytes: however they come, the bytes are those of the whole."""

from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.artifacts import ConnectionRow
from runtime.parquet import LARGE_GROUP, TableWriter, batches_in, read_table, schema_of, shape_of, write_table

_COLUMNS = ("path", "imports", "imported_by", "calls", "called_by")


def connections(count: int) -> pa.Table:
    rows = [ConnectionRow.model_construct(path=f"f{n % 7}.py", **dict.fromkeys(_COLUMNS[1:], n)) for n in range(count)]
    columns = [pa.array([getattr(row, f.name, 0) for row in rows], f.type) for f in schema_of(ConnectionRow)]
    return pa.Table.from_arrays(columns, schema=schema_of(ConnectionRow))


@settings(deadline=None)
@given(st.lists(st.integers(0, 900), max_size=6))
def test_blocks_give_the_bytes_of_the_whole_wherever_it_is_cut(sizes: list[int]) -> None:
    whole = connections(sum(sizes))
    writer = TableWriter(whole.schema)
    at = 0
    for size in sizes:
        writer.add(whole.slice(at, size))
        at += size

    written = writer.finish()

    assert written.content == write_table(whole)
    assert written.num_rows == whole.num_rows
    assert read_table(written.content).equals(whole)
    assert written.to_pylist() == whole.to_pylist()


def test_rows_that_are_compressed_by_larger_groups_are_the_same_and_cost_less_index() -> None:
    whole = connections(20_000)
    writer = TableWriter(whole.schema, LARGE_GROUP)
    for at in range(0, 20_000, 300):
        writer.add(whole.slice(at, 300))

    written = writer.finish()

    small, large = (pq.ParquetFile(pa.BufferReader(one)).metadata for one in (write_table(whole), written.content))
    assert read_table(written.content).equals(whole)
    assert (small.num_row_groups, large.num_row_groups) == (40, 3)
    assert large.serialized_size < small.serialized_size / 5


@settings(deadline=None)
@given(st.integers(0, 2_000), st.integers(1, 900))
def test_rows_come_a_block_at_a_time_and_are_those_of_the_whole(count: int, size: int) -> None:
    whole = connections(count)
    content = write_table(whole)

    batches = list(batches_in(content, _COLUMNS, size))

    assert all(0 < batch.num_rows <= size for batch in batches)
    assert pa.Table.from_batches(batches, whole.select(_COLUMNS).schema).equals(whole.select(_COLUMNS))
    assert shape_of(content) == (count, whole.column_names)


def test_a_damaged_page_is_a_value_error() -> None:
    content = bytearray(write_table(connections(2_000)))
    content[40:400] = bytes(360)

    with pytest.raises(ValueError, match=r"\w"):
        list(batches_in(bytes(content), _COLUMNS))


@pytest.mark.parametrize("at", range(9, 200, 5))
def test_a_damaged_end_is_a_value_error_or_none_at_all(at: int) -> None:
    content = bytearray(write_table(connections(2_000)))
    content[-at] = 0xFF

    with suppress(ValueError):
        shape_of(bytes(content))
        list(batches_in(bytes(content), _COLUMNS))
