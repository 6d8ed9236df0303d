"""What happens to a message that ended its workers too often: it is parked, and a person decides."""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from events.base import Event


class MessageParked(Event):
    """A consumer set a message of this stream aside after `attempts` deliveries. `error` is a sentence of ours."""

    event_type: ClassVar[str] = "delivery.message.parked"
    letter_id: UUID
    consumer: str
    topic: str
    seq: int
    attempts: int
    error: str


class MessageRetried(Event):
    """An administrator had what was parked done again: the workflow looks anew at the stream as it is by now."""

    event_type: ClassVar[str] = "delivery.message.retried"
    letter_id: UUID
    consumer: str


class MessageDiscarded(Event):
    """An administrator decided that what was parked is not done."""

    event_type: ClassVar[str] = "delivery.message.discarded"
    letter_id: UUID
    consumer: str


class MessageEdited(Event):
    """An administrator had what was parked done with other values: the event after this one carries them.

    `fields` names what was changed; `before` and `after` are the values of those fields.
    """

    event_type: ClassVar[str] = "delivery.message.edited"
    private: ClassVar[Mapping[str, object]] = {"before": {}, "after": {}}
    letter_id: UUID
    consumer: str
    fields: tuple[str, ...]
    before: dict[str, object]
    after: dict[str, object]
