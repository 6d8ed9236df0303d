"""The tenants that a person belongs to: their own, and teams; and which of them a session works in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.account import SessionSwitched, TenantCreated, TenantRenamed
from events.base import Context
from orchestrator.auth.facts import Facts
from orchestrator.auth.identity import Role
from orchestrator.auth.revocations import Revocations, revoke_in
from runtime.faults import Permanent

MOST = 20  # teams that one person owns: quotas are a tenant's
_COLUMNS = "t.tenant_id, t.name, t.personal, m.role, m.since"
_MINE = f"""
    SELECT {_COLUMNS} FROM auth.members m JOIN auth.tenants t USING (tenant_id)
    WHERE m.user_id = :user AND t.deleted_at IS NULL
"""  # noqa: S608  # constants of ours
_LOCK_PERSON = text("SELECT 1 FROM auth.users WHERE user_id = :user FOR UPDATE")
_OWNED = text(f"SELECT count(*) FROM ({_MINE} AND m.role = 'owner' AND NOT t.personal) owned")  # noqa: S608  # the same
_ADD = text("INSERT INTO auth.tenants (tenant_id, name, personal) VALUES (:tenant, :name, false)")
_JOIN = text("INSERT INTO auth.members (tenant_id, user_id, role) VALUES (:tenant, :user, :role)")
_RENAME = text("UPDATE auth.tenants SET name = :name WHERE tenant_id = :tenant")
_LOCK_TENANT = text("SELECT personal FROM auth.tenants WHERE tenant_id = :tenant AND deleted_at IS NULL FOR UPDATE")
_ROLE = text("SELECT role FROM auth.members WHERE tenant_id = :tenant AND user_id = :user")
_OWN = text(f"{_MINE} AND t.personal")
_ONE = text(f"{_MINE} AND t.tenant_id = :tenant FOR SHARE OF m")  # held against a removal at this moment
_SESSION = text("""
    SELECT 1 FROM auth.sessions WHERE session_id = :session AND user_id = :user AND revoked_at IS NULL FOR UPDATE
""")
_MOVE = text("""
    UPDATE auth.sessions s SET session_id = moved.fresh, tenant_id = :tenant
    FROM unnest(CAST(:old AS uuid[]), CAST(:fresh AS uuid[])) AS moved (old, fresh) WHERE s.session_id = moved.old
""")


@dataclass(frozen=True)
class Membership:
    """A tenant, and what somebody is in it."""

    tenant_id: UUID
    name: str
    personal: bool
    role: Role
    since: datetime


async def lock_team(connection: AsyncConnection, tenant_id: UUID) -> None:
    """Hold a team: whoever changes its members does it one after the other. Raises Permanent."""
    row = (await connection.execute(_LOCK_TENANT, {"tenant": tenant_id})).first()
    if row is None:
        raise gone()
    if row.personal:
        raise Permanent("personal_tenant", "It is one person's own: make a team to work with others.")


async def role_in(connection: AsyncConnection, tenant_id: UUID, user_id: UUID | None) -> Role | None:
    """What somebody is in a tenant, as the transaction sees it; None where they are nothing."""
    role = await connection.scalar(_ROLE, {"tenant": tenant_id, "user": user_id})
    return Role(role) if role is not None else None


async def still_owner(connection: AsyncConnection, context: Context) -> None:
    """Raise Permanent `not_found` where whoever acts was removed, or is no owner any more, while they waited."""
    if await role_in(connection, context.tenant_id, context.user_id) is not Role.OWNER:
        raise gone()


async def personal_tenant(connection: AsyncConnection, user_id: UUID) -> UUID:
    """The person's own tenant. Raises Permanent `not_found`."""
    found = (await connection.execute(_OWN, {"user": user_id})).first()
    if found is None:
        raise gone()
    tenant_id: UUID = found.tenant_id
    return tenant_id


async def move_sessions(connection: AsyncConnection, sessions: Sequence[UUID], tenant_id: UUID) -> list[UUID]:
    """Let sessions work in another tenant from now on: each gets a new id, and tokens of the old one are refused.

    The new ids, in the order of the old ones; whoever commits tells `Revocations` of those.
    """
    fresh = [uuid4() for _ in sessions]
    await revoke_in(connection, sessions)
    await connection.execute(_MOVE, {"tenant": tenant_id, "old": list(sessions), "fresh": fresh})
    return fresh


def gone() -> Permanent:
    """One refusal for whatever is not there, and for whatever is somebody else's."""
    return Permanent("not_found", "Check the id: nothing of yours has it.")


class Tenants:
    """`auth.tenants`, as its members see it."""

    def __init__(self, engine: AsyncEngine, facts: Facts, revocations: Revocations) -> None:
        self._engine = engine
        self._facts = facts
        self._revocations = revocations

    async def mine(self, user_id: UUID) -> list[Membership]:
        """Where the person is a member: their own first, then teams by name."""
        statement = text(f"{_MINE} ORDER BY t.personal DESC, lower(t.name), t.tenant_id LIMIT 500")
        async with self._engine.connect() as connection:
            rows = await connection.execute(statement, {"user": user_id})
            return [_membership(row._mapping) for row in rows]

    async def one(self, user_id: UUID, tenant_id: UUID) -> Membership:
        """A tenant that the person is a member of. Raises Permanent `not_found`."""
        async with self._engine.connect() as connection:
            found = await connection.execute(
                text(f"{_MINE} AND t.tenant_id = :tenant"), {"user": user_id, "tenant": tenant_id}
            )
            row = found.first()
        if row is None:
            raise gone()
        return _membership(row._mapping)

    async def create(self, user_id: UUID, name: str, correlation_id: UUID) -> Membership:
        """A team of the person's, who is its owner. Raises Permanent `too_many_teams`."""
        made = uuid4()
        values = {"tenant": made, "user": user_id, "name": name, "role": Role.OWNER.value}
        async with self._facts.of(made) as connection:
            await connection.execute(_LOCK_PERSON, {"user": user_id})
            if (await connection.execute(_OWNED, {"user": user_id})).scalar_one() >= MOST:
                raise Permanent("too_many_teams", f"You own {MOST} teams already: use one of them.")
            await connection.execute(_ADD, values)
            await connection.execute(_JOIN, values)
            context = Context(tenant_id=made, correlation_id=correlation_id, user_id=user_id)
            await self._facts.say_of_tenant(connection, TenantCreated(name=name), context)
        return await self.one(user_id, made)

    async def rename(self, name: str, context: Context) -> None:
        """Give the team of `context` another name. Raises Permanent `personal_tenant`."""
        async with self._facts.of(context.tenant_id) as connection:
            await lock_team(connection, context.tenant_id)
            await still_owner(connection, context)
            await connection.execute(_RENAME, {"tenant": context.tenant_id, "name": name})
            await self._facts.say_of_tenant(connection, TenantRenamed(name=name), context)

    async def switch(self, session_id: UUID, user_id: UUID, tenant_id: UUID, correlation_id: UUID) -> Membership:
        """Let a session of the person work in a tenant of theirs. Raises Permanent `not_found`, `not_signed_in`."""
        async with self._engine.connect() as connection:
            own = await personal_tenant(connection, user_id)
        context = Context(tenant_id=own, correlation_id=correlation_id, user_id=user_id)
        async with self._facts.of(own) as connection:
            row = (await connection.execute(_ONE, {"user": user_id, "tenant": tenant_id})).first()
            if row is None:
                raise gone()
            if (await connection.execute(_SESSION, {"session": session_id, "user": user_id})).first() is None:
                raise Permanent("not_signed_in", "Sign in again.")
            [fresh] = await move_sessions(connection, [session_id], tenant_id)
            event = SessionSwitched(session_id=fresh, to_tenant_id=tenant_id)
            await self._facts.say(connection, f"account/{user_id}", event, context)
        await self._revocations.tell(session_id)
        return _membership(row._mapping)


def _membership(row: object) -> Membership:
    columns = dict(row)  # type: ignore[call-overload]  # a row's mapping
    return Membership(**{**columns, "role": Role(columns["role"])})
