"""What happens to the search index of a repository."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from events.base import Event


class GenerationKind(StrEnum):
    """Lexical only, with quick vectors, or with full vectors."""

    LEXICAL = "lexical"
    QUICK = "quick"
    FULL = "full"


class IndexBuilt(Event):
    """A generation is complete and verified, and not yet searched."""

    event_type: ClassVar[str] = "rag.index.built"
    analysis_id: UUID
    generation_id: UUID
    kind: GenerationKind
    chunks: int
    model: str | None = None
    dimension: int | None = None


class EmbedderChanged(Event):
    """A full generation is of another model than the one that embeds now (`wanted`): one of that is built beside it.

    `model` is the generation's; empty where its vectors were of two.
    """

    event_type: ClassVar[str] = "rag.embedder.changed"
    analysis_id: UUID
    generation_id: UUID
    model: str
    wanted: str


class IndexActivated(Event):
    """The repository's searches now go to this generation.

    `instead_of` is the one that it took the place of on a person's word, None where a stage built it.
    """

    event_type: ClassVar[str] = "rag.index.activated"
    analysis_id: UUID
    generation_id: UUID
    kind: GenerationKind
    chunks: int
    model: str | None = None
    instead_of: UUID | None = None
