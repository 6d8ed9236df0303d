"""Somebody deletes their account, or a team: hidden and ended at once, soon nowhere any more, and nothing of others."""

import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from events.base import ERASED
from orchestrator.adapters import erasure_of_people
from orchestrator.projections.beside import rebuild_beside
from orchestrator.projections.overview import Overview
from runtime.live import LiveChannels, send_answer_part
from tests.support.canaries import Canary, dump, hiding_places
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import FILES, eventually, followed
from tests.support.people import Here, Person, a_place, a_team, enter, read_anew, rows_about

CANARY = "canary-77ab"
TOKEN = f"ghp_{CANARY}-token"


@pytest.fixture
async def here(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[Here]:
    async with a_place(monkeypatch, github, database_url, redis_url, home) as place:
        yield place


async def test_an_account_that_is_deleted_ends_at_once_and_is_soon_nowhere(
    here: Here, monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> None:
    monkeypatch.setattr(erasure_of_people, "_AT_ONCE", 2)  # so that it takes several steps
    other, leaver = await here.person("heron"), await here.person(CANARY)
    theirs = await other.works()
    monkeypatch.setitem(FILES, f"app/{CANARY}.py", f"def canary():\n    return '{CANARY}'\n")
    mine = await leaver.works()
    async with Redis.from_url(redis_url) as redis:
        live = LiveChannels(leaver.tenant_id)
        await send_answer_part(redis, live.answer(mine["question"]["question_id"]), {"type": "token", "text": CANARY})
        tick = f'{{"analysis_id": "{mine["view"]["analysis_id"]}", "current": "{CANARY}"}}'
        await redis.xadd(live.ticks, {"tick": tick})
    canaries = [Canary(CANARY), Canary(TOKEN)]
    marks = ("heron", str(other.user_id), str(other.tenant_id), theirs["view"]["analysis_id"])
    await followed(here.engine)
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


async def _by_key(here: Here, path: str, secret: str, body: dict[str, str]) -> httpx.Response:
    return await here.site.client.request("DELETE", f"/api/v1{path}", json=body, headers=_bearer(secret))


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def _is_chained(here: Here, admin: Person) -> None:
    """The trail still proves itself, and says what was done, but not from where."""
    await here.site.rows("UPDATE auth.users SET admin = true WHERE user_id = :id", id=admin.user_id)
    checked = await eventually(  # what somebody may do is remembered
        lambda: admin.call("GET", "/audit/verification"), lambda reply: reply.status_code == 200
    )
    assert checked.json()["broken_at"] is None
    entries = (await admin.get("/audit?action=deleting.&outcome=allowed"))["items"]
    assert [(entry["address"], entry["agent"], entry["salt"]) for entry in entries] == [("", "", None)]


async def test_what_a_member_asked_goes_and_what_the_team_had_analysed_stays(here: Here, database_url: str) -> None:
    leaver, owner = await here.person(CANARY), await here.person("heron")
    team = await a_team(here, "Otters", (leaver, "owner"), (owner, "member"))
    await enter(here, leaver, team)
    await enter(here, owner, team)
    mine = await leaver.works()
    stream = f"conversation/{mine['talk']['conversation_id']}"
    said = [one for one in (await owner.get("/events?limit=500"))["items"] if one["stream_id"] == stream]
    assert f"{CANARY}?" in str(said), "what is left out later would be seen"
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
    for which in ("limit=500", "limit=500&latest=true", "limit=500&type=ai.query.requested"):
        listed = (await owner.get(f"/events?{which}"))["items"]
        assert listed == [] if "type" in which else len(listed) > 5
        assert stream not in {one["stream_id"] for one in listed}
    assert (await owner.get(f"/analyses/{mine['view']['analysis_id']}"))["state"] == "refined"
    await here.done("auth.users", leaver.user_id)
    texts = [
        line for lines in (await rows_about(database_url, f"{CANARY}?", f"{CANARY} answer")).values() for line in lines
    ]
    assert texts == []
    await rebuild_beside(here.engine, here.journal, Overview())
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
    await here.site.rows("UPDATE auth.users SET admin = true")  # of both: what somebody may do is remembered
    asked = {"name": "commands", "scopes": ["read:repositories", "admin"]}
    made = []
    for who in (owner, member):
        await eventually(lambda who=who: who.get("/me"), lambda me: "admin" in me.get("scopes", []))  # type: ignore[misc]  # bound now
        made.append(await who.made("/me/keys", asked))
    weak = await owner.made("/me/keys", {"name": "weak", "scopes": ["read:repositories", "write:analysis"]})
    by_key, by_member, by_weak = (
        partial(_by_key, here, f"/tenants/{team}", secret)
        for secret in (*(each["secret"] for each in made), weak["secret"])
    )
    tries = [await by_weak(named), await by_member(named), await by_key({"confirm": f"{CANARY}"}), await by_key(named)]
    reply = tries.pop()

    assert [(each.status_code, each.json()["code"]) for each in tries] == [
        (403, "forbidden"),
        (403, "forbidden"),
        (422, "not_confirmed"),
    ]
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
