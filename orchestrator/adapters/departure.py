"""Accept that an account or a tenant is deleted: one transaction hides all of it, and ends what acts for it.

The rest, which takes some seconds, is done by the consumers of the topic `erasure` (`erasure.py`).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.account import AccountDeleted, TenantDeleted
from events.base import Context, Draft, Event, derived_id
from events.log.outage import is_conflict
from events.log.postgres import append_in
from events.log.wake import Wake
from orchestrator.adapters.deletion import delete_repositories
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.families import end_families, hold_families
from orchestrator.auth.identity import Identity, Proof, Role
from runtime.tenancy import enter

# Whoever joins, or begins an analysis, holds the row of the tenant (FOR KEY SHARE) and is waited for.
_PERSON = text("SELECT login FROM auth.users WHERE user_id = :user AND deleted_at IS NULL FOR UPDATE")
_TENANTS = text("""
SELECT t.tenant_id, t.name, t.personal, m.role FROM auth.members m JOIN auth.tenants t USING (tenant_id)
WHERE m.user_id = :user AND t.deleted_at IS NULL ORDER BY t.tenant_id FOR UPDATE OF t
""")
_OTHERS = text("""
SELECT m.tenant_id, bool_or(m.role = 'owner') AS has_owner FROM auth.members m JOIN auth.users u USING (user_id)
WHERE m.tenant_id = ANY (:tenants) AND m.user_id <> :user AND u.deleted_at IS NULL GROUP BY m.tenant_id
""")
_TENANT = text("""
SELECT t.tenant_id, t.name, t.personal, m.role FROM auth.tenants t JOIN auth.members m USING (tenant_id)
WHERE t.tenant_id = :tenant AND m.user_id = :user AND t.deleted_at IS NULL FOR UPDATE OF t
""")
_REPOSITORIES = text("""
SELECT stream_id FROM es.streams WHERE tenant_id = :tenant AND stream_type = 'repository'
""")
_END_TENANT = tuple(
    text(statement)
    for statement in (
        "UPDATE auth.tenants SET deleted_at = :at, name = '' WHERE tenant_id = :tenant",
        "UPDATE auth.api_keys SET revoked_at = :at WHERE tenant_id = :tenant AND revoked_at IS NULL",
        "DELETE FROM auth.repository_credentials WHERE tenant_id = :tenant",
        "DELETE FROM app.webhooks WHERE tenant_id = :tenant",
        # Whoever worked in it finds themselves in a tenant of their own.
        """
        UPDATE auth.sessions s SET tenant_id = t.tenant_id FROM auth.members m JOIN auth.tenants t USING (tenant_id)
        WHERE s.tenant_id = :tenant AND m.user_id = s.user_id AND t.personal AND t.deleted_at IS NULL
        """,
        "UPDATE auth.sessions SET revoked_at = :at WHERE tenant_id = :tenant AND revoked_at IS NULL",
    )
)
_END_PERSON = tuple(
    text(statement)
    for statement in (
        "DELETE FROM auth.sign_in_tokens WHERE user_id = :user",
        "UPDATE auth.api_keys SET revoked_at = :at WHERE user_id = :user AND revoked_at IS NULL",
        "DELETE FROM auth.sign_in_tokens WHERE user_id = :user",
        """
        UPDATE auth.users SET deleted_at = :at, provider = 'deleted', issuer = '', subject = CAST(user_id AS text),
          login = '', name = '', admin = false
        WHERE user_id = :user
        """,
    )
)
_END_SESSIONS = text("""
UPDATE auth.sessions SET revoked_at = :at, address = '', agent = '' WHERE user_id = :user RETURNING session_id
""")
_CREDENTIALS = text("DELETE FROM auth.repository_credentials WHERE user_id = :user")


_CONFLICTS = 5


@dataclass(frozen=True)
class Gone:
    """What a deletion took along: tenants, and the ids of tokens (`sid`) that are over."""

    tenants: tuple[UUID, ...]
    over: tuple[UUID, ...]


class Departure:
    """Deletes accounts and tenants. Each call is one transaction, committed when it returns."""

    def __init__(self, engine: AsyncEngine, wake: Wake, tell: Callable[[UUID], Awaitable[None]]) -> None:
        """`engine` is that of requests; `tell` makes known at once that tokens of a session or grant are over."""
        self._engine = engine
        self._wake = wake
        self._tell = tell

    async def account(self, who: Identity, confirm: str, correlation_id: UUID, at: datetime) -> Gone:
        """Delete the person's account, and every tenant that has no other member.

        Raises ApiProblem `local_account`, `not_confirmed`, and `last_owner` where others would be left without one.
        """
        if who.proof is Proof.LOCAL:
            raise ApiProblem("local_account", "Stop Repostream and remove its folder: everything is in it.")
        return await _insisting(lambda: self._account(who, confirm, correlation_id, at))

    async def _account(self, who: Identity, confirm: str, correlation_id: UUID, at: datetime) -> Gone:
        async with self._engine.begin() as connection:
            await hold_families(connection, user_id=who.user_id)
            person = (await connection.execute(_PERSON, {"user": who.user_id})).first()
            if person is None:
                raise ApiProblem("not_signed_in", "The account is deleted.")
            _check(confirm, person.login, "your login")
            going, staying = await _sorted(connection, who)
            over: list[UUID] = []
            for tenant in going:
                over += await _delete_tenant(connection, tenant.tenant_id, who, correlation_id, at)
            values = {"user": who.user_id, "at": at}
            for tenant in staying:
                await enter(connection, tenant.tenant_id)
                await connection.execute(_CREDENTIALS, values)
            over += (await connection.execute(_END_SESSIONS, values)).scalars()
            over += await end_families(connection, user_id=who.user_id)
            for statement in _END_PERSON:
                await connection.execute(statement, values)
            own = next((each.tenant_id for each in going if each.personal), who.tenant_id)
            await _say(connection, f"account/{who.user_id}", AccountDeleted(), _context(own, who, correlation_id), at)
        await self._told(over)
        return Gone(tuple(each.tenant_id for each in going), tuple(over))

    async def tenant(self, who: Identity, tenant_id: UUID, confirm: str, correlation_id: UUID, at: datetime) -> Gone:
        """Delete a tenant that the person owns.

        Raises ApiProblem `not_found`, `forbidden`, `personal_tenant`, `local_account`, `not_confirmed`.
        """
        return await _insisting(lambda: self._team(who, tenant_id, confirm, correlation_id, at))

    async def _team(self, who: Identity, tenant_id: UUID, confirm: str, correlation_id: UUID, at: datetime) -> Gone:
        async with self._engine.begin() as connection:
            await hold_families(connection, tenant_id=tenant_id)
            found = (await connection.execute(_TENANT, {"tenant": tenant_id, "user": who.user_id})).first()
            if found is None:
                raise ApiProblem("not_found", "Check the id: you are in no tenant that has it.")
            if who.proof is Proof.LOCAL:
                raise ApiProblem("local_account", "Stop Repostream and remove its folder: everything is in it.")
            if found.role != Role.OWNER:
                raise ApiProblem("forbidden", "Only an owner deletes a team.")
            if found.personal:
                raise ApiProblem("personal_tenant", "It is deleted with your account, and not without it.")
            _check(confirm, found.name, "the team's name")
            over = await _delete_tenant(connection, tenant_id, who, correlation_id, at)
        await self._told(over)
        return Gone((tenant_id,), tuple(over))

    async def _told(self, over: Sequence[UUID]) -> None:
        self._wake.appended()
        for each in over:
            await self._tell(each)


async def _insisting(delete: Callable[[], Awaitable[Gone]]) -> Gone:
    """What `delete` returns, begun again where somebody who writes at that moment was let through before it."""
    for _ in range(_CONFLICTS):
        try:
            return await delete()
        except DBAPIError as error:
            if not is_conflict(error):
                raise
    return await delete()


def _check(confirm: str, name: str, what: str) -> None:
    if confirm != name:
        raise ApiProblem("not_confirmed", f"Send {what}, letter by letter, as `confirm`.")


async def _sorted(connection: AsyncConnection, who: Identity) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """The person's tenants: those that have nobody else, and those that go on. Raises ApiProblem `last_owner`."""
    tenants = list(await connection.execute(_TENANTS, {"user": who.user_id}))
    ids = [each.tenant_id for each in tenants]
    rows = await connection.execute(_OTHERS, {"tenants": ids, "user": who.user_id})
    others = {row.tenant_id: row.has_owner for row in rows}
    staying = [each for each in tenants if each.tenant_id in others and not each.personal]
    orphaned = [each.name for each in staying if each.role == Role.OWNER and not others[each.tenant_id]]
    if orphaned:
        names = ", ".join(f"“{name}”" for name in orphaned)
        raise ApiProblem("last_owner", f"Make somebody else an owner of {names}, or delete it first.")
    return [each for each in tenants if each not in staying], staying


async def _delete_tenant(
    connection: AsyncConnection, tenant_id: UUID, who: Identity, correlation_id: UUID, at: datetime
) -> list[UUID]:
    """Delete a tenant in the caller's transaction; the ids of tokens that are over."""
    await enter(connection, tenant_id)
    context = _context(tenant_id, who, correlation_id)
    streams = (await connection.execute(_REPOSITORIES, {"tenant": tenant_id})).scalars()
    await delete_repositories(connection, context, at, [UUID(each.partition("/")[2]) for each in streams])
    values = {"tenant": tenant_id, "at": at}
    over = await end_families(connection, tenant_id=tenant_id)
    for statement in _END_TENANT:
        await connection.execute(statement, values)
    await _say(connection, f"tenant/{tenant_id}", TenantDeleted(), context, at)
    return over


def _context(tenant_id: UUID, who: Identity, correlation_id: UUID) -> Context:
    return Context(tenant_id=tenant_id, correlation_id=correlation_id, user_id=who.user_id)


async def _say(connection: AsyncConnection, stream: str, event: Event, context: Context, at: datetime) -> None:
    await enter(connection, context.tenant_id)
    draft = Draft(event_id=derived_id(event.event_type, stream), occurred_at=at, context=context, event=event)
    await append_in(connection, stream, [draft])
