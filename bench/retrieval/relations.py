"""Questions that the graph answers, and their answers: taken from the edges that the product's own stages find.

What is graded is whether a question is understood and its places come up; how right the edges are is graded in
bench/results/facts.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from bench.retrieval.question_sets import Asked
from events.artifacts import EdgeRow, SourceRow, SymbolRow
from processor.linking.own_modules import is_wanted, known_of
from processor.stages.link import Linked, Repository, link
from processor.stages.parse import Parsed
from rag_manager.stages.follow_relation import Edge
from rag_manager.stages.read_relation import Relation
from runtime.parquet import schema_of

FEWEST, MOST = 2, 12  # right places of one question: one may be the definition itself, more fit on no page
Row = Mapping[str, object]


@dataclass(frozen=True)
class Graph:
    """The links and definitions of one repository."""

    links: Sequence[Row]
    symbols: Sequence[Row]

    def around(self, relation: Relation) -> list[Edge]:
        """What `rows.graph.edges_around` reads, of links alone."""
        named = {
            n
            for n, row in enumerate(self.symbols)
            if str(row["name"]).lower() == relation.last and _owned(row, relation)
        }
        inside = named | {
            n for n, row in enumerate(self.symbols) for outer in named if _holds(self.symbols[outer], row)
        }
        into = [(row, True) for row in self.links if row["target_ordinal"] in named]
        out = [(row, False) for row in self.links if row["source_ordinal"] in inside]
        return [
            Edge(
                kind=str(row["kind"]),
                incoming=incoming,
                path=str(row["path"]),
                line=_int(row["line"]),
                target_path=str(row["target_path"]),
                target_line=_int(self.symbols[_int(row["target_ordinal"])]["first_line"]),
                confidence=float(str(row["confidence"])),
            )
            for row, incoming in sorted([*into, *out], key=lambda item: -float(str(item[0]["confidence"])))
        ]


def graph_of(sources: Sequence[SourceRow], parsed: Sequence[Parsed]) -> Graph:
    """Link a repository's files."""
    symbols = [row for each in parsed for row in each.symbols]
    edges = [row for each in parsed for row in each.edges]
    tables = (
        pa.Table.from_pylist(symbols, schema=schema_of(SymbolRow)),
        pa.Table.from_pylist(edges, schema=schema_of(EdgeRow)),
    )
    known = known_of([(source.path, source.content) for source in sources if is_wanted(source.path)], {})
    paths = {source.path: source.language for source in sources}
    linked: Linked = link(Repository(paths, lambda: [(0, tables[0])], lambda: [(0, tables[1])], known))
    return Graph(linked.links.to_pylist(), symbols)


def relation_questions(graph: Graph, classes: Mapping[str, str]) -> Iterator[Asked]:
    """Questions about names that one definition has, in code that is no test, with their places."""
    counted: dict[str, int] = {}
    for row in graph.symbols:
        counted[str(row["name"]).lower()] = counted.get(str(row["name"]).lower(), 0) + 1
    callers: dict[int, set[tuple[str, int]]] = {}
    heirs: dict[int, set[tuple[str, int]]] = {}
    callees: dict[int, set[tuple[str, int]]] = {}
    for link_row in graph.links:
        if classes.get(str(link_row["path"])) != "code":
            continue
        target, source = _int(link_row["target_ordinal"]), _int(link_row["source_ordinal"])
        place = (str(link_row["path"]), _int(link_row["line"]))
        (callers if link_row["kind"] == "call" else heirs).setdefault(target, set()).add(place)
        if link_row["kind"] == "call" and source >= 0:
            there = graph.symbols[target]
            callees.setdefault(source, set()).add((str(there["path"]), _int(there["first_line"])))
    for found, written in (
        (callers, "Who calls {}?"),
        (heirs, "Which classes inherit from {}?"),
        (callees, "What does {} call?"),
    ):
        for number, places in sorted(found.items()):
            row = graph.symbols[number]
            name = str(row["name"])
            if classes.get(str(row["path"])) == "code" and counted[name.lower()] == 1 and FEWEST <= len(places) <= MOST:
                spans = tuple((path, line, line) for path, line in sorted(places))
                yield Asked(written.format(name), frozenset(path for path, _ in places), spans, written.split()[1])


def _owned(row: Row, relation: Relation) -> bool:
    return relation.owner in f"{row['qualified_name']} {row['path']}".lower()


def _holds(outer: Row, row: Row) -> bool:
    return outer["path"] == row["path"] and _int(outer["first_line"]) <= _int(row["first_line"]) <= _int(
        outer["last_line"]
    )


def _int(value: object) -> int:
    return int(str(value))
