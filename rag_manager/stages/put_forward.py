"""What a question asks for outright is put forward: the texts that tell a message, the places of a relation.

In:  a question, chunks that may hold what it names with their texts, the edges around a name, the catalogue.
Out: for each retriever that was asked, the chunks it puts forward with its scores.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.follow_relation import Edge, follow_relation
from rag_manager.stages.match_message import match_message
from rag_manager.stages.match_setting import match_setting
from rag_manager.stages.read_question import Question
from rag_manager.stages.read_relation import RelationKind

CANDIDATES = 60  # chunks whose text is looked through, the best by their words
_CONFIGURATION = "config"


@dataclass(frozen=True)
class Forward:
    """What one retriever puts forward: (chunk, its own score), best first. `about` is what it looked for.

    `absent` where what it looks in is not made yet.
    """

    retriever: str
    about: str
    found: Sequence[tuple[int, float]]
    absent: bool = False


def words_looked_for(question: Question) -> str | None:
    """Return what the candidates must have of the question: a message, or the name of a setting. Pure."""
    if question.relation is not None and question.relation.kind == RelationKind.CONFIGURED:
        return question.relation.name
    return question.message


def put_forward(
    question: Question,
    texts: Mapping[int, str],
    edges: Sequence[Edge],
    catalogue: Catalogue,
    scope: Container[int] | None = None,
) -> tuple[Forward, ...]:
    """Return what is put forward, by retriever. `texts` are the candidates', best first; all are in `scope`. Pure."""
    relation, message = question.relation, question.message
    if relation is not None and relation.kind == RelationKind.CONFIGURED:
        own = [catalogue.classes[catalogue.files[chunk]] == _CONFIGURATION for chunk in texts]
        scores = match_setting(relation.name, list(texts.values()), own)
        return (Forward("exact", f"where {relation.name} is set", _best(texts, scores, question, catalogue)),)
    if relation is not None:
        places = follow_relation(relation, edges, catalogue, question.asked)
        found = [(chunk, score) for chunk, score in places if scope is None or chunk in scope]
        return (Forward("graph", f"{relation.kind} of {relation.name}", found),)
    if message is not None:
        scores = match_message(message, list(texts.values()))
        found = _best(texts, scores, question, catalogue)
        return (Forward("exact", message, _of_one(found, question, catalogue) if question.report else found),)
    return ()


def _of_one(found: Sequence[tuple[int, float]], question: Question, catalogue: Catalogue) -> list[tuple[int, float]]:
    """What one working file alone has: what more of them have is an import, a path or an example of the report."""
    working = [item for item in found if not _is_noise(item[0], question, catalogue)]
    return working if len({catalogue.files[chunk] for chunk, _ in working}) == 1 else []


def _best(
    texts: Mapping[int, str], scores: Sequence[float], question: Question, catalogue: Catalogue
) -> list[tuple[int, float]]:
    """What works before tests and the like, then by score; of equal ones the better by their words."""
    found = [(chunk, score) for chunk, score in zip(texts, scores, strict=True) if score > 0]

    def order(item: tuple[int, float]) -> tuple[bool, float]:
        return _is_noise(item[0], question, catalogue), -item[1]

    return sorted(found, key=order)


def _is_noise(chunk: int, question: Question, catalogue: Catalogue) -> bool:
    return catalogue.noise[catalogue.files[chunk]] not in {None, *question.asked}
