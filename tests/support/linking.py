"""A repository drawn as texts, parsed and linked as the stages do it."""

from collections.abc import Mapping

import pyarrow as pa

from events.artifacts import EdgeRow, SymbolRow
from processor.linking.meanings import Known
from processor.stages.link import Linked, Repository, link
from processor.stages.parse import parse_source
from runtime.parquet import schema_of
from tests.support.sources import a_source


def linked(files: Mapping[str, str], known: Known | None = None) -> Linked:
    """What parsing and linking say of the files, one shard for each."""
    parsed = [(path, parse_source(a_source(path, text))) for path, text in files.items()]
    languages = {path: a_source(path, text).language for path, text in files.items()}
    symbols = [pa.Table.from_pylist(one.symbols, schema=schema_of(SymbolRow)) for _, one in parsed]
    edges = [pa.Table.from_pylist(one.edges, schema=schema_of(EdgeRow)) for _, one in parsed]
    return link(Repository(languages, lambda: enumerate(symbols), lambda: enumerate(edges), known or Known()))
