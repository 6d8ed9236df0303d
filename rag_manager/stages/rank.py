"""From the retrievers' rankings to passages.

In:  a question, the lexical and the dense ranking of chunks, the catalogue.
Out: chunks with scores, which retriever put each where, and what each retriever found in all.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from events.question import PlanStep
from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.fuse_rankings import RANK_OFFSET, fuse_rankings
from rag_manager.stages.fuse_scores import fuse_scores
from rag_manager.stages.lift_named import lift_named
from rag_manager.stages.match_names import match_names, match_paths
from rag_manager.stages.order_passages import order_passages
from rag_manager.stages.pick_passages import pick_passages
from rag_manager.stages.put_forward import Forward
from rag_manager.stages.rank_files import FileWeights, rank_files
from rag_manager.stages.read_question import Question
from rag_manager.stages.vote_for_files import Votes, passages_voted_for

_DEFINITION = 3.0  # above every lifted score (2.5 at most): what a question names alone comes first inside its file
_LONGEST = 200  # characters of what a plan says that was looked for
_SENTENCE = 8  # tokens: so many describe a place, fewer name what a file is about


@dataclass(frozen=True)
class Weights:
    """How much each retriever counts in the fusion, and the weights of the file-level signs."""

    lexical: float = 1.0
    quick: float = 0.5
    full: float = 0.7
    names: float = 0.5
    changes: float = 0.2  # of the most votes of earlier changes, beside 1 for what is first everywhere
    words: float = 1.5  # of a name that the question's words spell, inside its file
    files: FileWeights = field(default_factory=FileWeights)


@dataclass(frozen=True)
class Picked:
    """One chunk that was found. `ranks`: retriever → place, from 1."""

    chunk: int
    score: float
    ranks: dict[str, int]


@dataclass(frozen=True)
class Ranked:
    """The chosen chunks, best first, and the retrievers that they were chosen by."""

    passages: list[Picked]
    plan: tuple[PlanStep, ...]


@dataclass(frozen=True)
class Rankings:
    """What the retrievers found: chunk numbers, best first. `dense_weight` is 0 where there are no vectors.

    `forward` is what comes first whatever the others found. `scope` has the chunks that are searched, None for all;
    what the retrievers found is in it. `scores`: retriever → chunk → its own score. `votes` are of earlier changes.
    """

    lexical: Sequence[int]
    dense: Sequence[int] = ()
    dense_weight: float = 0.0
    forward: Sequence[Forward] = ()
    scope: Container[int] | None = None
    scores: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    votes: Votes | None = None


def rank(
    question: Question, rankings: Rankings, catalogue: Catalogue, *, limit: int, weights: Weights | None = None
) -> Ranked:
    """Return at most `limit` chunks, best first. What the question names outright comes first of all. Pure."""
    weights = weights or Weights()
    scope: Container[int] = range(len(catalogue.chunk_ids)) if rankings.scope is None else rankings.scope
    named = [chunk for chunk in match_names(question, catalogue) if chunk in scope]
    fused = _fused(question, rankings, named, weights)
    voted = passages_voted_for(rankings.votes, fused, catalogue, scope) if rankings.votes else {}
    for chunk, share in voted.items():
        fused[chunk] += weights.changes * share
    by_path = _given(question, catalogue, scope)
    for chunks in by_path.values():
        for chunk in chunks:
            fused.setdefault(chunk, 0.0)
    files = rank_files(fused, question, catalogue, weights.files)
    scores = lift_named(fused, question, catalogue, weights.words)
    first = list(by_path)
    if question.lone_name:
        first += [catalogue.files[chunk] for chunk in named]
        scores |= {chunk: _DEFINITION - place / 1_000 for place, chunk in enumerate(named)}
    files = _brought_forward(files, first)
    found = {"lexical": rankings.lexical, "dense": rankings.dense, "names": named}
    places = {name: {chunk: place for place, chunk in enumerate(chunks, start=1)} for name, chunks in found.items()}
    places["changes"] = {chunk: place for place, chunk in enumerate(voted, 1)}
    places["path"] = {chunk: place for place, chunks in enumerate(by_path.values(), 1) for chunk in chunks}
    for each in rankings.forward:
        places[each.retriever] = {chunk: place for place, (chunk, _) in enumerate(each.found, start=1)}
    describes = question.statement or len(question.tokens) >= _SENTENCE
    choose = order_passages if describes and not first else pick_passages
    chosen = _forwarded(rankings.forward, choose(files, scores, catalogue, limit=limit), limit)
    passages = [
        Picked(chunk, score, {name: found[chunk] for name, found in places.items() if chunk in found})
        for chunk, score in chosen
    ]
    return Ranked(passages, _plan(question, {name: len(each) for name, each in places.items()}, rankings, weights))


def _fused(question: Question, rankings: Rankings, named: Sequence[int], weights: Weights) -> dict[int, float]:
    """By places; for a statement by scores, where there are some: how much better the first is than the next."""
    found = {"lexical": rankings.lexical, "dense": rankings.dense, "names": named}
    counted = {"lexical": weights.lexical, "dense": rankings.dense_weight, "names": weights.names if named else 0.0}
    if not question.statement or not rankings.scores:
        return fuse_rankings([(counted[name], chunks) for name, chunks in found.items()])
    by_place = {chunk: 1 / (RANK_OFFSET + place) for place, chunk in enumerate(named, start=1)}
    scores = {**rankings.scores, "names": by_place}
    return fuse_scores(
        [(counted[name], [(chunk, scores[name][chunk]) for chunk in chunks]) for name, chunks in found.items()]
    )


def _given(question: Question, catalogue: Catalogue, scope: Container[int]) -> dict[int, list[int]]:
    """The files that the question names, each with its chunks in scope."""
    found = {
        file: [chunk for chunk in catalogue.chunks_of[file] if chunk in scope]
        for file in match_paths(question, catalogue)
    }
    return {file: chunks for file, chunks in found.items() if chunks}


def _forwarded(forward: Sequence[Forward], others: Sequence[tuple[int, float]], limit: int) -> list[tuple[int, float]]:
    """What is put forward before the others, who keep a quarter of the places, or what is left."""
    wanted = list(dict.fromkeys(chunk for each in forward for chunk, _ in each.found))
    top = max((score for _, score in others), default=1.0)
    kept = [(chunk, score) for chunk, score in others if chunk not in set(wanted)]
    first = wanted[: max(limit - len(kept), limit - limit // 4)]
    return [*((chunk, top) for chunk in first), *kept][:limit]


def _plan(question: Question, found: Mapping[str, int], rankings: Rankings, weights: Weights) -> tuple[PlanStep, ...]:
    names = (question.lone_name,) if question.lone_name else question.names
    steps = (
        ("lexical", weights.lexical, ""),
        ("dense", rankings.dense_weight, ""),
        ("names", weights.names, ", ".join(names)),
        ("changes", weights.changes, rankings.votes.about if rankings.votes else ""),
        ("path", 0.0, ", ".join(question.paths)),
    )
    asked = {
        "lexical": True,
        "dense": rankings.dense_weight > 0,
        "names": bool(names),
        "changes": rankings.votes is not None,
        "path": bool(question.paths),
    }
    forward = tuple((each.retriever, 0.0, each.about) for each in rankings.forward)
    absent = {each.retriever for each in rankings.forward if each.absent}
    return tuple(
        PlanStep(retriever=name, found=found[name], weight=weight, about=about[:_LONGEST], absent=name in absent)
        for name, weight, about in (*forward, *(step for step in steps if asked[step[0]]))
    )


def _brought_forward(files: list[tuple[int, float]], first: Sequence[int]) -> list[tuple[int, float]]:
    wanted = list(dict.fromkeys(first))
    scores = dict(files)
    top = files[0][1] if files else 0.0
    return [
        *((file, max(top, scores[file])) for file in wanted if file in scores),
        *((file, score) for file, score in files if file not in set(wanted)),
    ]
