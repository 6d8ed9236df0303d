"""People: made at their first sign-in, with a tenant of their own; known again by their id at their issuer alone."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.account import SessionRevoked, SignedIn
from events.base import Context, Draft, Event
from events.log.postgres import append_in
from events.log.wake import Wake
from orchestrator.auth.providers import SUSPENDED, Profile, Refusal
from orchestrator.auth.sessions import Session, Sessions
from orchestrator.auth.sign_in_tokens import SignInTokens, forget_unused
from runtime.tenancy import TenantDatabase

# The row is locked until the end of the transaction, so two first sign-ins at one moment make one tenant.
_PERSON = """
    INSERT INTO auth.users AS u (user_id, provider, issuer, subject, login, name, admin)
    VALUES (:user_id, :provider, :issuer, :subject, :login, :name, :admin)
    ON CONFLICT (provider, issuer, subject) DO UPDATE
      SET login = excluded.login, name = excluded.name, admin = excluded.admin
    RETURNING user_id, suspended_at IS NULL AND deleted_at IS NULL AS welcome
"""
_PERSONAL = """
    SELECT t.tenant_id FROM auth.members m JOIN auth.tenants t USING (tenant_id)
    WHERE m.user_id = :user_id AND t.personal AND t.deleted_at IS NULL
"""
_TENANT = "INSERT INTO auth.tenants (tenant_id, name, personal) VALUES (:tenant_id, :name, true)"
_MEMBER = "INSERT INTO auth.members (tenant_id, user_id, role) VALUES (:tenant_id, :user_id, 'owner')"


@dataclass(frozen=True)
class Browser:
    """Where a sign-in comes from; `correlation_id` is the request's."""

    address: str
    agent: str
    correlation_id: UUID


class People:
    """Lets people in, and out."""

    def __init__(
        self,
        engine: AsyncEngine,
        sessions: Sessions,
        wake: Wake,
        administrators: Collection[str],
        clock: Callable[[], datetime],
        tokens: SignInTokens | None = None,
    ) -> None:
        """`administrators` are `provider:id`: what the last sign-in found is what somebody is.

        `tokens` keeps what the provider let us act with for a person; nothing is kept without.
        """
        self._tokens = tokens
        self._engine = engine
        self._rows = TenantDatabase(engine)
        self._sessions = sessions
        self._wake = wake
        self._administrators = frozenset(administrators)
        self._clock = clock

    async def let_in(self, profile: Profile, browser: Browser) -> str:
        """Begin a session of the person in their own tenant; its secret. Raises Refusal for whoever is suspended."""
        async with self._engine.begin() as connection:
            user_id, tenant_id = await self._known(connection, profile)
        async with self._rows.of(tenant_id) as connection:
            secret = await self._sessions.begin_in(connection, user_id, tenant_id, browser.address, browser.agent)
            if self._tokens is not None and profile.token is not None:
                await self._tokens.keep_in(connection, user_id, profile.token)
            event = SignedIn(login=profile.login, provider=profile.provider)
            await self._record(connection, event, user_id, tenant_id, browser.correlation_id)
        self._wake.appended()
        return secret

    async def let_out(self, session: Session, correlation_id: UUID) -> bool:
        """End a session; whether it was there. The fact stands in the person's own tenant."""
        if not await self._sessions.revoke(session.session_id):
            return False
        async with self._engine.begin() as connection:
            await forget_unused(connection, session.user_id)
            own = await connection.scalar(text(_PERSONAL), {"user_id": session.user_id})
        if own is not None:
            async with self._rows.of(own) as connection:
                event = SessionRevoked(session_id=session.session_id)
                await self._record(connection, event, session.user_id, own, correlation_id)
            self._wake.appended()
        return True

    async def _known(self, connection: AsyncConnection, profile: Profile) -> tuple[UUID, UUID]:
        row = {
            "user_id": uuid4(),
            "provider": profile.provider,
            "issuer": profile.issuer,
            "subject": profile.subject,
            "login": profile.login,
            "name": profile.name,
            "admin": f"{profile.provider}:{profile.subject}" in self._administrators,
        }
        person = (await connection.execute(text(_PERSON), row)).one()
        if not person.welcome:
            raise Refusal(SUSPENDED)
        own = await connection.scalar(text(_PERSONAL), {"user_id": person.user_id})
        if own is None:
            own = uuid4()
            await connection.execute(text(_TENANT), {"tenant_id": own, "name": profile.login})
            await connection.execute(text(_MEMBER), {"tenant_id": own, "user_id": person.user_id})
        return person.user_id, own

    async def _record(
        self, connection: AsyncConnection, event: Event, user_id: UUID, tenant_id: UUID, correlation_id: UUID
    ) -> None:
        context = Context(tenant_id=tenant_id, correlation_id=correlation_id, user_id=user_id)
        draft = Draft(event_id=uuid4(), occurred_at=self._clock(), context=context, event=event)
        await append_in(connection, f"account/{user_id}", [draft])
