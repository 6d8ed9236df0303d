"""From the edges around a name to the places that answer a question for a relation.

In:  a relation, the edges of the graph that touch its name, the catalogue.
Out: chunks with how sure their edge is, best first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.read_relation import Relation, RelationKind

MOST = 200  # edges of one question


@dataclass(frozen=True)
class Edge:
    """One edge: `path` and `line` are where it is written, the target's where it leads to.

    `kind` is call, inherit, import or use (named without a call); `incoming` where it leads to what the question names,
    else it leads away from it.
    """

    kind: str
    incoming: bool
    path: str
    line: int
    target_path: str
    target_line: int
    confidence: float


_WANTED = {
    RelationKind.CALLERS: (("call", True),),
    RelationKind.USES: (("call", True), ("use", True), ("inherit", True), ("import", True)),
    RelationKind.CALLEES: (("call", False),),
    RelationKind.HEIRS: (("inherit", True),),
    RelationKind.BASES: (("inherit", False),),
    RelationKind.IMPORTERS: (("import", True),),
    RelationKind.IMPORTS: (("import", False),),
    RelationKind.DEPENDS: (("call", False), ("inherit", False), ("import", False)),
}
# Where the first has none: "who calls X" of a class that others inherit from or a callback that others hand on.
_ELSE = {
    RelationKind.CALLERS: (("use", True), ("inherit", True), ("import", True)),
    RelationKind.CALLEES: (("inherit", False), ("import", False)),
    RelationKind.IMPORTERS: (("call", True), ("use", True), ("inherit", True)),
}


def follow_relation(
    relation: Relation, edges: Sequence[Edge], catalogue: Catalogue, asked: frozenset[str] = frozenset()
) -> list[tuple[int, float]]:
    """Return (chunk, confidence), each chunk once: what works before tests and the like, sure before unsure. Pure.

    `asked` is what the question asks for beside (tests, examples …).
    """
    wanted = _WANTED.get(relation.kind, ())
    chosen = _chosen(edges, wanted) or _chosen(edges, _ELSE.get(relation.kind, ()))
    found: dict[int, float] = {}
    for edge in chosen[:MOST]:
        path, line = (edge.path, edge.line) if edge.incoming else (edge.target_path, edge.target_line)
        file = catalogue.numbers.get(path)
        chunk = None if file is None else catalogue.chunk_at(file, line)
        if chunk is not None:
            found[chunk] = max(found.get(chunk, 0.0), edge.confidence)

    def order(item: tuple[int, float]) -> tuple[bool, float, int]:
        return catalogue.noise[catalogue.files[item[0]]] not in {None, *asked}, -item[1], item[0]

    return sorted(found.items(), key=order)


def _chosen(edges: Iterable[Edge], wanted: Sequence[tuple[str, bool]]) -> list[Edge]:
    return [edge for edge in edges if (edge.kind, edge.incoming) in wanted]
