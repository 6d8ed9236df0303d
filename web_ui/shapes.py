"""What the pages need of the API's replies. Unknown fields are ignored, so that an older page survives a newer API."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Shape(BaseModel):
    """An immutable part of a reply."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Stage(Shape):
    """One stage over all its shards, as `StageView` of the API."""

    stage: str
    state: str
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


class Head(Shape):
    """What was cloned: the ref as git names it, the repository's default branch, the commit's date and subject."""

    ref: str | None = None
    default_branch: str | None = None
    authored_at: datetime | None = None
    subject: str | None = None
    tree_cut: bool = False


class Analysis(Shape):
    """One analysis, as `AnalysisView` of the API."""

    analysis_id: str
    repository_id: str
    url: str
    name: str
    ref: str | None = None
    commit: str | None = None
    head: Head | None = None
    state: str
    version: int = 0
    requested_at: datetime
    answerable_at: datetime | None = None
    ready_at: datetime | None = None
    refined_at: datetime | None = None
    ended_at: datetime | None = None
    code: str | None = None
    message: str | None = None
    partial: bool = False
    stages: tuple[Stage, ...] = ()
    totals: dict[str, int] = Field(default_factory=dict)
    skipped: dict[str, int] = Field(default_factory=dict)
    failed: dict[str, int] = Field(default_factory=dict)
    languages: dict[str, int] = Field(default_factory=dict)
    metadata: dict[str, object] = Field(default_factory=dict)
    structure: dict[str, object] = Field(default_factory=dict)
    outcomes: dict[str, int] = Field(default_factory=dict)
    damaged: tuple[str, ...] = ()


class Page(Shape):
    """Some of many. The API sends short lists bare."""

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, reply: object) -> object:
        return {"items": reply} if isinstance(reply, list) else reply


class AnalysisPage(Page):
    """Analyses, newest first."""

    items: tuple[Analysis, ...] = ()


class File(Shape):
    """One entry of the tree. `outcome` is parsed, lines, failed or null where it was skipped; `size` in bytes.

    `reason` says why it was cut by lines, `errors` how many syntax errors the parser met.
    """

    path: str
    language: str | None = None
    file_class: str = "other"
    size: int = 0
    lines: int = 0
    outcome: str | None = None
    reason: str | None = None
    errors: int = 0
    skipped: str | None = None
    failed: str | None = None


class FilePage(Shape):
    """A page of entries; `next` is the cursor of the following one."""

    items: tuple[File, ...] = ()
    total: int = 0
    next: str | None = None


class Lines(Shape):
    """Lines of one file at the analysed commit; 1-based, inclusive."""

    path: str
    commit: str
    language: str | None = None
    first_line: int
    last_line: int
    line_count: int
    text: str


class Citation(Shape):
    """A checked place in the repository."""

    path: str
    first_line: int
    last_line: int


class Passage(Citation):
    """A piece of a file that was found; `ranks` says which retriever put it where."""

    text: str = ""
    language: str | None = None
    symbols: tuple[str, ...] = ()
    score: float = 0.0
    ranks: dict[str, int] = Field(default_factory=dict)


class Question(Shape):
    """A question and, when there is one, its answer. `state` is asked, answered or failed."""

    question_id: str
    conversation_id: str
    query: str
    state: str
    asked_at: datetime
    answer: str | None = None
    mode: str | None = None
    citations: tuple[Citation, ...] = ()
    removed_citations: int = 0
    passages: tuple[Passage, ...] = ()
    analysis_id: str | None = None
    commit: str | None = None
    generation_kind: str | None = None
    degraded: str | None = None
    confidence: float | None = None
    provider: str | None = None
    model: str | None = None
    response_time: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    code: str | None = None
    message: str | None = None


class Conversation(Shape):
    """A conversation with its questions, oldest first."""

    conversation_id: str
    repository_id: str
    title: str = ""
    started_at: datetime
    questions: tuple[Question, ...] = ()


class ConversationPage(Page):
    """Conversations without their questions, newest first."""

    items: tuple[Conversation, ...] = ()


class Config(Shape):
    """What the installation offers; no model means extractive answers, and the first is the default."""

    models: tuple[str, ...] = ()


class LoggedEvent(Shape):
    """An event as the log recorded it, with all its fields."""

    model_config = ConfigDict(frozen=True, extra="allow")
    event_id: str
    event_type: str
    version: int
    seq: int | None = None
    stage: str | None = None
    timestamp: datetime
    data: dict[str, object] = Field(default_factory=dict)


class EventPage(Shape):
    """Events in their order; `next` is what to go on after."""

    items: tuple[LoggedEvent, ...] = ()
    next: int | None = None


class Problem(Shape):
    """An error as RFC 9457 describes it. `code` is stable; `detail` says what to do."""

    title: str
    detail: str = ""
    code: str = ""
    status: int = 0
    correlation_id: str = ""
