"""Two analyses of one repository beside each other."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from orchestrator.api.models import QuestionView
from orchestrator.api.spent_models import SpentView

Kind = Literal["added", "removed", "changed"]
What = Literal["files", "symbols", "dependencies", "chunks"]


class ComparedView(BaseModel):
    """One of the two. `seconds` from the request, or its import, until it was ready; `cost` as estimated, where known.

    `spent` is what embedding it really took. `lacks`: stages of which not every shard has a result (of clone, metadata
    and parse), so that what it has not is not gone.
    """

    analysis_id: UUID
    commit: str | None = None
    ref: str | None = None
    state: str
    requested_at: datetime
    seconds: float | None = None
    cost: float | None = None
    currency: str = ""
    spent: SpentView | None = None
    totals: dict[str, int] = Field(default_factory=dict)
    lacks: list[str] = Field(default_factory=list)


class CountsView(BaseModel):
    """How many things are in the newer one alone, in the older one alone, in both but different, or the same."""

    added: int
    removed: int
    changed: int
    same: int


class StageCompared(BaseModel):
    """One stage: seconds that its runs worked, one after the other, in each of the two; null where it has none."""

    stage: str
    before: float | None = None
    after: float | None = None


class ComparisonView(BaseModel):
    """What is different between two analyses of a repository; the lists are below `differences`.

    Files are compared by their content; symbols by signatures, length, complexity and the text of their bodies, not by
    where they stand; chunks by their texts, file by file.
    """

    before: ComparedView
    after: ComparedView
    files: CountsView
    symbols: CountsView
    dependencies: CountsView
    chunks: CountsView
    stages: list[StageCompared]


class DifferenceView(BaseModel):
    """One thing that is different: what it is, as its path or path, kind and name; what is known of it in each."""

    name: list[str]
    kind: Kind
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class DifferencePage(BaseModel):
    """A page of differences in the order of their names; `total` counts them over all pages."""

    items: list[DifferenceView]
    total: int
    next: str | None = None


class QuestionCompared(BaseModel):
    """A question that was answered at both: as it was meant, and both answers.

    Of each answer `passages` are those that it cites; it has no `steps` and no `plan`.
    """

    query: str
    before: QuestionView
    after: QuestionView


class SameQuestions(BaseModel):
    """A page of questions that both have an answer to, the newest first; `total` counts them over all pages.

    They are looked for in the newest 200 conversations in which one of the two was asked; `left_out` counts the others.
    """

    items: list[QuestionCompared]
    total: int
    next: str | None = None
    left_out: int = 0
