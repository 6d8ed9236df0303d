"""What every fact is made of: a frozen value, an event, and the envelope that carries it.

`Draft` is an event that somebody wants to append; `Envelope` is one that the log has recorded.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Self
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

# The tenant and user of an installation on one person's machine.
LOCAL_TENANT = UUID("00000000-0000-4000-8000-000000000001")
LOCAL_USER = UUID("00000000-0000-4000-8000-000000000002")

# Root of all derived ids, so that the same cause always gives the same id.
NAMESPACE = UUID("6f1d4d4c-3f0e-5b43-9d6a-9f5d2c1f7a10")


class Value(BaseModel):
    """An immutable value. Unknown fields are ignored, so that an old reader survives a field that was added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Subject(StrEnum):
    """Whose a private field may be. Each has a key; a field is readable while the keys of all its subjects exist."""

    TENANT = "tenant"
    REPOSITORY = "repository"
    USER = "user"


ERASED = "[erased]"  # what an erased text reads as; a collection reads as empty
NOTHING_PRIVATE: Mapping[str, object] = MappingProxyType({})


class Event(Value):
    """Something that happened. A subclass is one event type at one schema version.

    `private` names the fields that the log keeps sealed, each with what it reads as once it was erased; `belongs_to`
    says whose they are (docs/decisions/0170-erasure.md).
    """

    event_type: ClassVar[str]
    schema_version: ClassVar[int] = 1
    private: ClassVar[Mapping[str, object]] = NOTHING_PRIVATE
    belongs_to: ClassVar[tuple[Subject, ...]] = (Subject.TENANT, Subject.REPOSITORY)


class Context(Value):
    """Whom and what an event is about, and what caused it."""

    tenant_id: UUID
    correlation_id: UUID
    causation_id: UUID | None = None
    repository_id: UUID | None = None
    user_id: UUID | None = None
    traceparent: str | None = None


class Draft(Value):
    """An event to be appended. `event_id` derives from its cause, so that appending twice is noticed."""

    event_id: UUID
    occurred_at: datetime
    context: Context
    event: Event
    stage: str | None = None


class Envelope(Value):
    """An event as the log recorded it. `version` is its place in its stream, `seq` its place among all events.

    `erased` names the fields whose values are gone for good: somebody had what they belong to deleted.
    """

    event_id: UUID
    event_type: str
    schema_version: int = 1
    stream_id: str
    version: int
    seq: int | None = None
    repository_id: UUID | None = None
    user_id: UUID | None = None
    tenant_id: UUID
    stage: str | None = None
    correlation_id: UUID
    causation_id: UUID | None = None
    traceparent: str | None = None
    timestamp: datetime
    data: dict[str, object]
    erased: tuple[str, ...] = ()

    @property
    def context(self) -> Context:
        """The context that an event caused by this one carries."""
        return Context(
            tenant_id=self.tenant_id,
            correlation_id=self.correlation_id,
            causation_id=self.event_id,
            repository_id=self.repository_id,
            user_id=self.user_id,
            traceparent=self.traceparent,
        )

    @classmethod
    def recorded(cls, values: dict[str, Any]) -> Self:
        """The envelope of `values`, which the log wrote: all fields, none of which is looked at. Keeps `values`.

        As pydantic's `model_construct`, which asks each field for its aliases and takes five times as long.
        """
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", values)
        object.__setattr__(made, "__pydantic_fields_set__", set(values))
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made

    def with_data(self, data: dict[str, object], erased: tuple[str, ...] = ()) -> Self:
        """The same envelope with other data."""
        return self.recorded(self.__dict__ | {"data": data, "erased": erased or self.erased})

    def with_seq(self, seq: int) -> Self:
        """The same envelope with its place among all events."""
        return self.recorded(self.__dict__ | {"seq": seq})


def derived_id(*parts: object) -> UUID:
    """An id that depends on nothing but its parts: delivered twice, it is the same id."""
    return uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts))


def caused_by(
    cause: Envelope, stream_id: str, event: Event, *, ordinal: int, at: datetime, stage: str | None = None
) -> Draft:
    """A draft of `event` on `stream_id`, caused by `cause`; `ordinal` tells several effects of one cause apart."""
    return Draft(
        event_id=derived_id(cause.event_id, stream_id, event.event_type, ordinal),
        occurred_at=at,
        context=cause.context,
        event=event,
        stage=stage,
    )
