"""What happens to an account. Who did what is in the audit trail (docs/decisions/0150-audit-trail.md)."""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from events.base import ERASED, Event, Subject


class SignedIn(Event):
    """Somebody began a session."""

    event_type: ClassVar[str] = "account.signed_in"
    private: ClassVar[Mapping[str, object]] = {"login": ERASED}
    belongs_to: ClassVar[tuple[Subject, ...]] = (Subject.TENANT, Subject.USER)
    login: str
    provider: str


class SessionRevoked(Event):
    """Somebody ended a session of theirs, by signing out or from another one."""

    event_type: ClassVar[str] = "account.session.revoked"
    session_id: UUID


class AccountDeleted(Event):
    """Somebody had their account deleted, and with it each tenant that was theirs alone."""

    event_type: ClassVar[str] = "account.deleted"


class TenantDeleted(Event):
    """A tenant was deleted, with all that it had; stands in the stream `tenant/<id>`."""

    event_type: ClassVar[str] = "tenant.deleted"
