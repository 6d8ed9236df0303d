"""How conversations begin, come from elsewhere, and go."""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from events.base import ERASED, Event, Subject


class ConversationStarted(Event):
    """A person began to talk about a repository."""

    event_type: ClassVar[str] = "conversation.started"
    private: ClassVar[Mapping[str, object]] = {"title": ERASED}
    belongs_to: ClassVar[tuple[Subject, ...]] = (Subject.TENANT, Subject.REPOSITORY, Subject.USER)
    repository_id: UUID
    title: str


class ConversationDeleted(Event):
    """Somebody had a conversation deleted; or a policy did, which `policy` then names: the setting and its value."""

    event_type: ClassVar[str] = "conversation.deleted"
    policy: str = ""


class ConversationImported(Event):
    """A conversation that was held elsewhere was taken over, from a bundle with the hash `bundle`.

    `conversation_id` is what it was called there.
    """

    event_type: ClassVar[str] = "conversation.imported"
    conversation_id: UUID
    bundle: str
    events: int
