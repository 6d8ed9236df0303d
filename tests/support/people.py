"""People who sign in, work with a real orchestrator, and leave it: what each of them made, and where it is found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import Context, Draft, Envelope
from events.log.ownership import ArtifactOwners
from events.log.postgres import PostgresJournal
from events.question import Citation, QuestionAnswered
from runtime.database import create_engine
from runtime.objects import open_objects
from runtime.sealing import fresh_key
from runtime.settings import DatabaseSettings
from tests.support.canaries import tables
from tests.support.github import GitHubStandIn
from tests.support.kernel import AT
from tests.support.orchestrator import Workers, eventually
from tests.support.signing_in import COOKIE, Installation, Visitor, an_installation


@dataclass
class Here:
    """The orchestrator where people sign in, with workers beside it."""

    site: Installation
    engine: AsyncEngine
    journal: PostgresJournal

    async def person(self, login: str) -> "Person":
        """Somebody who signs in for the first time, or again."""
        self.site.github.user |= {"id": sum(login.encode()), "login": login, "name": f"{login} name"}
        visitor = self.site.visitor()
        away = await visitor.leave()
        back = await visitor.ask("GET", await visitor.back(away), user_agent=f"{login}-agent")
        assert visitor.signed_in, back.text
        me = (await visitor.api("/me")).json()
        return Person(self, visitor, login, UUID(me["user_id"]), UUID(me["tenant_id"]))

    async def done(self, table: str, id_: UUID) -> None:
        """Wait until it is erased."""
        key = {"auth.users": "user_id", "auth.tenants": "tenant_id"}[table]
        statement = f"SELECT 1 AS one FROM {table} WHERE {key} = :id AND erased_at IS NOT NULL"
        await eventually(lambda: self.site.rows(statement, id=id_), bool, seconds=60)


@dataclass
class Person:
    """A browser of somebody, and what they made."""

    here: Here
    visitor: Visitor
    login: str
    user_id: UUID
    tenant_id: UUID

    async def call(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        cookies = {"cookie": f"{COOKIE}={self.visitor.cookies.get(COOKIE, '')}"}
        sent = {"origin": self.here.site.url, "user-agent": f"{self.login}-agent", **cookies, **headers}
        return await self.here.site.client.request(method, f"/api/v1{path}", json=json, headers=sent)

    async def made(self, path: str, json: Any) -> Any:
        reply = await self.call("POST", path, json)
        assert reply.is_success, reply.text
        return reply.json()

    async def works(self) -> dict[str, Any]:
        """Analyse, ask, and make one of everything that acts for somebody."""
        begun = await self.made("/analyses", {"url": f"https://github.com/{self.login}/repository"})
        path = f"/analyses/{begun['analysis_id']}"
        view = await eventually(lambda: self.get(path), lambda found: found.get("state") == "refined", 40)
        talk = await self.made("/conversations", {"repository_id": view["repository_id"]})
        question = await self.made(f"/conversations/{talk['conversation_id']}/questions", {"query": f"{self.login}?"})
        await self.answered(talk, question)
        key = await self.made("/me/keys", {"name": f"{self.login} key", "scopes": ["read:repositories"]})
        grant = await self.made("/me/grants", {"scopes": ["read:repositories"]})
        hook = await self.made("/webhooks", {"url": f"https://example.org/{self.login}"})
        kept = {"host": "github.com", "name": f"{self.login} kept", "token": f"ghp_{self.login}-token"}
        return {
            "view": view,
            "key": key["secret"],
            "grant": grant,
            "hook": hook,
            "kept": await self.made("/me/credentials", kept),
            "question": question,
            "talk": talk,
        }

    async def works_with(self, repositories: dict[str, Any]) -> None:
        """Ask about the first of some repositories."""
        talk = await self.made("/conversations", {"repository_id": repositories["items"][0]["repository_id"]})
        question = await self.made(f"/conversations/{talk['conversation_id']}/questions", {"query": f"{self.login}?"})
        await self.answered(talk, question)

    async def get(self, path: str) -> Any:
        return (await self.call("GET", path)).json()

    async def answered(self, talk: dict[str, Any], question: dict[str, Any]) -> None:
        """An answer, as ai_engine would give it."""
        repository = UUID(talk["repository_id"])
        event = QuestionAnswered(
            question_id=UUID(question["question_id"]),
            query=question["query"],
            answer=f"{self.login} answer",
            mode="extractive",
            response_time=0.1,
            rag_hits=1,
            confidence=0.5,
            citations=(Citation(path=f"{self.login}.py", first_line=1, last_line=2),),
            removed_citations=0,
            passages=(),
            analysis_id=uuid4(),
            commit="c0ffee",
            generation_kind="quick",
            provider="none",
            model="none",
            prompt="extractive-v1",
        )
        context = Context(
            tenant_id=self.tenant_id, repository_id=repository, user_id=self.user_id, correlation_id=uuid4()
        )
        draft = Draft(event_id=uuid4(), occurred_at=AT, context=context, event=event)
        await self.here.journal.append(f"conversation/{talk['conversation_id']}", [draft])


def an_engine(database_url: str) -> AsyncEngine:
    return create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")


async def read_anew(database_url: str, stream_id: str) -> list[Envelope]:
    """What a process reads that has no keys in its memory."""
    engine = an_engine(database_url)
    try:
        return await PostgresJournal(engine).read_stream(stream_id)
    finally:
        await engine.dispose()


@asynccontextmanager
async def a_place(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[Here]:
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())
    where = {"database_url": database_url, "redis_url": redis_url, "home": home}
    async with an_installation(monkeypatch, github, **where) as site:
        engine = an_engine(database_url)
        objects = open_objects("", home).claimed_in(ArtifactOwners(engine))
        working = asyncio.create_task(Workers(engine, objects).work())
        try:
            yield Here(site, engine, PostgresJournal(engine))
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await engine.dispose()


async def a_team(here: Here, name: str, *members: tuple[Person, str]) -> UUID:
    team = uuid4()
    await here.site.rows(
        "INSERT INTO auth.tenants (tenant_id, name, personal) VALUES (:id, :name, false)", id=team, name=name
    )
    for person, role in members:
        await here.site.rows(
            "INSERT INTO auth.members (tenant_id, user_id, role) VALUES (:id, :user, :role)",
            id=team,
            user=person.user_id,
            role=role,
        )
    return team


async def enter(here: Here, person: Person, team: UUID) -> None:
    person.tenant_id = team
    await here.site.rows("UPDATE auth.sessions SET tenant_id = :id WHERE user_id = :user", id=team, user=person.user_id)


async def rows_about(database_url: str, *marks: str) -> dict[str, list[str]]:
    """Every row of every table that has one of the marks, byte for byte."""
    found: dict[str, list[str]] = {}
    async for name, content in tables(database_url):
        lines = [line for line in content.decode().splitlines() if any(mark in line for mark in marks)]
        if lines:
            found[name] = sorted(lines)
    return found
