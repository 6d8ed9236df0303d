"""Sharing links over the real API: one thing, for whoever has the link, until it ends; everything else is not there."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from events.log.ownership import ArtifactOwners
from orchestrator.api.limiting import Gate
from orchestrator.api.shared_access import OPEN
from orchestrator.auth.identity import Kind
from orchestrator.limits.rules import Resource, read_rules
from runtime.database import create_engine
from runtime.objects import open_objects
from runtime.settings import DatabaseSettings
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import Workers, eventually, followed, within_five_seconds
from tests.support.signing_in import Installation, an_installation
from tests.support.teams import Somebody, answered, joins, signs_in
from tests.support.two_tenants import operations

WORD = "vermilion"
OTHER = "cerulean"


@pytest.fixture
async def here(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[Installation]:
    async with an_installation(
        monkeypatch, github, database_url=database_url, redis_url=redis_url, home=home
    ) as installation:
        engine = create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")
        task = asyncio.create_task(Workers(engine, open_objects("", home).claimed_in(ArtifactOwners(engine))).work())
        yield installation
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await engine.dispose()


async def analysed(who: Somebody, word: str) -> dict[str, str]:
    """Have a repository analysed; its ids."""
    begun = await who.done("POST", "/analyses", {"url": f"https://github.com/{word}/app"})
    path = f"/analyses/{begun['analysis_id']}"
    await eventually(lambda: who.done("GET", path), lambda view: view["state"] == "refined", 30)
    return {"repository_id": begun["repository_id"], "analysis_id": begun["analysis_id"]}


async def talked(who: Somebody, repository_id: str) -> dict[str, str]:
    """Begin a conversation with a question; their ids."""
    begun = await who.done("POST", "/conversations", {"repository_id": repository_id})
    path = f"/conversations/{begun['conversation_id']}"
    question = await who.done("POST", f"{path}/questions", {"query": "Where does it begin?"})
    return {"conversation_id": begun["conversation_id"], "question_id": question["question_id"]}


async def opened(here: Installation, secret: str, ids: dict[str, str]) -> dict[str, httpx.Response]:
    """Ask every operation of the API with a link and these ids; the answers that were not 404, by operation."""
    found = {}
    described: dict[str, Any] = here.app.openapi()
    for each in operations(described):
        if each.path.startswith("/api/v1/"):
            asked = each.request({**ids, "path": "app/main.py"}, WORD)
            reply = await here.client.request(**asked, headers={"Authorization": f"Bearer {secret}"})
            if (reply.status_code, reply.json().get("code")) != (404, "not_found"):
                found[described["paths"][each.path][each.method]["operationId"]] = reply
    return found


async def test_a_link_opens_its_own_thing_on_every_route_and_nothing_else(
    here: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    ann = await signs_in(here, 1, "ann")
    team = await ann.team(OTHER)
    old = await analysed(ann, WORD)
    ours, theirs = await analysed(ann, WORD), await analysed(ann, OTHER)
    talk, other_talk = await talked(ann, ours["repository_id"]), await talked(ann, theirs["repository_id"])
    links = {
        kind: await ann.done("POST", f"/{path}/shares", {"expires_in_hours": 1})
        for kind, path in (
            (Kind.REPOSITORY, f"repositories/{ours['repository_id']}"),
            (Kind.CONVERSATION, f"conversations/{talk['conversation_id']}"),
        )
    }
    assert old["analysis_id"] != ours["analysis_id"]
    await followed(here.engine)
    rest = {"tenant_id": team, "user_id": (await ann.me())["user_id"], "resource_id": ours["repository_id"]}
    rest |= {"stream_id": f"analysis/{ours['analysis_id']}", "share_id": links[Kind.REPOSITORY]["share_id"]}

    for kind, link in links.items():
        own = await opened(here, link["secret"], {**rest, **ours, **talk})
        assert own.keys() == OPEN[kind].keys()
        assert {reply.status_code for reply in own.values()} == {200}
        assert not [name for name, reply in own.items() if OTHER in reply.text or team in reply.text]
        foreign = await opened(here, link["secret"], {**rest, **theirs, **other_talk})
        assert foreign.keys() == {"shares_shared"}
        before = await opened(here, link["secret"], {**rest, **old, "conversation_id": str(uuid4())})
        assert not [name for name in before if name.startswith("analyses_") or name == "contents_lines"]

    lines = f"/analyses/{ours['analysis_id']}/lines?path=app/main.py"
    assert "def main" in (await ann.ask("GET", lines, bearer=links[Kind.REPOSITORY]["secret"])).json()["text"]
    on_record = await here.rows(
        "SELECT user_id, proof_id, address, e::text AS row FROM audit.entries e WHERE proof = 'share'"
    )
    assert {str(row["proof_id"]) for row in on_record} == {link["share_id"] for link in links.values()}
    assert {(row["user_id"], row["address"]) for row in on_record} == {(None, "127.0.0.1")}
    assert caplog.records
    assert not [link for link in links.values() if link["secret"][4:] in caplog.text]
    for table in ("app.shares", "audit.entries", "es.events"):
        kept = str(await here.rows(f"SELECT t::text AS row FROM {table} t"))
        assert not [link for link in links.values() if link["secret"][4:] in kept]


async def test_a_link_ends_when_its_time_comes_or_somebody_ends_it(here: Installation) -> None:
    ann, bob = await signs_in(here, 1, "ann"), await signs_in(here, 2, "bob")
    team = await ann.team()
    bob_id = await joins(ann, team, bob)
    begun = await ann.done("POST", "/analyses", {"url": f"https://github.com/{WORD}/app"})
    path = f"/repositories/{begun['repository_id']}"
    mine, his, over, gone = [await who.done("POST", f"{path}/shares", {}) for who in (ann, bob, bob, bob)]
    assert mine["url"] == f"http://127.0.0.1:8501/shared#{mine['secret']}"

    async def shown(link: dict[str, Any]) -> httpx.Response:
        return await ann.ask("GET", "/shared", bearer=link["secret"])

    assert [(await shown(link)).status_code for link in (mine, his, over, gone)] == [200] * 4
    assert len((await bob.done("GET", f"/shares?resource_id={begun['repository_id']}&limit=3"))["items"]) == 3
    assert (await bob.done("GET", f"/shares?resource_id={uuid4()}"))["items"] == []
    assert await bob.refused("DELETE", f"/shares/{mine['share_id']}") == (403, "forbidden")
    await ann.done("DELETE", f"/shares/{his['share_id']}")
    assert await ann.refused("DELETE", f"/shares/{his['share_id']}") == (404, "not_found")
    await here.rows("UPDATE app.shares SET expires_at = now() WHERE share_id = :id", id=over["share_id"])
    for link in (his, over):
        await within_five_seconds(lambda link=link: shown(link), answered(401))  # type: ignore[misc]  # bound now
    assert (await shown(his)).json()["code"] == "link_over"

    await ann.done("PATCH", f"/tenants/{team}/members/{bob_id}", {"role": "viewer"})
    await within_five_seconds(lambda: shown(gone), answered(401))
    assert await bob.refused("POST", f"{path}/shares") == (403, "forbidden")
    own = (await ann.done("GET", "/tenants"))["items"][0]["tenant_id"]
    await ann.done("POST", f"/tenants/{own}/switch")
    assert await ann.refused("POST", f"{path}/shares", {}) == (404, "not_found")
    assert await ann.refused("DELETE", f"/shares/{mine['share_id']}") == (404, "not_found")
    await ann.done("POST", f"/tenants/{team}/switch")
    assert (await shown(mine)).status_code == 200
    await ann.done("DELETE", path)
    assert (await ann.ask("GET", path, bearer=mine["secret"])).status_code == 404
    facts = [row["type"] for row in await here.rows("SELECT type FROM es.events WHERE type LIKE 'tenant.share.%'")]
    assert (facts.count("tenant.share.made"), facts.count("tenant.share.revoked")) == (4, 1)


async def test_who_has_a_link_is_limited_by_address_and_uses_up_nobody_elses_limits(here: Installation) -> None:
    ann = await signs_in(here, 1, "ann")
    await ann.team()
    begun = await ann.done("POST", "/analyses", {"url": f"https://github.com/{WORD}/app"})
    link = await ann.done("POST", f"/repositories/{begun['repository_id']}/shares", {})
    services = here.app.state.services
    rules = {Resource.REQUESTS: read_rules(Resource.REQUESTS, "address:5/minute user:4/minute tenant:4/minute")}
    gate: Gate = services.gate
    here.app.state.services = replace(services, gate=Gate(rules, gate._rates, gate._leases))

    statuses = [(await ann.ask("GET", "/shared", bearer=link["secret"])).status_code for _ in range(7)]

    assert statuses == [200] * 5 + [429] * 2
    assert (await ann.me())["user_id"]
