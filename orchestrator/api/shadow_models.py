"""Shadows as they are asked for and told of."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from events.question import Citation
from orchestrator.adapters.promoting_shadows import WORKFLOW
from orchestrator.api.strict import Body


class ShadowRequest(Body):
    """An analysis of the team, and the stage: metadata, structure, parse, link, index, embed, answer or workflow.

    `passages_of` names a shadow of parse of the same analysis that is done: an index is made of its passages.
    """

    analysis_id: UUID
    stage: str = Field(default=WORKFLOW, max_length=20)
    passages_of: UUID | None = None


class ShadowTable(BaseModel):
    """Rows of one kind of artifact as they serve (`live`) and as the shadow made them.

    `columns` are those that only one side has. An example has the row `before` and `after`, null where it is not there.
    """

    live: int
    shadow: int
    same: int
    added: int
    removed: int
    changed: int
    columns: list[str] = Field(default_factory=list)
    examples: list[dict[str, Any]] = Field(default_factory=list)


class ShadowPassage(BaseModel):
    """A passage that either side found, with its place there, from 1; null on the side that did not find it."""

    path: str
    first_line: int
    last_line: int
    live: int | None
    shadow: int | None


class ShadowSearch(BaseModel):
    """What was found of a question on both sides: the shadow's passages in their order, then those that it lost.

    It was asked in a conversation, or suggested as a first one where nobody asked any yet. `same` have the same place
    on both sides, `moved` another one. `live_degraded` and `shadow_degraded` say why a side was searched by words only.
    """

    question: str
    conversation_id: UUID | None = None
    question_id: UUID | None = None
    passages: list[ShadowPassage]
    same: int
    moved: int
    gained: int
    lost: int
    live_degraded: str | None = None
    shadow_degraded: str | None = None


class ShadowAnswered(BaseModel):
    """An answer as it was given, or as the present code gives it; `refused` is empty, or why nothing was answered.

    `generation_kind` is the index that was searched for it: the one that served then, or that serves now.
    """

    answer: str
    mode: str
    refused: str = ""
    generation_kind: str | None = None
    citations: list[Citation] = Field(default_factory=list)
    removed_citations: int = 0
    removed_quotes: int = 0
    confidence: float | None = None


class ShadowAnswer(BaseModel):
    """A recorded question, its answer (`before`), and the present code's (`after`), or why there is none (`code`).

    `changed` names what differs: answer, citations, refused. `gained` and `lost` are the citations of one side alone.
    """

    question: str
    conversation_id: UUID
    question_id: UUID
    before: ShadowAnswered
    after: ShadowAnswered | None = None
    changed: list[str] = Field(default_factory=list)
    gained: list[Citation] = Field(default_factory=list)
    lost: list[Citation] = Field(default_factory=list)
    code: str | None = None
    message: str | None = None


class ShadowReport(BaseModel):
    """What is different: rows by kind of artifact, counts and facts of the stage; of the workflow its decisions.

    Of an index what is found in it (`searches`), looked up when one shadow is looked at, for whoever looks at it; and
    of what its vectors are (`index`): model, kind, how many, and of how many passages none is recorded. Of answers
    each question with both (`answers`), likewise for whoever looks, and how many of those that it answered are not
    there any more (`gone`). `agrees` is null where nothing was compared.
    """

    agrees: bool | None = None
    tables: dict[str, ShadowTable] = Field(default_factory=dict)
    counts: dict[str, dict[str, int]] = Field(default_factory=dict)
    facts: list[dict[str, Any]] = Field(default_factory=list)
    decided: int = 0
    decisions: list[dict[str, Any]] = Field(default_factory=list)
    not_recorded: list[dict[str, Any]] = Field(default_factory=list)
    index: dict[str, Any] = Field(default_factory=dict)
    searches: list[ShadowSearch] = Field(default_factory=list)
    answers: list[ShadowAnswer] = Field(default_factory=list)
    gone: int = 0


class ShadowView(BaseModel):
    """A shadow: `asked` until it is `done`, or `failed`, for the reason that `code` and `message` say.

    A shadow that is done has these where what is found in it cannot be looked up now, or would be compared with
    something else than what served when it was asked for (`shadow_outdated`). `runs_ended` of its `runs` are over; then
    what they made is compared. `not_promotable` says why one that is done cannot take the place of what serves, as
    things are now; null where it can, where it did, and in the list.
    """

    shadow_id: UUID
    analysis_id: UUID
    repository_id: UUID
    stage: str
    state: Literal["asked", "done", "failed"]
    asked_at: datetime
    ended_at: datetime | None
    promoted_at: datetime | None
    code: str | None
    message: str | None
    report: ShadowReport
    runs: int = 0
    runs_ended: int = 0
    not_promotable: str | None = None


class ShadowPage(BaseModel):
    """A page of shadows, without their examples."""

    items: list[ShadowView]
    next: str | None = None
