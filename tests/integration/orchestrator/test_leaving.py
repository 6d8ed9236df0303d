"""Somebody deletes their account, or a team: hidden and ended at once, soon nowhere any more, and nothing of others."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import ERASED, Context, Draft, Envelope
from events.log.ownership import ArtifactOwners
from events.log.postgres import PostgresJournal
from events.question import Citation, QuestionAnswered
from orchestrator.projections.overview import Overview
from orchestrator.projections.runner import rebuild
from runtime.database import create_engine
from runtime.live import TICKS, send_answer_part
from runtime.objects import open_objects
from runtime.sealing import fresh_key
from runtime.settings import DatabaseSettings
from tests.support.canaries import Canary, dump, hiding_places, tables
from tests.support.github import GitHubStandIn
from tests.support.kernel import AT
from tests.support.orchestrator import FILES, Workers, eventually
from tests.support.signing_in import COOKIE, Installation, Visitor, an_installation

CANARY = "canary-77ab"
TOKEN = f"ghp_{CANARY}-token"


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


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn() as stand_in:
        yield stand_in


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


@pytest.fixture
async def here(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[Here]:
    async with a_place(monkeypatch, github, database_url, redis_url, home) as place:
        yield place


async def rows_about(database_url: str, *marks: str) -> dict[str, list[str]]:
    """Every row of every table that has one of the marks, byte for byte."""
    found: dict[str, list[str]] = {}
    async for name, content in tables(database_url):
        lines = [line for line in content.decode().splitlines() if any(mark in line for mark in marks)]
        if lines:
            found[name] = sorted(lines)
    return found


async def test_an_account_that_is_deleted_ends_at_once_and_is_soon_nowhere(
    here: Here, monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> None:
    other, leaver = await here.person("heron"), await here.person(CANARY)
    theirs = await other.works()
    monkeypatch.setitem(FILES, f"app/{CANARY}.py", f"def canary():\n    return '{CANARY}'\n")
    mine = await leaver.works()
    async with Redis.from_url(redis_url) as redis:
        await send_answer_part(redis, mine["question"]["question_id"], {"type": "token", "text": CANARY})
        await redis.xadd(TICKS, {"tick": f'{{"analysis_id": "{mine["view"]["analysis_id"]}", "current": "{CANARY}"}}'})
    canaries = [Canary(CANARY), Canary(TOKEN)]
    marks = ("heron", str(other.user_id), str(other.tenant_id), theirs["view"]["analysis_id"])
    await eventually(lambda: leaver.get(f"/analyses/{mine['view']['analysis_id']}/files"), lambda p: p.get("total"))
    assert len(await hiding_places(canaries, database_url, redis_url, home)) > 10, "the canary would be seen"
    before = await rows_about(database_url, *marks)

    wrong = await leaver.call("DELETE", "/me", {"confirm": "somebody"})
    by_key = await here.site.client.request(
        "DELETE", "/api/v1/me", json={"confirm": CANARY}, headers={"authorization": f"Bearer {mine['key']}"}
    )
    began = time.monotonic()
    reply = await leaver.call("DELETE", "/me", {"confirm": CANARY})

    assert (wrong.status_code, wrong.json()["code"]) == (422, "not_confirmed")
    assert (by_key.status_code, by_key.json()["code"]) == (403, "forbidden")
    assert reply.status_code == 202, reply.text
    assert reply.json()["tenants"] == [str(leaver.tenant_id)]
    for credential in ({}, {"authorization": f"Bearer {mine['key']}"}, _bearer(mine["grant"]["access_token"])):
        stranger = {**credential, "user-agent": "stranger"}  # whoever is refused is nobody: their entries stay
        assert (await leaver.call("GET", "/me", **stranger)).status_code == 401
    again = await here.site.client.post("/auth/refresh", json={"refresh_token": mine["grant"]["refresh_token"]})
    assert again.status_code == 401
    await here.done("auth.tenants", leaver.tenant_id)
    await here.done("auth.users", leaver.user_id)
    assert time.monotonic() - began < 60
    left = await hiding_places(canaries, database_url, redis_url, home)
    assert left == []
    after = await rows_about(database_url, *marks)
    assert {name: after.get(name) for name in before if name != "auth.sessions"} == {
        name: lines for name, lines in before.items() if name != "auth.sessions"
    }
    assert (await other.get(f"/analyses/{theirs['view']['analysis_id']}"))["state"] == "refined"
    assert "account.deleted" in (whole := await dump(database_url))
    assert str(leaver.user_id) in whole, "the anonymised fact stays"
    await _is_chained(here, other)
    newcomer = await here.person(CANARY)
    assert newcomer.user_id != leaver.user_id
    assert (await newcomer.get("/repositories"))["items"] == []


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def _is_chained(here: Here, admin: Person) -> None:
    """The trail still proves itself, and says what was done, but not from where."""
    await here.site.rows("UPDATE auth.users SET admin = true WHERE user_id = :id", id=admin.user_id)
    await asyncio.sleep(3.2)  # what somebody may do is remembered
    assert (await admin.get("/audit/verification"))["broken_at"] is None
    entries = (await admin.get("/audit?action=deleting.&outcome=allowed"))["items"]
    assert [(entry["address"], entry["agent"], entry["salt"]) for entry in entries] == [("", "", None)]


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


async def test_what_a_member_asked_goes_and_what_the_team_had_analysed_stays(here: Here, database_url: str) -> None:
    leaver, owner = await here.person(CANARY), await here.person("heron")
    team = await a_team(here, "Otters", (leaver, "owner"), (owner, "member"))
    await enter(here, leaver, team)
    await enter(here, owner, team)
    mine = await leaver.works()
    refused = await leaver.call("DELETE", "/me", {"confirm": CANARY})
    await here.site.rows(
        "UPDATE auth.members SET role = 'owner' WHERE tenant_id = :id AND user_id = :user", id=team, user=owner.user_id
    )

    reply = await leaver.call("DELETE", "/me", {"confirm": CANARY})

    assert (refused.status_code, refused.json()["code"]) == (409, "last_owner")
    assert "Otters" in refused.json()["detail"]
    assert reply.status_code == 202, reply.text
    talk = f"/conversations/{mine['talk']['conversation_id']}"
    assert (await owner.call("GET", talk)).status_code == 404
    assert (await owner.get("/conversations"))["items"] == []
    assert (await owner.get(f"/analyses/{mine['view']['analysis_id']}"))["state"] == "refined"
    await here.done("auth.users", leaver.user_id)
    texts = [
        line for lines in (await rows_about(database_url, f"{CANARY}?", f"{CANARY} answer")).values() for line in lines
    ]
    assert texts == []
    await rebuild(here.engine, here.journal, (Overview(),))
    assert (await owner.get("/conversations"))["items"] == []
    history = await read_anew(database_url, f"conversation/{mine['talk']['conversation_id']}")
    assert {envelope.data.get("query", ERASED) for envelope in history} == {ERASED}
    assert [one["name"] for one in (await owner.get("/repositories"))["items"]] == [f"{CANARY}/repository"]


async def test_an_owner_deletes_a_team_and_its_members_are_back_in_their_own(here: Here, database_url: str) -> None:
    member, owner = await here.person("heron"), await here.person("otter")
    home_of_member = member.tenant_id
    team = await a_team(here, f"{CANARY} team", (member, "member"), (owner, "owner"))
    await enter(here, member, team)
    await enter(here, owner, team)
    begun = await owner.made("/analyses", {"url": f"https://github.com/{CANARY}/repository"})
    named = {"confirm": f"{CANARY} team"}

    refused = await member.call("DELETE", f"/tenants/{team}", named)
    own = await member.call("DELETE", f"/tenants/{home_of_member}", {"confirm": "heron"})
    foreign = await member.call("DELETE", f"/tenants/{owner.user_id}", named)
    reply = await owner.call("DELETE", f"/tenants/{team}", named)

    assert (refused.status_code, own.status_code, foreign.status_code) == (403, 409, 404)
    assert own.json()["code"] == "personal_tenant"
    assert reply.status_code == 202, reply.text
    assert (await member.get("/me"))["tenant_id"] == str(home_of_member)
    assert (await owner.call("GET", f"/analyses/{begun['analysis_id']}")).status_code == 404
    await here.done("auth.tenants", team)
    types = [e.event_type for e in await here.journal.read_stream(f"analysis/{begun['analysis_id']}")]
    assert {"repository.processing.cancelled", "repository.processing.refined"} & set(types)
    assert await rows_about(database_url, CANARY) == {}
    assert (await owner.call("DELETE", f"/tenants/{team}", named)).status_code == 404
