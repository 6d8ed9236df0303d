"""What is sent about an answer, and a conversation as a document."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from orchestrator.api.answer_models import Mode


class AgainRequest(BaseModel):
    """Ask again: by another of the configured models or in another mode, or as before where these are left out."""

    model: str | None = Field(default=None, max_length=200)
    mode: Mode | None = None


class ConversationDocument(BaseModel):
    """A conversation as Markdown."""

    conversation_id: UUID
    markdown: str


class RatingRequest(BaseModel):
    """Whether the answer helped: 1 or -1."""

    rating: Literal[-1, 1]
