"""What is sent about an answer, and a conversation as a document."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from orchestrator.api.answer_models import Mode
from orchestrator.api.strict import Body


class AgainRequest(Body):
    """Ask again: by another of the configured models, in another mode, in other words, or as before without these."""

    query: str | None = Field(default=None, min_length=1, max_length=4_000)
    model: str | None = Field(default=None, max_length=200)
    mode: Mode | None = None


class ConversationSummary(BaseModel):
    """A conversation in a list: what was asked first, as it was asked last, and how many questions it has."""

    conversation_id: UUID
    repository_id: UUID
    title: str
    started_at: datetime
    first_question: str | None = None
    questions: int = 0


class ConversationDocument(BaseModel):
    """A conversation as Markdown."""

    conversation_id: UUID
    markdown: str


class RatingRequest(Body):
    """Whether the answer helped: 1 or -1."""

    rating: Literal[-1, 1]
