"""People and their sessions, put into the tables as a sign-in leaves them; the orchestrator where people sign in."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from orchestrator.auth.accounts import Accounts
from orchestrator.auth.credentials import Credentials
from orchestrator.auth.identity import Role
from orchestrator.auth.sessions import COOKIE, Sessions
from tests.support.orchestrator import async_url, configure, running
from tests.support.service_keys import signer


@dataclass(frozen=True)
class Person:
    user_id: UUID
    tenant_id: UUID


async def execute(engine: AsyncEngine, statement: str, **values: object) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)


async def a_person(
    engine: AsyncEngine, *, role: Role = Role.MEMBER, admin: bool = False, provider: str = "github", subject: str = ""
) -> Person:
    """Somebody new, in a tenant of their own."""
    person = Person(uuid4(), uuid4())
    await execute(
        engine,
        "INSERT INTO auth.tenants (tenant_id, name, personal) VALUES (:id, 'A team', false)",
        id=person.tenant_id,
    )
    await execute(
        engine,
        "INSERT INTO auth.users (user_id, provider, subject, login, name, admin)"
        " VALUES (:id, :provider, :subject, 'octo', 'Octo Cat', :admin)",
        id=person.user_id,
        provider=provider,
        subject=subject or str(secrets.randbelow(10**9)),
        admin=admin,
    )
    await join(engine, person, role)
    return person


async def join(engine: AsyncEngine, person: Person, role: Role) -> None:
    await execute(
        engine,
        "INSERT INTO auth.members (tenant_id, user_id, role) VALUES (:tenant, :user, :role)",
        tenant=person.tenant_id,
        user=person.user_id,
        role=role.value,
    )


@dataclass
class SignIn:
    """The orchestrator as it is where people sign in."""

    app: FastAPI
    client: httpx.AsyncClient
    engine: AsyncEngine
    sessions: Sessions

    @property
    def accounts(self) -> Accounts:
        accounts: Accounts = self.app.state.services.accounts
        return accounts

    async def begin(self, person: Person) -> str:
        """The secret of a new session."""
        return await self.sessions.begin(person.user_id, person.tenant_id, "127.0.0.1", "test")

    async def trade(self, secret: str, *, by: str = "web_ui") -> httpx.Response:
        """What the page server asks for a session."""
        headers = signer(by).headers("orchestrator")
        return await self.client.post("/auth/token", json={"session": secret}, headers=headers)

    async def token(self, person: Person) -> str:
        """A session token of a new session."""
        secret = await self.begin(person)
        return str((await self.trade(secret)).json()["access_token"])

    async def get(self, path: str, credential: str) -> httpx.Response:
        return await self.client.get(path, headers=bearer(credential))


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def cookie(secret: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={secret}"}


@asynccontextmanager
async def a_sign_in(
    monkeypatch: pytest.MonkeyPatch, *, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[SignIn]:
    """The real orchestrator, asked by people who signed in."""
    from orchestrator.app import create_app

    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    engine = create_async_engine(async_url(database_url))
    sessions = Sessions(engine)
    app = create_app()
    accounts = replace(app.state.services.accounts, sessions=sessions)
    app.state.services = replace(app.state.services, accounts=accounts, provider=Credentials(accounts, local=None))
    async with running(app) as client:
        await accounts.tokens.keys.tend()
        yield SignIn(app, client, engine, sessions)
    await engine.dispose()
