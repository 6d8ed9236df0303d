"""Who is a member of a team, and as what. A team always keeps an owner, whoever changes what at the same moment."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.account import MemberLeft, MemberRoleChanged
from events.base import Context
from orchestrator.auth.api_keys import ApiKeys
from orchestrator.auth.facts import Facts
from orchestrator.auth.families import end_families, hold_families
from orchestrator.auth.identity import Role
from orchestrator.auth.revocations import Revocations
from orchestrator.auth.standing import Standings
from orchestrator.auth.tenants import gone, lock_team, move_sessions, personal_tenant, role_in, still_owner
from runtime.faults import Permanent

MOST = 500  # members of one team: they are listed on one page
_LIST = text("""
    SELECT u.user_id, u.login, u.name, m.role, m.since FROM auth.members m JOIN auth.users u USING (user_id)
    WHERE m.tenant_id = :tenant AND u.deleted_at IS NULL
    ORDER BY m.role = 'owner' DESC, m.role = 'member' DESC, lower(u.login), u.user_id LIMIT 500
""")
_OTHER_OWNER = text("""
    SELECT EXISTS (
      SELECT FROM auth.members m JOIN auth.users u USING (user_id)
      WHERE m.tenant_id = :tenant AND m.role = 'owner' AND m.user_id <> :user
        AND u.suspended_at IS NULL AND u.deleted_at IS NULL
    )
""")
_CHANGE = text("UPDATE auth.members SET role = :role WHERE tenant_id = :tenant AND user_id = :user")
_REMOVE = text("DELETE FROM auth.members WHERE tenant_id = :tenant AND user_id = :user")
_SESSIONS = text("""
    SELECT session_id FROM auth.sessions
    WHERE tenant_id = :tenant AND user_id = :user AND revoked_at IS NULL ORDER BY session_id FOR UPDATE
""")
_ENDS = (
    text("""
    UPDATE auth.api_keys SET revoked_at = now() WHERE tenant_id = :tenant AND user_id = :user AND revoked_at IS NULL
    """),
    text("DELETE FROM auth.repository_credentials WHERE tenant_id = :tenant AND user_id = :user"),
)
_SHARES = text("""
    UPDATE app.shares SET revoked_at = now() WHERE tenant_id = :tenant AND created_by = :user AND revoked_at IS NULL
""")
_INVITATIONS = text("""
    UPDATE app.invitations SET revoked_at = now()
    WHERE tenant_id = :tenant AND created_by = :user AND revoked_at IS NULL AND used_at IS NULL
""")


@dataclass(frozen=True)
class Member:
    """Somebody in a team."""

    user_id: UUID
    login: str
    name: str
    role: Role
    since: datetime


class Members:
    """`auth.members` of one team at a time. What is taken away is gone at once here, elsewhere within five seconds."""

    def __init__(
        self, engine: AsyncEngine, facts: Facts, standings: Standings, keys: ApiKeys, revocations: Revocations
    ) -> None:
        self._engine = engine
        self._facts = facts
        self._standings = standings
        self._keys = keys
        self._revocations = revocations

    async def of(self, tenant_id: UUID) -> list[Member]:
        """All of them: owners, members, viewers."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(_LIST, {"tenant": tenant_id})
            return [Member(**{**row._mapping, "role": Role(row.role)}) for row in rows]

    async def change_role(self, user_id: UUID, role: Role, context: Context) -> None:
        """Make a member something else. Raises Permanent `not_found`, `last_owner`, `personal_tenant`."""
        values = {"tenant": context.tenant_id, "user": user_id}
        async with self._facts.of(context.tenant_id) as connection:
            await lock_team(connection, context.tenant_id)
            await still_owner(connection, context)
            before = await role_in(connection, context.tenant_id, user_id)
            if before is None:
                raise gone()
            if before is role:
                return
            await self._keep_an_owner(connection, before, values)
            await connection.execute(_CHANGE, values | {"role": role.value})
            await _end_links(connection, role, values)
            event = MemberRoleChanged(member_id=user_id, role=role.value)
            await self._facts.say_of_tenant(connection, event, context)
        self._forget()

    async def remove(self, user_id: UUID, context: Context) -> None:
        """End a membership, by an owner or by the member: with keys, grants, kept tokens and links that hang on it.

        Sessions go on in the person's own tenant. Raises Permanent `not_found`, `last_owner`, `personal_tenant`.
        """
        values = {"tenant": context.tenant_id, "user": user_id}
        async with self._facts.of(context.tenant_id) as connection:
            await hold_families(connection, user_id=user_id, tenant_id=context.tenant_id)
            await lock_team(connection, context.tenant_id)
            if user_id != context.user_id:
                await still_owner(connection, context)
            before = await role_in(connection, context.tenant_id, user_id)
            if before is None:
                raise gone()
            await self._keep_an_owner(connection, before, values)
            await connection.execute(_REMOVE, values)
            ended = await _end_all(connection, user_id, values)
            await self._facts.say_of_tenant(connection, MemberLeft(member_id=user_id), context)
        self._forget()
        for each in ended:
            await self._revocations.tell(each)

    async def _keep_an_owner(self, connection: AsyncConnection, role: Role, values: dict[str, UUID]) -> None:
        if role is Role.OWNER and not (await connection.execute(_OTHER_OWNER, values)).scalar_one():
            raise Permanent("last_owner", "A team needs an owner: make somebody else one first.")

    def _forget(self) -> None:
        self._standings.forget()
        self._keys.forget()


async def _end_links(connection: AsyncConnection, role: Role | None, values: dict[str, UUID]) -> None:
    """End the links that somebody who is `role` from now on could not make any more."""
    if role is not Role.OWNER:
        await connection.execute(_INVITATIONS, values)
    if role in {Role.VIEWER, None}:
        await connection.execute(_SHARES, values)


async def _end_all(connection: AsyncConnection, user_id: UUID, values: dict[str, UUID]) -> list[UUID]:
    """End whatever somebody has by a membership; the `sid` of tokens that are over by it."""
    sessions = [*(await connection.execute(_SESSIONS, values)).scalars()]
    if sessions:
        await move_sessions(connection, sessions, await personal_tenant(connection, user_id))
    grants = await end_families(connection, user_id=user_id, tenant_id=values["tenant"])
    for statement in _ENDS:
        await connection.execute(statement, values)
    await _end_links(connection, None, values)
    return [*sessions, *grants]
