"""The shapes of requests and replies about tenants, their members, invitations and sharing links."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from orchestrator.api.strict import Body
from orchestrator.auth.identity import Kind, Role
from orchestrator.auth.invitations import LONGEST as LONGEST_INVITATION
from orchestrator.auth.invitations import State
from orchestrator.auth.shares import LONGEST as LONGEST_SHARE

_INVITATION_DAYS, _SHARE_HOURS = LONGEST_INVITATION.days, LONGEST_SHARE.days * 24


def team_name(text: str) -> str:
    """A name as it is shown: blanks at the ends are nobody's wish. Raises ValueError for what cannot be read."""
    name = text.strip()
    if not name or not name.isprintable():
        raise ValueError("use letters, digits and punctuation, and at least one of them")
    return name


def login_of(text: str | None) -> str | None:
    """A login as people write it, without the `@`; None where there is none. Raises ValueError."""
    login = (text or "").strip().removeprefix("@")
    if not login.isprintable() or " " in login:
        raise ValueError("write the login as the provider shows it")
    return login or None


TeamName = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(team_name)]
RoleName = Literal["owner", "member", "viewer"]


class TenantRequest(Body):
    """What the team is called."""

    name: TeamName


class TenantView(BaseModel):
    """A tenant of yours: `personal` is your own, `current` the one that you work in, `role` what you are in it."""

    tenant_id: UUID
    name: str
    personal: bool
    role: Role
    since: datetime
    current: bool


class TenantPage(BaseModel):
    """Your tenants; there is never more than one page of them."""

    items: list[TenantView]
    next: str | None = None


class MemberView(BaseModel):
    """Somebody in a team. `you` is whoever asks."""

    user_id: UUID
    login: str
    name: str
    role: Role
    since: datetime
    you: bool


class MemberPage(BaseModel):
    """The members of a team; there is never more than one page of them."""

    items: list[MemberView]
    next: str | None = None


class RoleChange(Body):
    """What a member is to be."""

    role: RoleName


class InvitationRequest(Body):
    """As what somebody is invited, for how long, and who alone may accept; without a login, whoever has the link.

    The login is one of the provider that you signed in with yourself.
    """

    role: RoleName = "member"
    login: Annotated[str | None, Field(max_length=100), AfterValidator(login_of)] = None
    expires_in_days: int = Field(default=7, ge=1, le=_INVITATION_DAYS)


class InvitationView(BaseModel):
    """An invitation without its secret."""

    invitation_id: UUID
    role: Role
    login: str | None
    state: State
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_by: UUID | None


class InvitationMade(InvitationView):
    """A new invitation with its secret and its link, which are shown this once."""

    secret: str
    url: str


class InvitationPage(BaseModel):
    """A page of invitations, the newest first."""

    items: list[InvitationView]
    next: str | None = None


class InvitationSecret(Body):
    """The secret of an invitation: what stands in its link behind the `#`."""

    secret: str = Field(max_length=256)


class OfferView(BaseModel):
    """What an invitation offers."""

    tenant_id: UUID
    team: str
    role: Role
    inviter: str


class ShareRequest(Body):
    """For how long the link is to show it."""

    expires_in_hours: int = Field(default=168, ge=1, le=_SHARE_HOURS)


class ShareView(BaseModel):
    """A sharing link without its secret."""

    share_id: UUID
    kind: Kind
    resource_id: UUID
    created_by: UUID
    created_at: datetime
    expires_at: datetime


class ShareMade(ShareView):
    """A new sharing link with its secret, which is shown this once."""

    secret: str
    url: str


class SharePage(BaseModel):
    """A page of sharing links, the newest first."""

    items: list[ShareView]
    next: str | None = None


class SharedView(BaseModel):
    """What a sharing link shows."""

    kind: Kind
    resource_id: UUID
