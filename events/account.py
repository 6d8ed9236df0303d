"""What happens to an account, to a tenant and to its members.

Who did what is in the audit trail (docs/decisions/0150-audit-trail.md).
"""

from collections.abc import Mapping
from datetime import datetime
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


class SessionSwitched(Event):
    """Somebody went on to work in another tenant: the session has a new id, and tokens of the old one are refused."""

    event_type: ClassVar[str] = "account.session.switched"
    session_id: UUID
    to_tenant_id: UUID


class TenantCreated(Event):
    """Somebody made a team."""

    event_type: ClassVar[str] = "tenant.created"
    private: ClassVar[Mapping[str, object]] = {"name": ERASED}
    belongs_to: ClassVar[tuple[Subject, ...]] = (Subject.TENANT,)
    name: str


class TenantRenamed(Event):
    """A team has another name."""

    event_type: ClassVar[str] = "tenant.renamed"
    private: ClassVar[Mapping[str, object]] = {"name": ERASED}
    belongs_to: ClassVar[tuple[Subject, ...]] = (Subject.TENANT,)
    name: str


class MemberJoined(Event):
    """Somebody became a member of a team, by an invitation."""

    event_type: ClassVar[str] = "tenant.member.joined"
    member_id: UUID
    role: str
    invitation_id: UUID


class MemberRoleChanged(Event):
    """A member has another role."""

    event_type: ClassVar[str] = "tenant.member.role_changed"
    member_id: UUID
    role: str


class MemberLeft(Event):
    """Somebody is no member any more: they went, or, where the event's user is somebody else, were removed."""

    event_type: ClassVar[str] = "tenant.member.left"
    member_id: UUID


class InvitationMade(Event):
    """An owner made a link by which one person can join."""

    event_type: ClassVar[str] = "tenant.invitation.made"
    private: ClassVar[Mapping[str, object]] = {"login": ERASED}
    belongs_to: ClassVar[tuple[Subject, ...]] = (Subject.TENANT,)
    invitation_id: UUID
    role: str
    login: str | None
    expires_at: datetime


class InvitationRevoked(Event):
    """Nobody can join by this link any more."""

    event_type: ClassVar[str] = "tenant.invitation.revoked"
    invitation_id: UUID


class ShareMade(Event):
    """Somebody made a link by which others see one repository or one conversation."""

    event_type: ClassVar[str] = "tenant.share.made"
    share_id: UUID
    kind: str
    resource_id: UUID
    expires_at: datetime


class ShareRevoked(Event):
    """A sharing link shows nothing any more."""

    event_type: ClassVar[str] = "tenant.share.revoked"
    share_id: UUID
