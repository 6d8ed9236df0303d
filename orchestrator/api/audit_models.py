"""The shapes of the audit trail's routes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from orchestrator.api.paging import Cursor, Limit

_WORD = Field(default="", max_length=200, pattern=r"^[^\x00]*$")


class AuditQuery(BaseModel):
    """What to look for; what is left out fits everything. `action` and `target` are beginnings of theirs.

    `user` is an id or a login; `since` is included, `until` is not.
    """

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    user: str = _WORD
    action: str = _WORD
    outcome: Literal["", "allowed", "refused", "failed"] = ""
    target: str = _WORD
    address: str = _WORD
    code: str = _WORD
    tenant_id: UUID | None = None
    correlation_id: UUID | None = None


class AuditPageQuery(AuditQuery):
    """What to look for, and which page of it."""

    cursor: Cursor = None
    limit: Limit = 100


class AuditView(BaseModel):
    """One entry. `login` is what the person is called now; empty where nobody was signed in or the account is gone.

    `status` is null where the connection ended before an answer. `hash` seals it to the entry before; `origin` is the
    hash of `salt`, address and agent that it covers. Without a salt the account was deleted, and from where is gone.
    """

    position: int
    entry_id: UUID
    at: datetime
    action: str
    outcome: str
    target: str
    status: int | None
    code: str
    tenant_id: UUID | None
    user_id: UUID | None
    login: str = ""
    proof: str
    proof_id: UUID | None
    address: str
    agent: str
    correlation_id: UUID | None
    times: int
    salt: str | None = None
    origin: str | None = None
    hash: str


class AuditPage(BaseModel):
    """A page of entries, newest first."""

    items: list[AuditView]
    next: str | None = None


class AuditCheck(BaseModel):
    """Whether the trail is whole. `broken_at` is the first entry that does not fit what stands before it.

    `next` is what to go on after where not all was checked. Note `last` and `hash` elsewhere: they prove all before.
    """

    checked: int
    first: int
    last: int
    hash: str
    broken_at: int | None
    next: int | None
