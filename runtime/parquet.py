"""Rows to Parquet bytes and back. The schema is the row class: its fields and their annotations."""

import io
import types
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

Row = TypeVar("Row", bound=BaseModel)
_GROUP = 512  # rows that are compressed, and read, together
LARGE_GROUP = 8_192  # of short rows: each group costs a kilobyte of index a column, until its table ends

_SCALARS: dict[object, pa.DataType] = {
    str: pa.large_string(),
    int: pa.int64(),
    float: pa.float32(),
    bool: pa.bool_(),
    bytes: pa.large_binary(),
}


def _arrow_type(annotation: object) -> pa.DataType:
    if get_origin(annotation) in (Union, types.UnionType):
        return _arrow_type(next(arg for arg in get_args(annotation) if arg is not type(None)))
    if get_origin(annotation) in (list, tuple):
        return pa.list_(_arrow_type(get_args(annotation)[0]))
    return _SCALARS[annotation]


@cache
def schema_of(row: type[BaseModel]) -> pa.Schema:
    """The Arrow schema of a row class. Floats are 32-bit: they are vectors and scores, never money."""
    return pa.schema([pa.field(name, _arrow_type(field.annotation)) for name, field in row.model_fields.items()])


def write_rows(row: type[Row], rows: Iterable[Row]) -> bytes:
    """Parquet bytes of `rows`, the same bytes for the same rows."""
    return write_table(table_of(row, rows))


def table_of(row: type[Row], rows: Iterable[Row]) -> pa.Table:
    """The Arrow table of `rows`, whose fields are scalars and lists of scalars."""
    held, schema = list(rows), schema_of(row)
    columns = [pa.array([getattr(item, field.name) for item in held], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def write_table(table: pa.Table, *, floats: str | None = None) -> bytes:
    """Parquet bytes of an Arrow table. `floats`: as `TableWriter` has it."""
    writer = TableWriter(table.schema, floats=floats)
    writer.add(table)
    return writer.finish().content


class Written(NamedTuple):
    """A table as Parquet bytes."""

    content: bytes
    num_rows: int

    def to_pylist(self) -> list[dict[str, Any]]:
        """Its rows."""
        rows: list[dict[str, Any]] = read_table(self.content).to_pylist()
        return rows


class TableWriter:
    """Writes blocks of one table as they come, and holds their compressed bytes alone. How it was cut does not show.

    `group` rows are compressed together; fewer than that wait. `floats` is the path, in Parquet, of a column of 32-bit
    numbers nearly none of which repeat, in a table of which that is most: a dictionary of them would be larger than
    they are, and bytes of the same place in a number compress better together.
    """

    def __init__(self, schema: pa.Schema, group: int = _GROUP, *, floats: str | None = None) -> None:
        self._group = group
        self._sink = io.BytesIO()
        encoding = {"use_dictionary": False, "use_byte_stream_split": [floats]} if floats else {}
        self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd", **encoding)
        self._rest = schema.empty_table()
        self._rows = 0

    def add(self, block: pa.Table) -> None:
        """Write a block behind those before it."""
        self._rows += block.num_rows
        held = pa.concat_tables([self._rest, block]) if self._rest.num_rows else block
        whole = held.num_rows - held.num_rows % self._group
        if whole:
            self._writer.write_table(held.slice(0, whole), row_group_size=self._group)
        self._rest = held.slice(whole)

    def finish(self) -> Written:
        """All that was written."""
        if self._rest.num_rows or not self._rows:
            self._writer.write_table(self._rest, row_group_size=self._group)
        self._writer.close()
        return Written(self._sink.getvalue(), self._rows)


def read_table(content: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """The Arrow table in Parquet bytes, or those of some columns that it has: an older artifact has fewer."""
    file = pq.ParquetFile(pa.BufferReader(content))
    known = set(file.schema_arrow.names)
    return file.read(columns=[name for name in columns if name in known] if columns else None)


def read_rows(row: type[Row], content: bytes) -> list[Row]:
    """The rows in Parquet bytes. Trusted: an artifact's hash was checked, so rows are built without validation."""
    return list(each_row(row, content))


def each_row(row: type[Row], content: bytes) -> Iterator[Row]:
    """As `read_rows`, one row after the other: no more than a few hundred are unpacked at a time."""
    for batch in pq.ParquetFile(pa.BufferReader(content)).iter_batches(batch_size=_GROUP):
        for item in batch.to_pylist():
            yield row.model_construct(**item)


def columns_in(content: bytes) -> list[str]:
    """The names of the columns in Parquet bytes. Raises ValueError where they cannot be read."""
    return shape_of(content)[1]


def rows_in(content: bytes, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows in Parquet bytes one after the other, of no more than a few hundred of which there are objects."""
    for batch in batches_in(content, columns):
        yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


def batches_in(content: bytes, columns: Sequence[str], size: int = _GROUP) -> Iterator[pa.RecordBatch]:
    """The rows in Parquet bytes, `size` at a time: no others are unpacked. Raises ValueError where they cannot be."""
    with _readable():
        yield from pq.ParquetFile(pa.BufferReader(content)).iter_batches(batch_size=size, columns=list(columns))


def shape_of(content: bytes) -> tuple[int, list[str]]:
    """How many rows Parquet bytes have, and their columns' names; nothing else is read. Raises as `batches_in`."""
    with _readable():
        file = pq.ParquetFile(pa.BufferReader(content))
        return file.metadata.num_rows, list(file.schema_arrow.names)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:  # what Arrow says of damaged bytes, and of some as of a disk
        raise ValueError(str(error)) from error
