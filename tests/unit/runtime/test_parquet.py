"""Tables to Parquet bytes: however they come, the bytes are those of the whole."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from events.artifacts import ConnectionRow
from runtime.parquet import TableWriter, read_table, schema_of, write_table

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
