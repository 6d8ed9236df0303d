"""Judge whether what was found can hold an answer at all: below a threshold the answer is that nothing was found.

In:  a question, and what the search knows of it.
Out: a number from 0 to 1; below ENOUGH there is no answer in this repository.

Logistic regression over eleven features and their products; `python -m bench unanswerable --fit` makes its constants.
"""

import math
import re

from ai_engine.stages.evidence_weights import WEIGHTS
from ai_engine.stages.standalone import may_point_back
from ai_engine.stages.terms import terms_of
from events.question import Evidence, QuestionAsked, SearchReply

ENOUGH = 0.5
OUTRIGHT = frozenset({"exact", "graph"})  # what these found is what was asked for
_SMALLEST = 50  # chunks: so small a repository is shown rather than judged
_FULL = "all-minilm-l6-v2-int8"  # how the local model's name begins; `full` is fitted on its vectors
_BRIEF = 16  # words: what every repository can be asked is asked in fewer, and longer questions say of what
_WORDS = 5  # from here on a question without an English word may be one in another language
_ENGLISH = frozenset(
    {
        *("a", "an", "and", "are", "at", "by", "can", "do", "does", "for", "from", "how", "i", "if", "in", "is", "it"),
        *("its", "of", "on", "or", "that", "the", "this", "to", "what", "when", "where", "which", "who", "why", "with"),
    }
)
# Words of German, French, Spanish, Italian, Portuguese, Dutch and Polish that neither English nor code has.
_NOT_ENGLISH = frozenset(
    """wie wird werden wo warum welche welcher der das und ist nicht ein eine von zum zur mit comment quelle quels est
    sont les une dans pour avec pourquoi como donde cual que los las una por con sobre dove perche quale viene della
    delle gli onde qual uma dos sao hoe waar waarom wordt worden het een niet van voor jak gdzie dlaczego jest nie
    przez""".split()  # noqa: SIM905  # one word a line would be a page
)
# Every repository can be asked these.
_GENERAL = re.compile(
    r"\b(this|your) (project|repo|repository|code ?base|package|library|app|application)\b"
    r"|\bthe (project|repo|repository|code ?base)\b"
    r"|\b(overview|install(ed|ing|ation)?|licen[cs]e|licensed|contribut\w*|readme|changelog)\b"
    r"|\bget(ting)? started\b|\bset ?up\b|\bmain (modules?|parts?|components?)\b|\bentry points?\b"
    r"|\b(run|running|execute) (\w+ )?(tests?|it)\b|\b(what|how) (does|do|is|can) (it|this)\b",
    re.IGNORECASE,
)


def evidence_for(asked: QuestionAsked, found: SearchReply) -> float | None:
    """What a refusal is decided by; None where it cannot be: a question may rest on the turns before it. Pure."""
    rests = bool(asked.history) and may_point_back(asked.query)
    if asked.facts or rests or not terms_of(asked.query):
        return None
    if any(step.found for step in found.plan if step.retriever in OUTRIGHT):
        return None
    if not found.passages:
        return 0.0
    if found.evidence is None:  # a rag_manager of the release before
        return None
    return evidence_of(asked.query, found.evidence, _scale_of(found))


def evidence_of(question: str, evidence: Evidence, kind: str) -> float:
    """How well an index of this `kind` (lexical, quick or full; lexical without vectors) knows the question. Pure."""
    if evidence.chunks < _SMALLEST or _is_general(question) or _is_foreign(question):
        return 1.0
    if evidence.best == 0.0 and evidence.nearest is None:
        return 0.0
    if kind == "lexical" or evidence.nearest is None:
        kind, evidence = "lexical", evidence.model_copy(update={"nearest": None, "tenth": None, "around": None})
    weights = WEIGHTS[kind]
    features = [
        (value - mean) / spread
        for value, mean, spread in zip(features_of(evidence), weights.means, weights.spreads, strict=True)
    ]
    products = [a * b for place, a in enumerate(features) for b in features[place:]]
    score = sum(w * x for w, x in zip(weights.weights, (*features, *products, 1.0), strict=True))
    return round(1 / (1 + math.exp(-max(-50.0, min(50.0, score)))), 4)


def features_of(evidence: Evidence) -> tuple[float, ...]:
    """What is weighed. Pure."""
    vectors = (evidence.nearest, evidence.tenth, evidence.around)
    return (
        evidence.unknown,
        evidence.rare,
        evidence.best / max(evidence.weight, 1e-6),
        math.log1p(evidence.best),
        math.log(max(1, evidence.terms)),
        math.log(max(1, evidence.chunks)),
        float(evidence.unknown_names > 0),
        float(evidence.names > evidence.unknown_names),
        *(one for one in vectors if one is not None),
    )


def _scale_of(found: SearchReply) -> str:
    """The kind of index whose similarities these are; `lexical` where they are another embedder's, not fitted on."""
    is_known = found.generation_kind == "quick" or (found.model or "").startswith(_FULL)
    return found.generation_kind if is_known else "lexical"


def _is_general(question: str) -> bool:
    """Whether it can be asked of every repository."""
    return len(question.split()) <= _BRIEF and _GENERAL.search(question) is not None


def _is_foreign(question: str) -> bool:
    """Whether it is in another language, whose words say nothing here."""
    words = re.findall(r"\w+", question.lower())
    if len(words) < _WORDS or not _ENGLISH.isdisjoint(words):
        return False
    return not question.isascii() or not _NOT_ENGLISH.isdisjoint(words)
