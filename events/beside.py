"""What is asked of rag_manager about the shadow of an index, and what it tells."""

from datetime import datetime
from uuid import UUID

from events.base import Context, Value
from events.processing import StageCompleted, StageRequested
from events.question import SearchReply


class BesideRequest(Value):
    """Questions to be searched for in an analysis as it serves, and in a shadow of its index. No model is asked."""

    tenant_id: UUID
    shadow_id: UUID
    queries: tuple[str, ...]
    limit: int = 10


class FoundBeside(Value):
    """What was found of one question, the best first: as it serves (`live`), and in the shadow."""

    live: SearchReply
    shadow: SearchReply


class BesideReply(Value):
    """What was found of each question, in their order."""

    found: tuple[FoundBeside, ...]


class IndexPromotion(Value):
    """Have the index of a shadow take the place of the one that serves, as the next attempt of its stage.

    `requested` and `completed` are what the history gains after its version `expected`; the artifacts of `completed`
    are those of the shadow, until they are stored.
    """

    shadow_id: UUID
    stream_id: str
    expected: int
    at: datetime
    context: Context
    requested: StageRequested
    completed: StageCompleted


class IndexPromoted(Value):
    """It was done."""

    shadow_id: UUID
