"""The shapes of the API's requests and replies. Pages, commands and people's scripts rely on them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from events.question import Scope
from orchestrator.api.answer_models import AnswerView, Mode
from orchestrator.api.spent_models import SpentView
from orchestrator.api.strict import Body, ScopeBody


class AnalysisState(StrEnum):
    """Where an analysis is. `answerable` has words, `ready` quick vectors, `refined` full vectors.

    `unconfirmed` is over a limit and waits for a person (`POST …/confirm`).
    """

    REQUESTED = "requested"
    RUNNING = "running"
    UNCONFIRMED = "unconfirmed"
    ANSWERABLE = "answerable"
    READY = "ready"
    REFINED = "refined"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StageState(StrEnum):
    """Where a stage is, over all its shards. `waiting` was not requested yet."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    PARKED = "parked"
    CANCELLED = "cancelled"


class StageView(BaseModel):
    """One stage of an analysis. `counts` adds up its shards' counts; times are null until they are known."""

    stage: str
    state: StageState
    shards: int = 0
    shards_done: int = 0
    attempt: int = 1
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration: float | None = None
    files_processed: int = 0
    counts: dict[str, int] = Field(default_factory=dict)
    code: str | None = None
    message: str | None = None
    retry_at: datetime | None = None


class HeadView(BaseModel):
    """What was cloned: the ref as git names it, and the commit's author date and subject; null where git has none.

    `tree_cut`: more entries than are read, `out_of_scope` elsewhere; `login_refused`: the token was, by its host.
    """

    ref: str | None = None
    default_branch: str | None = None
    authored_at: datetime | None = None
    subject: str | None = None
    tree_cut: bool = False
    out_of_scope: int = 0
    login_refused: bool = False


class ReusedView(BaseModel):
    """How many of the files read so far were the same in an earlier analysis, and taken over; `percent` rounds down."""

    files: int
    of: int
    percent: int


class AnalysisSummary(BaseModel):
    """One analysis as lists show it. `version` is that of its stream: listen to events after it.

    `history_depth` is how many commits back its history was asked for. `imported_at` is when it was taken over from a
    bundle, which is when work on it began here; null where it was made here.
    """

    analysis_id: UUID
    repository_id: UUID
    url: str
    name: str
    ref: str | None
    folder: str = ""
    include: list[str] = Field(default_factory=list)
    commit: str | None
    head: HeadView | None = None
    state: AnalysisState
    version: int
    requested_at: datetime
    imported_at: datetime | None = None
    history_depth: int = 0
    answerable_at: datetime | None = None
    ready_at: datetime | None = None
    refined_at: datetime | None = None
    ended_at: datetime | None = None
    code: str | None = None
    message: str | None = None
    partial: bool = False
    totals: dict[str, int] = Field(default_factory=dict)
    skipped: dict[str, int] = Field(default_factory=dict)
    failed: dict[str, int] = Field(default_factory=dict)
    languages: dict[str, int] = Field(default_factory=dict)
    outcomes: dict[str, int] = Field(default_factory=dict)  # files by what parsing did: `parsed`, `lines.no_grammar`, …
    reused: ReusedView | None = None  # null where nothing was taken over
    damaged: list[str] = Field(default_factory=list)  # artifacts that could not be read back, each with its reason


class EstimateView(BaseModel):
    """What an analysis was expected to take once its tree was listed.

    `seconds` until it is ready, by `measured` earlier analyses; null where there are none. `cost` of embedding `tokens`
    in `currency`; null where that costs nothing. `over` are the limits (files, bytes, minutes, cost) that it is over;
    then it waited until `until` for a person, who let it go on at `confirmed_at`. `known_files` with `known_bytes` are
    as an earlier analysis had them; what it made of them may be taken over, and is not taken off the other numbers.
    """

    files: int
    bytes: int
    known_files: int = 0
    known_bytes: int = 0
    seconds: float | None = None
    measured: int = 0
    tokens: int = 0
    cost: float | None = None
    currency: str = ""
    over: list[str] = Field(default_factory=list)
    until: datetime | None = None
    confirmed_at: datetime | None = None


class AnalysisView(AnalysisSummary):
    """One analysis with its stages and facts."""

    stages: list[StageView]
    estimate: EstimateView | None = None
    spent: SpentView | None = None
    metadata: dict[str, object] = Field(default_factory=dict)
    structure: dict[str, object] = Field(default_factory=dict)
    history: dict[str, object] = Field(default_factory=dict)


class AnalysisRequest(Body):
    """Ask for an analysis of `url` at `ref` (a branch, a tag or a commit; the default branch where it is left out).

    `folder` limits it to what is below that path. Both may stand in the address: `/tree/<ref>/<folder>`. `include` are
    patterns, as `.gitignore` has them, of files to be read although a rule would leave them out.
    """

    url: str = Field(max_length=2_000)
    ref: str | None = Field(default=None, max_length=255)
    commit: str | None = Field(
        default=None,
        pattern=r"^([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$",
        description="What a look showed for that ref: it is read, wherever the ref is by now.",
    )
    include: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=50)
    folder: str | None = Field(default=None, max_length=1_024)
    force: bool = Field(default=False, description="Begin although that commit was analysed already.")
    history: int = Field(default=0, ge=0, le=1_000_000, description="How many commits back history is read; 0: none.")
    token: SecretStr | None = Field(default=None, description="For this analysis alone, of a private repository.")
    credential: UUID | None = Field(default=None, description="A kept token (`/me/credentials`) to read it by.")
    after: UUID | None = Field(
        default=None,
        description="The analysis of the same repository that it is to renew: no more history is read than is by now.",
    )


class RepositoryView(BaseModel):
    """A repository, or one `folder` of it, and its newest analysis.

    `serving` is the one that searches and questions go to: the newest, or an earlier one until the newest is as good as
    that; null where there is none.
    """

    repository_id: UUID
    url: str
    name: str
    folder: str = ""
    host: str
    registered_at: datetime
    latest: AnalysisSummary | None = None
    serving: UUID | None = None


class CancelBody(Body):
    """Why the analysis is to stop; may be left out."""

    reason: str = Field(default="", max_length=500)


class ConversationRequest(Body):
    """Begin to talk about a repository."""

    repository_id: UUID


class QuestionRequest(Body):
    """Ask. `model` is one of the configured ones; the default where it is left out.

    `mode` is answer (one search, then the model), deep (the model searches and reads in steps) or extractive (the
    places themselves, without a model).
    """

    query: str = Field(min_length=1, max_length=4_000)
    model: str | None = Field(default=None, max_length=200)
    mode: Mode = "answer"
    scope: ScopeBody | None = Field(
        default=None, description="What is searched: a folder, a file, a language, a definition."
    )


class QuestionView(AnswerView):
    """A question and, when there is one, its answer. `state` is asked, answered or failed.

    `again` is the first attempt at the same question, where this is another one.
    `degraded` says why the search behind it was by words only: vectors_unavailable, vectors_missing, model_changed,
    embedder_unavailable.
    """

    question_id: UUID
    conversation_id: UUID
    repository_id: UUID
    query: str
    state: str
    asked_at: datetime
    code: str | None = None
    message: str | None = None
    rating: int | None = None
    again: UUID | None = None
    scope: Scope | None = None


class ConversationView(BaseModel):
    """A conversation with its questions, oldest first."""

    conversation_id: UUID
    repository_id: UUID
    title: str
    started_at: datetime
    version: int = Field(default=0, description="Of its newest event: `GET /api/v1/events/live` goes on after it.")
    questions: list[QuestionView] = Field(default_factory=list)


class Problem(BaseModel):
    """An error as RFC 9457 describes it. `code` is stable; `detail` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    correlation_id: str


class ConfigView(BaseModel):
    """What this installation offers: the configured models (the first is the default; none: extractive answers).

    `modes` are those that questions can be asked in and that differ here, the default first.
    """

    models: list[str]
    modes: list[Mode]
    hosts: list[str]
    loopback_repositories: bool


class UserView(BaseModel):
    """Who is signed in, what they are in the tenant they work in, and what this credential lets them do."""

    user_id: UUID
    tenant_id: UUID
    name: str
    local: bool
    role: str = "owner"
    scopes: list[str] = Field(default_factory=list)
