"""Resolve what the files of a repository say of each other: imports to files, calls and other uses to definitions.

In:  the tree, symbols and edges of every shard, the dependencies, and manifests that name the repository's own modules.
Out: `imports`, `links` and `connections`, as Parquet with the schemas of their row classes, and facts.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc

from events.artifacts import ConnectionRow, ImportRow, LinkRow
from processor.linking.calls import Calls, Found, Use
from processor.linking.files import Files
from processor.linking.graph import FileGraph, FileMeasures
from processor.linking.levels import OVERLOADED, level_of
from processor.linking.meanings import Imported, Known, Meaning
from processor.linking.modules import Modules
from processor.linking.names import Names
from processor.linking.symbols import Definition, Symbols
from runtime.memory import give_back
from runtime.parquet import LARGE_GROUP, TableWriter, Written, schema_of

SYMBOL_COLUMNS = ("path", "kind", "name", "qualified_name", "signature")
MEASURE_COLUMNS = ("path", "kind", "complexity", "code_lines")
_LATER = ("receiver", "receiver_type", "module", "name", "alias", "level")
EDGE_COLUMNS = ("path", "kind", "source", "target", "line", *_LATER)
_PACKAGE = ("path", "kind", "target")
_JVM = frozenset({"java", "kotlin", "scala"})
_ADDED = {"receiver": "", "receiver_type": "", "module": "", "name": "", "alias": "", "level": 0}
_BLOCK = 2_000  # rows that are objects at a time
_MADE = frozenset({"call", "inherit"})
_USES = _MADE | {"use"}
_NOT_FOUND = Found(-1, 0.0)
_MEASURED = {"complexity": 0, "code_lines": 0}

Tables = Callable[[], Iterable[tuple[int, pa.Table]]]
Look = Callable[[str], None]


@dataclass(frozen=True)
class Repository:
    """What is linked. `symbols` and `edges` give (shard, table) each time that they are asked; `paths` → language."""

    paths: Mapping[str, str | None]
    symbols: Tables
    edges: Tables
    known: Known


@dataclass
class Linked:
    """The tables, and what is said of the whole."""

    imports: Written
    links: Written
    connections: Written
    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)


def link(repository: Repository, look: Look = lambda _: None) -> Linked:
    """Return the graph of a repository. Pure: the same rows give the same tables.

    What is kept are compressed cards of the files, a few bytes for each definition and pair of files; edges are read
    shard by shard, and what is made of them is kept as compressed bytes.
    """
    files = Files(list(repository.paths), list(repository.paths.values()))
    if _JVM.intersection(repository.paths.values()):
        for shard, table in repository.edges():
            look(f"packages, shard {shard}")
            _add_packages(files, table)
    measures, graph = FileMeasures(len(files.paths)), FileGraph(files)
    imports, links, counts = _resolved(repository, files, measures, graph, look)
    gc.collect()  # all that was known of definitions and names, which refer to each other in circles
    give_back()
    connections = TableWriter(schema_of(ConnectionRow))
    connections.add(measures.table(files, graph))
    facts: dict[str, object] = {"graph": counts, "connected": graph.most_connected(), "modules": graph.folders()}
    return Linked(imports, links, connections.finish(), dict(counts), facts)


def _resolved(
    repository: Repository, files: Files, measures: FileMeasures, graph: FileGraph, look: Look
) -> tuple[Written, Written, dict[str, int]]:
    """Imports, links, and how many of each kind there are; the graph and the measures are filled in."""
    symbols = Symbols(files)
    for shard, table in repository.symbols():
        look(f"definitions, shard {shard}")
        _add_symbols(symbols, measures, files, shard, table)
    symbols.close()
    give_back()
    modules = Modules(files, repository.known, symbols)
    names = Names(symbols, modules)
    imports = _Imports(files, modules, names, graph)
    for shard, table in repository.edges():
        look(f"imports, shard {shard}")
        imports.read(table)
    imported = imports.written()
    give_back()
    calls = _Links(symbols, Calls(names), graph)
    for shard, table in repository.edges():
        look(f"calls, shard {shard}")
        calls.read(table)
    return imported, calls.written(), {**imports.counts, **calls.counts}


def _rows(table: pa.Table, columns: Iterable[str], missing: Mapping[str, object]) -> Iterator[tuple[object, ...]]:
    """The rows of some columns, a block at a time; a column that an older artifact does not have is its default."""
    names = list(columns)
    for batch in table.select([name for name in names if name in table.column_names]).to_batches(max_chunksize=_BLOCK):
        held = {name: batch.column(name).to_pylist() for name in batch.schema.names}
        yield from zip(*(held.get(name) or [missing[name]] * batch.num_rows for name in names), strict=True)


def _add_packages(files: Files, table: pa.Table) -> None:
    said = table.select(_PACKAGE).filter(pc.equal(table["kind"], "package"))
    of_files: dict[int, list[str]] = {}
    for path, _, package in _rows(said, _PACKAGE, {}):
        file = files.number.get(str(path))
        if file is not None:
            of_files.setdefault(file, []).append(str(package))
    for file, parts in of_files.items():
        files.put_in(".".join(parts), file)


def _add_symbols(symbols: Symbols, measures: FileMeasures, files: Files, shard: int, table: pa.Table) -> None:
    number_of = files.number
    rows = enumerate(_rows(table, SYMBOL_COLUMNS, {}))
    for name, of_file in groupby(rows, key=lambda row: str(row[1][0])):
        file = number_of.get(name)
        if file is not None:
            symbols.add(file, shard, (_definition(place, *row) for place, row in of_file))
    for path, kind, complexity, lines in _rows(table, MEASURE_COLUMNS, _MEASURED):
        file = number_of.get(str(path))
        if file is not None and kind in {"function", "method"}:
            measures.add(file, _int(complexity), _int(lines))


def _definition(place: int, _path: object, *row: object) -> Definition:
    kind, name, qualified, signature = map(str, row)
    return Definition(kind, name, qualified, signature, place)


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


class _Imports:
    """Reads imports, bases and types out of edges; resolves the imports."""

    def __init__(self, files: Files, modules: Modules, names: Names, graph: FileGraph) -> None:
        self._files, self._modules, self._names, self._graph = files, modules, names, graph
        self._columns: dict[str, list[object]] = {name: [] for name in ImportRow.model_fields}
        self._writer = TableWriter(schema_of(ImportRow), LARGE_GROUP)
        self._file = -1
        self._meanings: dict[Imported, Meaning] = {}  # of one file
        self.counts: Counter[str] = Counter()

    def read(self, table: pa.Table) -> None:
        """Take in the edges of one shard."""
        for row in _rows(table, EDGE_COLUMNS, _ADDED):
            path, kind, source, target, line, _receiver, _type, module, name, alias, level = row
            file = self._files.number.get(str(path))
            if file is None:
                continue
            if kind == "import":
                # An older artifact has the target alone.
                said = (str(module) or ("" if level else str(target).lstrip(".")), str(name), str(alias))
                self._import(Imported(file, *said, _int(level), _int(line)), str(target))
            elif kind == "inherit":
                self._names.inherit(file, str(source or ""), str(target))
            elif kind == "typed":
                self._names.type_field(file, str(source or ""), str(name), str(target))
        self._writer.add(pa.table(self._columns, schema=schema_of(ImportRow)))
        for column in self._columns.values():
            column.clear()
        self._names.keep()

    def _import(self, imported: Imported, written: str) -> None:
        key = imported._replace(alias="", line=0)
        meaning = self._meanings.get(key)
        if meaning is None:
            if imported.file != self._file:
                self._file = imported.file
                self._meanings.clear()
            meaning = self._meanings[key] = self._modules.resolve(imported)
        self._names.bind(imported, meaning)
        self._graph.imported(imported.file, meaning.file)
        self.counts[f"imports.{meaning.what}"] += 1
        row = {
            "path": self._files.paths[imported.file],
            "line": imported.line,
            "written": written,
            "module": imported.module,
            "name": imported.name,
            "alias": imported.alias,
            "level": imported.level,
            "resolution": meaning.what,
            "target": meaning.target,
            "confidence": meaning.confidence,
        }
        for name, value in row.items():
            self._columns[name].append(value)

    def written(self) -> Written:
        return self._writer.finish()


class _Links:
    """Resolves calls, inheritances and other uses: of these one from each definition, where it does not call it too."""

    def __init__(self, symbols: Symbols, calls: Calls, graph: FileGraph) -> None:
        self._symbols, self._calls, self._graph = symbols, calls, graph
        self._writer = TableWriter(schema_of(LinkRow), LARGE_GROUP)
        self.counts: Counter[str] = Counter()

    def read(self, table: pa.Table) -> None:
        """Resolve the edges of one shard."""
        columns: dict[str, list[object]] = {name: [] for name in LinkRow.model_fields}
        for _, uses in groupby(self._uses(table), key=lambda each: each[0].file):
            for use, found, line in self._of_file(list(uses)):
                for name, value in self._row(use, found, line).items():
                    columns[name].append(value)
        self._writer.add(pa.table(columns, schema=schema_of(LinkRow)))

    def _uses(self, table: pa.Table) -> Iterator[tuple[Use, int]]:
        """What may lead to a definition, with its line; of an import the name that it brings."""
        for row in _rows(table, EDGE_COLUMNS, _ADDED):
            path, kind, source, target, line, receiver, type_, _module, name, alias, _level = row
            file = self._symbols.files.number.get(str(path))
            if file is None or (kind not in _USES and not (kind == "import" and name and name != "*")):
                continue
            written = (alias or name) if kind == "import" else target
            yield Use(file, str(kind), str(source or ""), str(written), str(receiver), str(type_)), _int(line)

    def _of_file(self, uses: list[tuple[Use, int]]) -> Iterator[tuple[Use, Found, int]]:
        """The uses of one file that lead to definitions.

        Names that are not called count once for each definition that they are in and lead to, and only where it is
        sure; what an import brings counts where nothing else in the file leads to it.
        """
        known: set[tuple[str, int]] = set()
        for use, line in uses:
            if use.kind in _MADE:
                found = self._calls.find(use)
                self._count(use, found)
                if found.number >= 0:
                    self._graph.called(use.file, self._symbols.file[found.number])
                    known.add((use.source, found.number))
                    yield use, found, line
        reached = {number for _, number in known}
        others = [(use, line) for use, line in uses if use.kind not in _MADE and self._calls.leads_in(use)]
        for kind in ("use", "import"):
            for use, line in others:
                found = self._calls.find(use) if use.kind == kind else _NOT_FOUND
                is_new = (use.source, found.number) not in known if kind == "use" else found.number not in reached
                if found.confidence < OVERLOADED or not is_new or self._is_itself(use, found):
                    continue
                known.add((use.source, found.number))
                reached.add(found.number)
                self.counts[f"uses.{level_of(found.confidence)}"] += 1
                yield use, found, line

    def _is_itself(self, use: Use, found: Found) -> bool:
        return self._symbols.in_file(use.file).get(use.source, -1) == found.number

    def _count(self, use: Use, found: Found) -> None:
        said = level_of(found.confidence) if found.number >= 0 else found.why
        self.counts[f"{use.kind}s.{said}"] += 1

    def _row(self, use: Use, found: Found, line: int) -> dict[str, object]:
        symbols = self._symbols
        source = symbols.in_file(use.file).get(use.source, -1)
        shard, place = symbols.place(source) if source >= 0 else (-1, -1)
        target_shard, target_place = symbols.place(found.number)
        return {
            "kind": use.kind,
            "path": symbols.files.paths[use.file],
            "line": line,
            "source": use.source,
            "source_shard": shard,
            "source_ordinal": place,
            "target_path": symbols.files.paths[symbols.file[found.number]],
            "target": symbols.qualified(found.number),
            "target_shard": target_shard,
            "target_ordinal": target_place,
            "confidence": found.confidence,
            "level": level_of(found.confidence),
        }

    def written(self) -> Written:
        return self._writer.finish()
