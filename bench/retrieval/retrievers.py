"""The ways to search that are graded: the product's own, each of its retrievers alone, and what people use else.

Each gives places, best first, and no more than twenty passages. Vectors are compared with all, not by an index of
neighbours (Chroma's recall at 20 was measured as 0.999 or better).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.retrieval.cuts import Place
from bench.retrieval.measures import within
from bench.retrieval.others import Others
from bench.retrieval.relations import Graph
from bench.retrieval.repository_index import RepositoryIndex, Vectors
from rag_manager.dense_search import DENSE_DEPTH
from rag_manager.earlier_changes import Earlier
from rag_manager.search import LEXICAL_DEPTH
from rag_manager.stages.code_tokens import STOP_WORDS, code_tokens
from rag_manager.stages.fold_alike import fold_alike
from rag_manager.stages.fuse_rankings import fuse_rankings
from rag_manager.stages.put_forward import CANDIDATES, Forward, put_forward, words_looked_for
from rag_manager.stages.rank import Picked, Rankings, Weights, rank
from rag_manager.stages.read_question import MAX_TOKENS, Question, read_question
from rag_manager.stages.vote_for_files import vote_for_files

LIMIT = 20  # passages asked for: enough for ten files
_MAP_SIZE = 28_000  # characters of a map: aider's 8,192 tokens where no file is chosen yet
_FUSED = 100  # the constant of claude-context's fusion by ranks
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Search:
    """One question on one index. `similar`: model → cosine to each chunk; `others` what other systems have of it."""

    text: str
    index: RepositoryIndex
    similar: Mapping[str, Vectors]
    weights: Weights
    graph: Graph | None = None
    others: Others | None = None
    earlier: Earlier | None = None  # where the commits before are at hand


Retriever = Callable[[Search], Sequence[Place]]
Ordered = Callable[[Search], Sequence[int]]  # numbers of chunks, best first


def shown(ordered: Ordered) -> Retriever:
    """The places of the first chunks."""

    def retrieve(search: Search) -> Sequence[Place]:
        places = search.index.catalogue
        return [
            Place(
                places.paths[places.files[chunk]],
                places.first_lines[chunk],
                places.last_lines[chunk],
                len(search.index.bodies[chunk]),
            )
            for chunk in ordered(search)[:LIMIT]
        ]

    return retrieve


def grep(search: Search) -> Sequence[int]:
    """Chunks by how many different words of the question stand in them, then by how often: of as many as ours reads."""
    told = [word for word in _WORD.findall(search.text.lower()) if word not in STOP_WORDS and len(word) > 1]
    words = list(dict.fromkeys(told))[:MAX_TOKENS]
    counted = []
    for chunk, body in enumerate(search.index.bodies):
        lowered = body.lower()
        counts = [lowered.count(word) for word in words]
        if any(counts):
            counted.append((-sum(map(bool, counts)), -sum(counts), chunk))
    return [chunk for _, _, chunk in sorted(counted)[:LEXICAL_DEPTH]]


def bm25(search: Search) -> Sequence[int]:
    """The lexicon's order."""
    hits = search.index.lexicon.search(read_question(search.text).tokens, LEXICAL_DEPTH)
    return [chunk for chunk, _ in hits]


def dense(model: str) -> Ordered:
    """The order of one model's vectors."""

    def retrieve(search: Search) -> Sequence[int]:
        return _nearest(search.similar[model])

    return retrieve


def cut(way: str) -> Retriever:
    """Passages that were cut as others do, by their vectors."""

    def retrieve(search: Search) -> Sequence[Place]:
        others = _others_of(search)
        return [others.tree.cuts[way].places[number] for number in others.near(way, LIMIT)]

    return retrieve


def cut_hybrid(way: str) -> Retriever:
    """The same by vectors and by BM25 over plain words, fused, as many of each as are asked for."""

    def retrieve(search: Search) -> Sequence[Place]:
        others = _others_of(search)
        cuts = others.tree.cuts[way]
        lexical = [number for number, _ in cuts.lexicon.search(_WORD.findall(search.text.lower()), LIMIT)]
        fused = fuse_rankings([(1.0, others.near(way, LIMIT)), (1.0, lexical)], offset=_FUSED)
        return [cuts.places[number] for number in sorted(fused, key=lambda number: (-fused[number], number))[:LIMIT]]

    return retrieve


def reference_map(search: Search) -> Sequence[Place]:
    """The lines of definitions that a map by references has room for."""
    return list(within(_others_of(search).tree.map.ranked(search.text), _MAP_SIZE))


def product(model: str | None, *, past: bool = False) -> Ordered:
    """What the service answers with: before there are vectors (None), with the quick ones, with the full ones.

    `past`: where the history was asked for, too.
    """

    def retrieve(search: Search) -> Sequence[int]:
        picked = ranked_by(search if past else replace(search, earlier=None), model, LIMIT)
        folded = fold_alike([search.index.bodies[item.chunk] for item in picked])
        return [picked[place].chunk for place in folded]

    return retrieve


def ranked_by(search: Search, model: str | None, limit: int) -> list[Picked]:
    """The chunks that the service would choose, best first."""
    question = read_question(search.text)
    weight = {None: 0.0, "quick": search.weights.quick, "full": search.weights.full}[model]
    near = _nearest(search.similar[model])[:DENSE_DEPTH] if model else ()
    lexical = dict(search.index.lexicon.search(question.tokens, LEXICAL_DEPTH))
    scores = {
        "lexical": lexical,
        "dense": {chunk: float(search.similar[model][chunk]) for chunk in near} if model else {},
    }
    catalogue, earlier = search.index.catalogue, search.earlier
    votes = vote_for_files(earlier.nearest(question.tokens), question, catalogue) if earlier else None
    rankings = Rankings(list(lexical), near, weight, _forward(search, question), scores=scores, votes=votes)
    return rank(question, rankings, catalogue, limit=limit, weights=search.weights).passages


def _forward(search: Search, question: Question) -> tuple[Forward, ...]:
    wanted = words_looked_for(question)
    tokens = list(dict.fromkeys(code_tokens(wanted)))[:MAX_TOKENS] if wanted is not None else []
    hits = search.index.lexicon.search(tokens, CANDIDATES) if tokens else []
    texts = {chunk: search.index.bodies[chunk] for chunk, _ in hits}
    edges = search.graph.around(question.relation) if search.graph is not None and question.relation is not None else []
    return put_forward(question, texts, edges, search.index.catalogue)


RETRIEVERS: Mapping[str, Retriever] = {
    "grep": shown(grep),
    "BM25 alone": shown(bm25),
    "quick vectors alone": shown(dense("quick")),
    "full vectors alone": shown(dense("full")),
    "ours, lexical": shown(product(None)),
    "ours, quick": shown(product("quick")),
    "ours, full": shown(product("full")),
}
PAST: Mapping[str, Retriever] = {
    "ours, lexical, and earlier changes": shown(product(None, past=True)),
    "ours, quick, and earlier changes": shown(product("quick", past=True)),
    "ours, full, and earlier changes": shown(product("full", past=True)),
}
PEERS: Mapping[str, Retriever] = {
    "350-word windows, quick vectors (as deepwiki-open)": cut("windows"),
    "2,500-character definitions, quick vectors (as claude-context)": cut("definitions"),
    "the same with BM25 (as claude-context)": cut_hybrid("definitions"),
    "map by references (as aider)": reference_map,
}
_NEEDS = {
    **dict.fromkeys(("quick vectors alone", "ours, quick", "ours, quick, and earlier changes"), "quick"),
    **dict.fromkeys(("full vectors alone", "ours, full", "ours, full, and earlier changes"), "full"),
}


def usable(models: Mapping[str, object], *, peers: bool = False, past: bool = False) -> dict[str, Retriever]:
    """Those whose model is there."""
    every = {**RETRIEVERS, **(PAST if past else {})}
    own = {name: retriever for name, retriever in every.items() if _NEEDS.get(name) in {None, *models}}
    return {**PEERS, **own} if peers else own


def _nearest(similar: Vectors) -> list[int]:
    return [int(chunk) for chunk in np.argsort(-similar, kind="stable")[:LEXICAL_DEPTH]]


def _others_of(search: Search) -> Others:
    if search.others is None:
        raise LookupError("the peers' passages were not made: --peers")
    return search.others
