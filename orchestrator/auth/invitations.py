"""Invitations into a team: a link with a secret, good once, for one person where it names a login."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.account import InvitationMade, InvitationRevoked, MemberJoined
from events.base import Context
from orchestrator.auth import members
from orchestrator.auth.facts import Facts
from orchestrator.auth.identity import Role
from orchestrator.auth.links import INVITATION, hash_of, new_secret
from orchestrator.auth.tenants import gone, lock_team, role_in, still_owner
from runtime.faults import Permanent

LONGEST = timedelta(days=30)
MOST = 100  # open ones of a team
_OPEN = "used_at IS NULL AND revoked_at IS NULL AND expires_at > now()"
_COLUMNS = f"""
    invitation_id, role, login, created_by, created_at, expires_at, used_at, used_by, revoked_at, CASE
    WHEN used_at IS NOT NULL THEN 'used' WHEN revoked_at IS NOT NULL THEN 'revoked'
    WHEN {_OPEN} THEN 'open' ELSE 'expired' END AS state
"""
_TENANT = text("SELECT app.tenant_of_invitation(:hash)")
_COUNT = text(f"SELECT count(*) FROM app.invitations WHERE tenant_id = :tenant AND {_OPEN}")  # noqa: S608  # constants of ours
_ADD = text(f"""
    INSERT INTO app.invitations
      (invitation_id, tenant_id, secret_hash, role, login, provider, created_by, expires_at)
    SELECT :id, :tenant, :hash, :role, CAST(:login AS text),
      CASE WHEN CAST(:login AS text) IS NOT NULL THEN provider END, :user, now() + CAST(:life AS interval)
    FROM auth.users WHERE user_id = :user RETURNING {_COLUMNS}
""")  # noqa: S608  # the same
_LIST = text(f"""
    SELECT {_COLUMNS} FROM app.invitations WHERE tenant_id = :tenant
      AND (CAST(:at AS timestamptz) IS NULL OR (created_at, invitation_id) < (:at, CAST(:last AS uuid)))
    ORDER BY created_at DESC, invitation_id DESC LIMIT :limit
""")  # noqa: S608  # the same
_REVOKE = text("""
    UPDATE app.invitations SET revoked_at = now()
    WHERE tenant_id = :tenant AND invitation_id = :id AND used_at IS NULL AND revoked_at IS NULL RETURNING invitation_id
""")
_FIND = text(f"""
    SELECT {_COLUMNS}, provider, (SELECT name FROM auth.tenants t WHERE t.tenant_id = i.tenant_id) AS team,
      (SELECT u.issuer FROM auth.users u WHERE u.user_id = i.created_by) AS issuer,
      (SELECT coalesce(nullif(u.name, ''), u.login) FROM auth.users u WHERE u.user_id = i.created_by) AS inviter
    FROM app.invitations i WHERE tenant_id = :tenant AND secret_hash = :hash
""")  # noqa: S608  # the same
_USE = text("UPDATE app.invitations SET used_at = now(), used_by = :user WHERE invitation_id = :id")
_LOGIN = text("SELECT login, provider, issuer FROM auth.users WHERE user_id = :user")
_MEMBERS = text("SELECT count(*) FROM auth.members WHERE tenant_id = :tenant")
_JOIN = text("INSERT INTO auth.members (tenant_id, user_id, role) VALUES (:tenant, :user, :role)")
_WHY = {
    "used": ("invitation_used", "It was used already, and is good once: ask for another."),
    "revoked": ("invitation_revoked", "It was taken back: ask whoever sent it."),
    "expired": ("invitation_expired", "It is over: ask for another."),
}


class State(StrEnum):
    """What became of an invitation."""

    OPEN = "open"
    USED = "used"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Invitation:
    """An invitation as owners see it: never its secret."""

    invitation_id: UUID
    role: Role
    login: str | None
    state: State
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_by: UUID | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class Offer:
    """What whoever has the link is offered: to be `role` in `team`, by `inviter`."""

    tenant_id: UUID
    team: str
    role: Role
    inviter: str


class Invitations:
    """`app.invitations`, and how one becomes a membership."""

    def __init__(self, engine: AsyncEngine, facts: Facts) -> None:
        self._engine = engine
        self._facts = facts

    async def make(self, role: Role, login: str | None, life: timedelta, context: Context) -> tuple[Invitation, str]:
        """A new one with its secret, which nobody can see again. Raises Permanent `too_many_invitations`.

        `login` is one of the provider that whoever makes it signed in with.
        """
        secret = new_secret(INVITATION)
        values: dict[str, object] = {"tenant": context.tenant_id, "user": context.user_id, "role": role.value}
        values |= {"login": login, "id": uuid4(), "hash": hash_of(INVITATION, secret), "life": min(life, LONGEST)}
        async with self._facts.of(context.tenant_id) as connection:
            await lock_team(connection, context.tenant_id)
            await still_owner(connection, context)
            if (await connection.execute(_COUNT, {"tenant": context.tenant_id})).scalar_one() >= MOST:
                raise Permanent("too_many_invitations", f"{MOST} are open: revoke one that is not needed.")
            made = _invitation((await connection.execute(_ADD, values)).one())
            event = InvitationMade(
                invitation_id=made.invitation_id, role=role.value, login=login, expires_at=made.expires_at
            )
            await self._facts.say_of_tenant(connection, event, context)
        return made, secret

    async def of(self, tenant_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Invitation]:
        """A tenant's, the newest first, with those that are over."""
        at, last = after if after is not None else (None, None)
        async with self._facts.rows.of(tenant_id) as connection:
            rows = await connection.execute(_LIST, {"tenant": tenant_id, "at": at, "last": last, "limit": limit})
            return [_invitation(row) for row in rows]

    async def revoke(self, invitation_id: UUID, context: Context) -> None:
        """Let nobody join by it any more. Raises Permanent `not_found` where there is no open one of that id."""
        async with self._facts.of(context.tenant_id) as connection:
            await lock_team(connection, context.tenant_id)
            await still_owner(connection, context)
            done = await connection.execute(_REVOKE, {"tenant": context.tenant_id, "id": invitation_id})
            if done.first() is None:
                raise gone()
            await self._facts.say_of_tenant(connection, InvitationRevoked(invitation_id=invitation_id), context)

    async def look(self, secret: str, user_id: UUID) -> Offer:
        """What the link offers the person. Raises Permanent as `accept` does."""
        tenant_id, digest = await self._tenant_of(secret)
        async with self._facts.rows.of(tenant_id) as connection:
            row = await _usable(connection, tenant_id, digest, user_id)
        return Offer(tenant_id, row.team, Role(row.role), row.inviter)

    async def accept(self, secret: str, user_id: UUID, correlation_id: UUID) -> UUID:
        """Make the person a member; the team's id. Of several at once one wins.

        Raises Permanent: `not_found` for no secret of ours, `invitation_for_another`, `invitation_used`, …`_revoked`,
        …`_expired`, `already_member`, `too_many_members`.
        """
        tenant_id, digest = await self._tenant_of(secret)
        values = {"tenant": tenant_id, "user": user_id}
        async with self._facts.of(tenant_id) as connection:
            await lock_team(connection, tenant_id)
            row = await _usable(connection, tenant_id, digest, user_id)
            if (await connection.execute(_MEMBERS, {"tenant": tenant_id})).scalar_one() >= members.MOST:
                raise Permanent("too_many_members", f"A team has at most {members.MOST} members.")
            await connection.execute(_JOIN, values | {"role": row.role})
            await connection.execute(_USE, {"user": user_id, "id": row.invitation_id})
            context = Context(tenant_id=tenant_id, correlation_id=correlation_id, user_id=user_id)
            event = MemberJoined(member_id=user_id, role=row.role, invitation_id=row.invitation_id)
            await self._facts.say_of_tenant(connection, event, context)
        return tenant_id

    async def _tenant_of(self, secret: str) -> tuple[UUID, bytes]:
        digest = hash_of(INVITATION, secret)
        if digest is not None:
            async with self._engine.connect() as connection:
                found: UUID | None = await connection.scalar(_TENANT, {"hash": digest})
            if found is not None:
                return found, digest
        raise Permanent("not_found", "Check the link: there is no such invitation.")


async def _usable(connection: AsyncConnection, tenant_id: UUID, digest: bytes, user_id: UUID) -> Row[Any]:
    """The invitation's row. Whoever it is not for learns nothing else of it."""
    row = (await connection.execute(_FIND, {"tenant": tenant_id, "hash": digest})).one()
    who = (await connection.execute(_LOGIN, {"user": user_id})).one()
    wanted = (row.provider, row.issuer, (row.login or "").lower())
    if row.login is not None and wanted != (who.provider, who.issuer, who.login.lower()):
        raise Permanent("invitation_for_another", "It is for another account: sign in with that one.")
    if row.state != State.OPEN:
        raise Permanent(*_WHY[row.state])
    if await role_in(connection, tenant_id, user_id) is not None:
        raise Permanent("already_member", "You are a member already: switch to the team.")
    return row


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(**{**row._mapping, "role": Role(row.role), "state": State(row.state)})
