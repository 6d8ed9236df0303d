"""Valkey is away for half a minute: people sign in and work, nobody is let in who was shut out, and nothing is lost.

What needs it (the transport, shared counts, the copy of the revocations) goes on by itself when it is back.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from events.catalog import QUESTIONS
from events.log.ownership import ArtifactOwners
from events.log.postgres import PostgresJournal
from events.processing import Stage
from runtime.objects import open_objects
from tests.conftest import Servers
from tests.support.accounts import bearer
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import Workers, eventually, followed
from tests.support.people import an_engine
from tests.support.signing_in import COOKIE, Installation, an_installation
from tests.support.teams import Somebody, signs_in

AWAY = 30.0  # seconds
SCOPES = {"scopes": ["read:repositories", "read:events"]}
SETTINGS = {
    "REPOSTREAM_ADMINISTRATORS": "github:1",
    "REPOSTREAM_LIMITS_REQUESTS": "user:100000/hour",
    "REPOSTREAM_LIMITS_INVITATIONS": "user:12/hour",
    "REPOSTREAM_LIMITS_SIGN_INS": "address:80/hour",
    "REPOSTREAM_QUOTA_RUNNING": "4",
    "REPOSTREAM_QUOTA_QUESTIONS": "2",
}


@dataclass
class Here:
    site: Installation
    workers: Workers
    journal: PostgresJournal


@pytest.fixture
async def here(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[Here]:
    where = {"database_url": database_url, "redis_url": redis_url, "home": home}
    async with an_installation(monkeypatch, github, **where, **SETTINGS) as site:  # type: ignore[arg-type]  # by name
        engine = an_engine(database_url)
        workers = Workers(engine, open_objects("", home).claimed_in(ArtifactOwners(engine)))
        working = asyncio.create_task(workers.work())
        yield Here(site, workers, PostgresJournal(engine))
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await engine.dispose()


@dataclass
class Proofs:
    """What somebody can show: their session's cookie, its token, an API key, and a grant's pair."""

    who: Somebody
    cookie: str
    token: str
    key_id: str
    key: str
    grant: dict[str, Any]

    @property
    def shown(self) -> dict[str, dict[str, str]]:
        return {
            "cookie": {"cookie": f"{COOKIE}={self.cookie}"},
            "token": bearer(self.token),
            "key": bearer(self.key),
            "grant": bearer(self.grant["access_token"]),
        }

    async def let_in(self) -> set[str]:
        """Those that still let somebody in."""
        client = self.who.here.client
        replies = {name: await client.get("/api/v1/repositories", headers=each) for name, each in self.shown.items()}
        assert {reply.status_code for reply in replies.values()} <= {200, 401}
        return {name for name, reply in replies.items() if reply.status_code == 200}


async def proofs(site: Installation, number: int, login: str) -> Proofs:
    who = await signs_in(site, number, login)
    key = await who.done("POST", "/me/keys", {"name": login, **SCOPES})
    grant = await who.done("POST", "/me/grants", SCOPES)
    return Proofs(who, who.visitor.cookies[COOKIE], await who.token(), key["key_id"], key["secret"], grant)


@asynccontextmanager
async def watched(who: Somebody, analysis_id: str) -> AsyncIterator[list[str]]:
    """The lines of an event stream that stays open all the time."""
    said: list[str] = []

    async def read(reply: httpx.Response) -> None:
        async for line in reply.aiter_lines():
            said.append(line)  # noqa: PERF401  # seen while it grows

    cookie = {"cookie": f"{COOKIE}={who.visitor.cookies[COOKIE]}"}
    path = f"/api/v1/analyses/{analysis_id}/events"
    async with who.here.client.stream("GET", path, headers=cookie) as reply:
        assert reply.status_code == 200
        reading = asyncio.create_task(read(reply))
        try:
            yield said
            assert not reading.done(), "the stream was cut"
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def answers(redis_url: str) -> bool:
    """Whether Valkey does, asked by a connection of the test's own."""
    try:
        async with Redis.from_url(redis_url, socket_connect_timeout=1) as redis:
            return bool(await redis.ping())
    except (RedisError, OSError):
        return False


@dataclass
class Outage:
    """What was done while Valkey was away, and who was shut out then."""

    analyses: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    shut_out: dict[str, tuple[Proofs, set[str]]] = field(default_factory=dict)  # by what may still let them in

    async def is_kept(self) -> bool:
        """Whether exactly those are let in who should be."""
        return all([await each.let_in() == left for each, left in self.shut_out.values()])


async def shut_out(people: dict[str, Proofs], chief: Somebody, outage: Outage) -> None:
    """Sign out, revoke a key, end a grant, suspend: each by somebody else."""
    site = chief.here
    signed_out, revoked, ended, suspended = (people[name] for name in ("bob", "eve", "joe", "sue"))
    assert (await signed_out.who.visitor.ask("POST", "/auth/logout", origin=site.url)).status_code == 303
    await revoked.who.done("DELETE", f"/me/keys/{revoked.key_id}")
    gone = await site.client.post("/auth/revoke", json={"refresh_token": ended.grant["refresh_token"]})
    assert gone.status_code == 204
    await chief.done("POST", f"/people/{(await suspended.who.me())['user_id']}/suspension")
    outage.shut_out = {
        "bob": (signed_out, {"key", "grant"}),
        "eve": (revoked, {"cookie", "token", "grant"}),
        "joe": (ended, {"cookie", "token", "key"}),
        "sue": (suspended, set()),
    }
    await eventually(outage.is_kept, bool)  # what somebody may do is remembered for three seconds


async def work(ann: Somebody, repository_id: str, outage: Outage) -> None:
    """Ask for more than the quotas allow, each twice under one key."""
    cookie = {"cookie": f"{COOKIE}={ann.visitor.cookies[COOKIE]}"}

    async def post(path: str, body: dict[str, str], key: str) -> list[httpx.Response]:
        headers = {**cookie, "idempotency-key": key}
        first = await ann.here.client.post(f"/api/v1{path}", json=body, headers=headers)
        return [first, await ann.here.client.post(f"/api/v1{path}", json=body, headers=headers)]

    begun = await asyncio.gather(
        *(post("/analyses", {"url": f"https://github.com/acme/r{n}"}, f"analysis-{n}") for n in range(6))
    )
    outage.analyses = [first.json()["analysis_id"] for first, _ in begun if first.status_code == 202]
    assert sorted(first.status_code for first, _ in begun) == [202] * 3 + [429] * 3, [
        r.text for pair in begun for r in pair
    ]
    assert all(first.json() == again.json() for first, again in begun if first.status_code == 202)
    talk = await ann.done("POST", "/conversations", {"repository_id": repository_id})
    path = f"/conversations/{talk['conversation_id']}/questions"
    asked = [await post(path, {"query": f"Why {n}?"}, f"question-{n}") for n in range(3)]
    outage.questions = [first.json()["question_id"] for first, _ in asked if first.status_code == 202]
    assert [first.status_code for first, _ in asked] == [202, 202, 429]
    assert all(first.json() == again.json() for first, again in asked[:2])


@pytest.mark.timeout(240)
async def test_half_a_minute_without_valkey_shuts_nobody_out_lets_nobody_back_in_and_loses_nothing(
    here: Here, servers: Servers, redis_url: str
) -> None:
    site, outage = here.site, Outage()
    chief = await signs_in(site, 1, "chief")
    ann = await signs_in(site, 2, "ann")
    people = {name: await proofs(site, number, name) for number, name in enumerate(("bob", "eve", "joe", "sue"), 3)}
    known = await ann.done("POST", "/analyses", {"url": "https://github.com/acme/known"})
    view = f"/analyses/{known['analysis_id']}"
    await eventually(lambda: ann.done("GET", view), lambda found: found["state"] == "refined", 40)
    here.workers.held = {Stage.CLONE}
    stopped = await ann.done("POST", "/analyses", {"url": "https://github.com/acme/stopped"})
    assert [await each.let_in() for each in people.values()] == [{"cookie", "token", "key", "grant"}] * 4

    async with watched(ann, stopped["analysis_id"]) as said:
        servers.valkey.kill()
        began = time.monotonic()
        try:
            assert not await answers(redis_url)
            await shut_out(people, chief, outage)
            await work(ann, known["repository_id"], outage)
            await ann.done("POST", f"/analyses/{stopped['analysis_id']}/cancel")
            guess = {"secret": "rsi_" + "A" * 43}
            guessed = [(await ann.ask("POST", "/invitations/offer", guess)).status_code for _ in range(15)]
            assert guessed == [404] * 12 + [429] * 3  # counted in this process alone
            assert site.app.state.services.gate._rates.local
            rounds = 0
            while time.monotonic() - began < AWAY:
                newcomer = await signs_in(site, 100 + rounds, f"newcomer-{rounds}")
                assert (await newcomer.me())["name"] == newcomer.login
                assert (await ann.done("GET", view))["state"] == "refined"
                assert len((await ann.done("GET", "/repositories"))["items"]) >= 2
                assert (await chief.done("GET", "/people"))["items"]
                assert await outage.is_kept()
                rounds += 1
                await asyncio.sleep(1)
            tried = [(await site.visitor().ask("GET", "/auth/login")).status_code for _ in range(80)]
            assert 0 < tried.count(302) + 2 * rounds <= 80
            assert 429 in tried
            states = [(await ann.done("GET", f"/analyses/{each}"))["state"] for each in outage.analyses]
            assert states == ["requested"] * 3  # accepted; nobody carries them on
            await eventually(lambda: lines(said), lambda found: any("cancel_requested" in line for line in found))
            assert (await site.client.get("/readyz")).status_code == 503
            assert not await answers(redis_url)
        finally:
            here.workers.held = set()
            servers.valkey.start()
        assert rounds
        for analysis_id in outage.analyses:
            path = f"/analyses/{analysis_id}"
            await eventually(lambda path=path: ann.done("GET", path), lambda found: found["state"] == "refined", 60)  # type: ignore[misc]  # bound now
            assert await outage.is_kept()  # also while the copy in Valkey is one of before

    await eventually(
        lambda: ann.done("GET", f"/analyses/{stopped['analysis_id']}"), lambda v: v["state"] == "cancelled"
    )
    await eventually(lambda: ann.ask("GET", "/me"), lambda _: not site.app.state.services.gate._rates.local)
    await eventually(lambda: site.client.get("/readyz"), lambda reply: reply.status_code == 200)
    assert await outage.is_kept()
    await nothing_is_doubled(here, outage, redis_url)
    await followed(here.site.engine)
    assert len((await ann.done("GET", "/analyses"))["items"]) == 5
    assert (await chief.done("GET", "/audit/verification"))["broken_at"] is None


async def lines(said: list[str]) -> list[str]:
    return said


async def nothing_is_doubled(here: Here, outage: Outage, redis_url: str) -> None:
    for analysis_id in outage.analyses:
        history = await here.journal.read_stream(f"analysis/{analysis_id}")
        assert [each.version for each in history] == list(range(1, len(history) + 1))
        runs = Counter((e.event_type, str(e.data["run_id"])) for e in history if "run_id" in e.data)
        assert set(runs.values()) == {1}, runs
    async with Redis.from_url(redis_url) as redis:
        relayed = [fields[b"event"].decode() for _, fields in await redis.xrange(QUESTIONS)]
    for question_id in outage.questions:
        assert sum(question_id in text for text in relayed) == 1
        asked = "SELECT 1 FROM es.events WHERE type = 'ai.query.requested' AND stream_id LIKE 'conversation/%'"
        assert len(await here.site.rows(asked)) == len(outage.questions)
