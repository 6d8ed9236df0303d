"""A checked out project, parsed and linked as the stages do it."""

from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.parse import sources
from events.artifacts import EdgeRow, SymbolRow
from processor.linking.own_modules import is_wanted, known_of
from processor.stages.link import Linked, Repository, link
from processor.stages.parse import parse_source
from runtime.parquet import schema_of


class Project:
    """What the stages say of a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.languages: dict[str, str | None] = {}
        self.symbols: list[dict[str, Any]] = []
        edges: list[dict[str, Any]] = []
        manifests = []
        for row in sources(root):
            self.languages[row.path] = row.language
            if is_wanted(row.path):
                manifests.append((row.path, row.content))
            parsed = parse_source(row)
            self.symbols += parsed.symbols
            edges += parsed.edges
        self._edges = pa.Table.from_pylist(edges, schema=schema_of(EdgeRow))
        self._known = known_of(manifests, {})

    @cached_property
    def linked(self) -> Linked:
        """The graph."""
        symbols = pa.Table.from_pylist(self.symbols, schema=schema_of(SymbolRow))
        return link(Repository(self.languages, lambda: [(0, symbols)], lambda: [(0, self._edges)], self._known))

    def links(self) -> list[dict[str, Any]]:
        """Rows of calls, inheritances and other uses."""
        rows: list[dict[str, Any]] = self.linked.links.to_pylist()
        return rows

    def imports(self) -> list[dict[str, Any]]:
        """Rows of imports."""
        rows: list[dict[str, Any]] = self.linked.imports.to_pylist()
        return rows

    def symbols_by_file(self) -> dict[str, list[dict[str, Any]]]:
        """Definitions by path."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for symbol in self.symbols:
            found[str(symbol["path"])].append(symbol)
        return found
