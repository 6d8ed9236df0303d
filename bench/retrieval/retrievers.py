"""The ways to search that are graded: the product's own, each of its retrievers alone, and what people use else.

Each gives the numbers of chunks, best first. Vectors are compared with all, not by an index of neighbours (Chroma's
recall at 20 was measured as 0.999 or better).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.retrieval.relations import Graph
from bench.retrieval.repository_index import RepositoryIndex, Vectors
from rag_manager.search import DENSE_DEPTH, LEXICAL_DEPTH
from rag_manager.stages.code_tokens import STOP_WORDS, code_tokens
from rag_manager.stages.fold_alike import fold_alike
from rag_manager.stages.put_forward import CANDIDATES, Forward, put_forward, words_looked_for
from rag_manager.stages.rank import Picked, Rankings, Weights, rank
from rag_manager.stages.read_question import MAX_TOKENS, Question, read_question

LIMIT = 20  # passages asked for: enough for ten files
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Search:
    """One question on one index. `similar`: model → cosine to each chunk."""

    text: str
    index: RepositoryIndex
    similar: Mapping[str, Vectors]
    weights: Weights
    graph: Graph | None = None


Retriever = Callable[[Search], Sequence[int]]


def grep(search: Search) -> Sequence[int]:
    """Chunks by how many different words of the question stand in them, then by how often."""
    words = {word for word in _WORD.findall(search.text.lower()) if word not in STOP_WORDS and len(word) > 1}
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


def dense(model: str) -> Retriever:
    """The order of one model's vectors."""

    def retrieve(search: Search) -> Sequence[int]:
        return _nearest(search.similar[model])

    return retrieve


def product(model: str | None) -> Retriever:
    """What the service answers with: before there are vectors (None), with the quick ones, with the full ones."""

    def retrieve(search: Search) -> Sequence[int]:
        picked = ranked_by(search, model, LIMIT)
        folded = fold_alike([search.index.bodies[item.chunk] for item in picked])
        return [picked[place].chunk for place in folded]

    return retrieve


def ranked_by(search: Search, model: str | None, limit: int) -> list[Picked]:
    """The chunks that the service would choose, best first."""
    question = read_question(search.text)
    weight = {None: 0.0, "quick": search.weights.quick, "full": search.weights.full}[model]
    nearest = _nearest(search.similar[model])[:DENSE_DEPTH] if model else ()
    lexical = dict(search.index.lexicon.search(question.tokens, LEXICAL_DEPTH))
    dense = {chunk: float(search.similar[model][chunk]) for chunk in nearest} if model else {}
    scores = {"lexical": lexical, "dense": dense}
    rankings = Rankings(list(lexical), nearest, weight, _forward(search, question), scores=scores)
    return rank(question, rankings, search.index.catalogue, limit=limit, weights=search.weights).passages


def _forward(search: Search, question: Question) -> tuple[Forward, ...]:
    wanted = words_looked_for(question)
    tokens = list(dict.fromkeys(code_tokens(wanted)))[:MAX_TOKENS] if wanted is not None else []
    hits = search.index.lexicon.search(tokens, CANDIDATES) if tokens else []
    texts = {chunk: search.index.bodies[chunk] for chunk, _ in hits}
    edges = search.graph.around(question.relation) if search.graph is not None and question.relation is not None else []
    return put_forward(question, texts, edges, search.index.catalogue)


RETRIEVERS: Mapping[str, Retriever] = {
    "grep": grep,
    "BM25 alone": bm25,
    "quick vectors alone": dense("quick"),
    "full vectors alone": dense("full"),
    "ours, lexical": product(None),
    "ours, quick": product("quick"),
    "ours, full": product("full"),
}
_NEEDS = {"quick vectors alone": "quick", "full vectors alone": "full", "ours, quick": "quick", "ours, full": "full"}


def usable(models: Mapping[str, object]) -> dict[str, Retriever]:
    """Those whose model is there."""
    return {name: retriever for name, retriever in RETRIEVERS.items() if _NEEDS.get(name) in {None, *models}}


def _nearest(similar: Vectors) -> list[int]:
    return [int(chunk) for chunk in np.argsort(-similar, kind="stable")[:LEXICAL_DEPTH]]
