"""What is asked and answered, and the words that search and the assistant share."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from events.base import ERASED, Event, Subject, Value

_WHOSE = (Subject.TENANT, Subject.REPOSITORY, Subject.USER)


class Citation(Value):
    """A place in the repository that an answer rests on, checked against the stored sources."""

    path: str
    first_line: int
    last_line: int
    chunk_id: str | None = None


class Passage(Value):
    """A piece of a file that was found. Lines are 1-based and inclusive.

    `ranks`: which retriever put it where, `scores` by which own score: BM25 (lexical), cosine (dense). `grown_from`:
    the lines that were found, in the definition that is shown. A neighbour was not found itself; its `relation` to one
    that was is type (whose beginning it is), imports (of its file) or caller (of a function in it). `folded`: others
    that say the same, or lie in it.
    """

    chunk_id: str
    path: str
    first_line: int
    last_line: int
    text: str
    language: str | None = None
    file_class: str = "other"
    symbols: tuple[str, ...] = ()
    score: float = 0.0
    ranks: dict[str, int] = Field(default_factory=dict)
    scores: dict[str, float] = Field(default_factory=dict)
    grown_from: Citation | None = None
    neighbour_of: Citation | None = None
    relation: str = ""
    folded: tuple[Citation, ...] = ()


class PlanStep(Value):
    """One retriever of a search: how many chunks it found, and its weight in the fusion.

    `about` is what it looked for where that is not the whole question. The weight is 0 where what it found is put
    forward by itself. `absent` where what it looks in is not made yet: later it would know better.
    """

    retriever: str
    found: int
    weight: float = 0.0
    about: str = ""
    absent: bool = False


class PassedOver(Value):
    """A model that was to answer and did not, with the code of why."""

    model: str
    code: str


class Scope(Value):
    """What a search is limited to; all that are given must hold. `symbol` is a definition: `send`, `Session.send`."""

    folder: str = Field(default="", max_length=4_096)
    path: str = Field(default="", max_length=4_096)
    language: str = Field(default="", max_length=100)
    symbol: str = Field(default="", max_length=500)


class SearchRequest(Value):
    """One search of a repository, an analysis or a scope. Passages grow within `budget` characters; none is cut.

    `offline`: no model of somebody else's is asked; where one made the vectors, those of the quick model are searched.
    """

    tenant_id: UUID
    repository_id: UUID
    query: str
    analysis_id: UUID | None = None
    limit: int = 12
    scope: Scope | None = None
    budget: int = 12_000
    offline: bool = False


class Evidence(Value):
    """How much of a question an analysis knows; of its `terms` tokens, the shares in no chunk and in fewer than three.

    `weight`: the sum of inverse frequencies; `best`: the BM25 score; `nearest`, `tenth`, `around`: cosines, the last of
    a hundred in the mean, where vectors were searched; `names`: of code, in the question; `unknown_names`: nowhere.
    """

    chunks: int
    terms: int
    unknown: float
    rare: float
    weight: float
    best: float
    nearest: float | None = None
    tenth: float | None = None
    around: float | None = None
    names: int = 0
    unknown_names: int = 0


class SearchReply(Value):
    """What a search found, and in which analysis, commit and generation.

    `degraded` says why a search was merely lexical although the generation has vectors: vectors_unavailable,
    vectors_missing (being rebuilt), model_changed or embedder_unavailable; `generation_kind` is lexical then. `plan`
    has the retrievers that were asked. `lexicon_sha256` tells the state of the lexical index, which is added to; not
    `settled` is what the graph would know of, and is not made yet. `line_counts`: of the files of passages.
    """

    analysis_id: UUID
    commit: str
    generation_id: UUID
    generation_kind: str
    model: str | None
    passages: tuple[Passage, ...]
    took_ms: float
    degraded: str | None = None
    evidence: Evidence | None = None
    plan: tuple[PlanStep, ...] = ()
    lexicon_sha256: str = ""
    settled: bool = True
    line_counts: dict[str, int] = Field(default_factory=dict)


class QuestionAsked(Event):
    """A question to be answered. `history` holds earlier turns, oldest first, as (question, answer).

    `mode` is answer (one search, then the model), deep (the model looks in steps) or extractive (no model).
    `facts` is the overview of a repository as told from its facts, with citations: the answer tells that again.
    `again` is the question whose answer was not enough, where this is another attempt at it: always the first one's
    id. The event that was not enough is the cause of this one (`causation_id`). `scope` limits what is searched.
    """

    event_type: ClassVar[str] = "ai.query.requested"
    private: ClassVar[Mapping[str, object]] = {"query": ERASED, "history": (), "facts": "", "scope": None}
    belongs_to: ClassVar[tuple[Subject, ...]] = _WHOSE
    question_id: UUID
    repository_id: UUID
    query: str
    analysis_id: UUID | None = None
    model: str | None = None
    mode: str = "answer"
    history: tuple[tuple[str, str], ...] = ()
    facts: str = ""
    again: UUID | None = None
    scope: Scope | None = None


class StepTaken(Event):
    """One step of an answer in deep mode: a read-only tool was asked something, about one analysis.

    `number` counts from 1. `asked` is what the tool was asked, as JSON; `said` what the model said of it. `outcome` is
    ok, or the code of why there is no result. `found` counts what came back, `characters` how long it was, and `places`
    are the lines that came with their text: these may be cited. `seconds` and the tokens (0 where several steps were
    asked for at once, but for the first) are of the model's call and the tool's together.
    """

    event_type: ClassVar[str] = "ai.step.taken"
    private: ClassVar[Mapping[str, object]] = {"asked": ERASED, "said": ERASED, "places": ()}
    belongs_to: ClassVar[tuple[Subject, ...]] = _WHOSE
    question_id: UUID
    analysis_id: UUID
    number: int
    tool: str
    asked: str
    said: str = ""
    outcome: str = "ok"
    found: int = 0
    characters: int = 0
    places: tuple[Citation, ...] = ()
    seconds: float = 0.0
    provider: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


class QuestionAnswered(Event):
    """The whole answer, with all that it rests on. `mode` is extractive, generated or deep (in steps of their own).

    `degraded` is as in SearchReply. `refused` is empty, or why nothing was answered (`no_evidence`, or by the model:
    `not_in_passages`): the answer says that it was not found, and the passages are the nearest. `evidence` is what
    `no_evidence` is decided by, from 0 to 1. `removed_quotes` counts quotations that are not in the lines they cite.
    `passed_over` names the models that were to answer before the one that did. `standalone` is what was searched for
    where that is not the question itself, rewritten by `standalone_by` (rules, or a model). Of the earlier turns
    `history_turns` were told to the model, about `history_tokens` tokens, and `history_left_out` were not. `plan` is
    the search's. To the same question about the same generation it is told again: `fingerprint` (of both, sealed) is
    what it is found by, on one of 256 shelves. One that was told again was question `earlier`'s, of `earlier_at`.
    Tokens and dollars are of all calls for it, also those that brought nothing; `is_estimated` is as in QuestionFailed.
    """

    event_type: ClassVar[str] = "ai.query.processed"
    private: ClassVar[Mapping[str, object]] = {
        "query": ERASED,
        "answer": ERASED,
        "commit": ERASED,
        "citations": (),
        "passages": (),
        "standalone": "",
        "plan": (),
        "fingerprint": "",
    }
    belongs_to: ClassVar[tuple[Subject, ...]] = _WHOSE
    question_id: UUID
    query: str
    answer: str
    mode: str
    response_time: float
    rag_hits: int
    confidence: float
    citations: tuple[Citation, ...]
    removed_citations: int
    passages: tuple[Passage, ...]
    analysis_id: UUID
    commit: str
    generation_kind: str
    provider: str
    model: str
    prompt: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    is_estimated: bool = False
    degraded: str | None = None
    refused: str = ""
    evidence: float | None = None
    removed_quotes: int = 0
    standalone: str = ""
    standalone_by: str = ""
    history_turns: int = 0
    history_tokens: int = 0
    history_left_out: int = 0
    passed_over: tuple[PassedOver, ...] = ()
    plan: tuple[PlanStep, ...] = ()
    generation_id: UUID | None = None
    fingerprint: str = ""
    shelf: int | None = None
    earlier: UUID | None = None
    earlier_at: datetime | None = None


class QuestionFailed(Event):
    """The question could not be answered; nothing of a half answer is kept as an answer.

    The tokens, and dollars where a price is configured, are of all calls for it. They are `is_estimated` where a
    provider did not say what one of them took, which is what it does of one that was ended. After QuestionStopped it
    says what was taken until then, and `query` is empty.
    """

    event_type: ClassVar[str] = "ai.query.failed"
    private: ClassVar[Mapping[str, object]] = {"query": ERASED, "message": ERASED}
    belongs_to: ClassVar[tuple[Subject, ...]] = _WHOSE
    question_id: UUID
    query: str
    code: str
    message: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    is_estimated: bool = False


class QuestionStopped(Event):
    """Somebody did not want the answer any more; it counts where the question had not ended before."""

    event_type: ClassVar[str] = "ai.query.stopped"
    question_id: UUID


class AnswerRated(Event):
    """A person said whether the answer helped: 1 or -1."""

    event_type: ClassVar[str] = "ai.answer.rated"
    question_id: UUID
    rating: int
