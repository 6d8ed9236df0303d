"""What is shown of an answer, and of all that it rests on."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from events.question import Citation, Passage, PassedOver, PlanStep

Mode = Literal["answer", "deep", "extractive"]


class StepView(BaseModel):
    """One step of an answer in deep mode: what which tool was asked (as JSON), and what came of it.

    `said` is what the model said of it. `outcome` is ok, or the code of why there is no result; `found` counts what
    came back, `characters` how long it was, `places` are the lines that came with their text. `seconds` and the tokens
    are of the model's call and the tool's together.
    """

    number: int
    tool: str
    asked: str
    said: str = ""
    outcome: str = "ok"
    found: int = 0
    characters: int = 0
    places: list[Citation] = Field(default_factory=list)
    seconds: float = 0.0
    provider: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


class AnswerView(BaseModel):
    """An answer; `refused` is empty, or why there is none: `no_evidence` (by `evidence`, 0 to 1) or `not_in_passages`.

    `mode` is extractive, generated or deep, whose `steps` are there as they are taken; `prompt` is the version of what
    the model was told. `removed_citations` and
    `removed_quotes` count what nothing supported; `passed_over` names models that failed before the one that answered.
    `standalone` is what was searched for where that is not the question itself, rewritten by `standalone_by`; of the
    earlier turns `history_turns` were told to the model (about `history_tokens` tokens), `history_left_out` not. `plan`
    has the retrievers that were asked. Where the same was asked of the same generation before, the answer is that to
    question `earlier`, of `earlier_at`: no model was asked, and asking again asks one.
    Tokens and dollars are of all calls, also without an answer; `is_estimated` where no provider told some of them.
    """

    answer: str | None = None
    mode: str | None = None
    citations: list[Citation] = Field(default_factory=list)
    removed_citations: int = 0
    passages: list[Passage] = Field(default_factory=list)
    analysis_id: UUID | None = None
    commit: str | None = None
    generation_kind: str | None = None
    degraded: str | None = None
    confidence: float | None = None
    provider: str | None = None
    model: str | None = None
    prompt: str = ""
    response_time: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    is_estimated: bool = False
    refused: str = ""
    evidence: float | None = None
    removed_quotes: int = 0
    standalone: str = ""
    standalone_by: str = ""
    history_turns: int = 0
    history_tokens: int = 0
    history_left_out: int = 0
    passed_over: list[PassedOver] = Field(default_factory=list)
    plan: list[PlanStep] = Field(default_factory=list)
    earlier: UUID | None = None
    earlier_at: datetime | None = None
    steps: list[StepView] = Field(default_factory=list)
