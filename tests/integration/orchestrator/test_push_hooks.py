"""Push hooks over real HTTP: who is let in, what is begun and once, and that everybody else hears the same."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.support.archives import zip_of
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import System, a_system, eventually
from tests.support.people import Here, a_place, a_team, enter

OLD, NEW = "c0ffee" * 6 + "c0ff", "d" * 40  # what the stand-ins of the workers say, and what is pushed
Reply = tuple[int, str]


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    monkeypatch.setenv("REPOSTREAM_PUSH_HOOKS_BYTES", "100000")
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def analysed(system: System, **more: object) -> dict[str, Any]:
    """A repository whose branch `main` was analysed."""
    body = {"url": "https://github.com/pallets/flask", "ref": "main", **more}
    begun = (await system.client.post("/api/v1/analyses", json=body)).json()
    view = await system.until(begun["analysis_id"], "refined")
    await system.followed()
    return view


def push(ref: str = "refs/heads/main", after: str = NEW, **more: object) -> bytes:
    return json.dumps({"ref": ref, "after": after, **more}).encode()


def signed(secret: str, body: bytes, delivery: str = "", event: str = "push") -> dict[str, str]:
    mac = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return {
        "X-Hub-Signature-256": f"sha256={mac}",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery or str(uuid4()),
    }


async def made(system: System, repository_id: str) -> dict[str, Any]:
    reply = await system.client.post(f"/api/v1/repositories/{repository_id}/push-hook")
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def call(system: System, path: str, body: bytes, headers: dict[str, str]) -> Reply:
    reply = await system.client.post(path, content=body, headers=headers)
    said = reply.json()
    return reply.status_code, said.get("outcome") or said["code"]


async def analyses(system: System) -> list[dict[str, Any]]:
    await system.followed()
    found: list[dict[str, Any]] = (await system.get("/analyses"))["items"]
    return found


async def test_a_push_to_the_analysed_branch_begins_an_analysis_once_whoever_sends_it_again(
    system: System, database_url: str
) -> None:
    view = await analysed(system, folder="app", include=["vendor/"])
    hook = await made(system, view["repository_id"])
    path, secret, body = hook["url"], hook["secret"], push()
    headers = signed(secret, body, "d-1")

    at_once = await asyncio.gather(*(call(system, path, body, headers) for _ in range(4)))
    by_another_name = await call(system, path, body, signed(secret, body, "d-2"))
    under_its_name = await call(system, path, push(after="e" * 40), signed(secret, push(after="e" * 40), "d-1"))
    found = await analyses(system)

    assert sorted(at_once) == [(200, "repeated")] * 3 + [(202, "begun")]
    assert (by_another_name, under_its_name) == ((200, "repeated"), (200, "repeated"))
    assert len(found) == 2
    [request] = (await system.get(f"/analyses/{found[0]['analysis_id']}/history", limit=1))["items"]
    asked = {name: request["data"][name] for name in ("ref", "folder", "include", "commit")}
    assert asked == {"ref": "main", "folder": "app", "include": ["vendor/"], "commit": NEW}
    causes = (await system.get("/events/causes", stream_id=f"analysis/{found[0]['analysis_id']}"))["items"]
    assert causes[0]["elsewhere"] == {
        "stream_id": f"analysis/{view['analysis_id']}",
        "version": 1,
        "event_type": "repository.processing.requested",
    }
    shown = await system.get(f"/repositories/{view['repository_id']}/push-hook")
    assert (shown["outcome"], shown["works"], "secret" in shown) == ("begun", True, False)
    connection = await asyncpg.connect(database_url)
    try:
        stored = await connection.fetch("SELECT t::text AS row FROM app.push_hooks t")
        log = await connection.fetch("SELECT action, outcome, proof_id, target FROM audit.entries ORDER BY position")
    finally:
        await connection.close()
    assert not any(secret[6:] in row["row"] for row in stored)
    begun = [entry for entry in log if entry["action"] == "push_hooks.receive"]
    assert [(e["outcome"], str(e["proof_id"]), e["target"]) for e in begun] == [
        ("allowed", hook["hook_id"], f"repositories/{view['repository_id']}")
    ]


async def test_what_is_no_push_to_that_branch_begins_nothing_and_says_so(system: System) -> None:
    view = await analysed(system)
    hook = await made(system, view["repository_id"])

    async def told(body: bytes, event: str = "push", **headers: str) -> Reply:
        return await call(system, hook["url"], body, signed(hook["secret"], body, event=event) | headers)

    assert await told(b"{}", "ping") == (200, "ping")
    assert await told(push(), "issues") == (200, "other_event")
    assert await told(push("refs/heads/other")) == (200, "other_branch")
    assert await told(push("refs/tags/main")) == (200, "other_branch")
    assert await told(push(after="0" * 40)) == (200, "branch_deleted")
    assert await told(push(after=OLD)) == (200, "current")
    assert await told(b"not JSON") == (422, "invalid_request")
    assert len(await analyses(system)) == 1
    await analysed(system, ref="other")
    assert await told(push("refs/heads/other")) == (200, "other_branch")  # the hook was made for main
    assert await told(push(after=OLD)) == (200, "current")
    shown = await system.get(f"/repositories/{view['repository_id']}/push-hook")
    assert (shown["outcome"], shown["branch"]) == ("current", "main")


async def test_everybody_else_hears_the_same_whether_there_is_such_a_repository_or_not(
    system: System, database_url: str
) -> None:
    view = await analysed(system)
    without = await analysed(system, url="https://github.com/pallets/click")
    hook = await made(system, view["repository_id"])
    path, secret, body = hook["url"], hook["secret"], push()
    good = signed(secret, body)
    attacks: dict[str, tuple[str, bytes, list[tuple[str, str]]]] = {
        "no signature": (path, body, []),
        "an empty one": (path, body, [("X-Hub-Signature-256", "")]),
        "another secret": (path, body, [*signed("whsec_x", body).items()]),
        "another body": (path, push(after="e" * 40), [*good.items()]),
        "the older hash": (path, body, [("X-Hub-Signature", good["X-Hub-Signature-256"])]),
        "two signatures": (path, body, [*good.items(), ("X-Hub-Signature-256", "sha256=0")]),
        "a wrong proof beside a right one": (path, body, [*good.items(), ("X-Gitlab-Token", "x")]),
        "an unknown repository": (f"/hooks/{uuid4()}", body, [*good.items()]),
        "a repository without a hook": (f"/hooks/{without['repository_id']}", body, [*good.items()]),
        "no id": ("/hooks/everything", body, [*good.items()]),
        "nobody's id": ("/hooks/00000000-0000-0000-0000-000000000000", body, [*good.items()]),
        "an id that is no text": ("/hooks/%ff%fe", body, [*good.items()]),
    }

    replies = {
        name: await system.client.post(to, content=content, headers=httpx.Headers(headers))
        for name, (to, content, headers) in attacks.items()
    }

    said = {
        name: (reply.status_code, {**reply.json(), "correlation_id": ""}, sorted(reply.headers.keys()))
        for name, reply in replies.items()
    }
    assert {each[0] for each in said.values()} == {403}
    assert all(each == said["no signature"] for each in said.values()), said
    assert said["no signature"][1]["code"] == "push_hook_refused"
    assert len(await analyses(system)) == 2
    too_long = await system.client.post(path, content=b"x" * 100_001, headers=good)
    unending = await system.client.post(path, content=_endless(), headers=good)
    assert [(reply.status_code, reply.json()["code"]) for reply in (too_long, unending)] == [
        (413, "body_too_large")
    ] * 2

    rotated = await made(system, view["repository_id"])
    assert rotated["hook_id"] != hook["hook_id"]
    assert await call(system, path, body, good) == (403, "push_hook_refused")
    assert (await system.client.delete(f"/api/v1/repositories/{view['repository_id']}/push-hook")).status_code == 204
    assert await call(system, path, body, signed(rotated["secret"], body)) == (403, "push_hook_refused")
    connection = await asyncpg.connect(database_url)
    try:
        outcomes = await connection.fetch(
            "SELECT outcome, code, sum(times)::int AS times FROM audit.entries"
            " WHERE action = 'push_hooks.receive' AND code = 'push_hook_refused' GROUP BY 1, 2"
        )
    finally:
        await connection.close()
    assert [row["outcome"] for row in outcomes] == ["refused"]


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(50):
        yield b"x" * 10_000


async def test_a_hook_ends_with_its_repository_and_an_upload_has_none(system: System) -> None:
    view = await analysed(system)
    hook = await made(system, view["repository_id"])
    body = push()

    again = {"Idempotency-Key": "make-1"}
    address = f"/api/v1/repositories/{view['repository_id']}/push-hook"
    first, repeated = [await system.client.post(address, headers=again) for _ in range(2)]
    assert (first.json()["secret"], first.status_code) == (repeated.json()["secret"], 201)
    await made(system, view["repository_id"])
    forgotten = await system.client.post(address, headers=again)
    assert (forgotten.status_code, forgotten.json()["code"]) == (409, "idempotency_answer_gone")
    sent = await system.client.post("/api/v1/uploads", content=zip_of({"a.py": b"x = 1\n"}))
    uploaded = await system.client.post("/api/v1/analyses", json={"url": sent.json()["url"]})
    await system.until(uploaded.json()["analysis_id"], "refined")
    await system.followed()
    none = await system.client.post(f"/api/v1/repositories/{uploaded.json()['repository_id']}/push-hook")
    assert (none.status_code, none.json()["code"]) == (409, "nothing_is_pushed")

    gone = await system.client.delete(f"/api/v1/repositories/{view['repository_id']}")

    assert gone.status_code == 202
    assert await call(system, hook["url"], body, signed(hook["secret"], body)) == (403, "push_hook_refused")
    assert (await system.client.post(address)).status_code == 404


async def test_a_hook_acts_for_whoever_made_it_within_their_limits_and_only_while_they_may(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> None:
    monkeypatch.setenv("REPOSTREAM_LIMITS_ANALYSES", "tenant:2/hour")
    monkeypatch.setenv("REPOSTREAM_LIMITS_PUSHES", "address:6/hour")
    async with a_place(monkeypatch, github, database_url, redis_url, home) as here:
        maker, owner = await here.person("heron"), await here.person("otter")
        team = await a_team(here, "Otters", (owner, "owner"), (maker, "member"))
        for person in (maker, owner):
            await enter(here, person, team)
        begun = await maker.made("/analyses", {"url": "https://github.com/pallets/flask", "ref": "main"})
        path = f"/repositories/{begun['repository_id']}/push-hook"
        reply = await eventually(lambda: maker.call("POST", path), lambda reply: reply.status_code == 201)
        hook = reply.json()

        async def pushed(after: str) -> tuple[int, str, str | None]:
            body = push(after=after)
            to = "/hooks/" + begun["repository_id"]
            reply = await here.site.client.post(to, content=body, headers=signed(hook["secret"], body))
            said = reply.json()
            return reply.status_code, said.get("outcome") or said["code"], reply.headers.get("retry-after")

        assert hook["url"].endswith(f"/hooks/{begun['repository_id']}")
        assert hook["url"].startswith("http")
        assert (await pushed("1" * 40))[:2] == (202, "begun")
        status, code, wait = await pushed("2" * 40)
        assert (status, code, wait is not None) == (429, "rate_limited", True)
        await _demote(here, team, maker.user_id, "viewer")
        assert (await pushed("3" * 40))[:2] == (403, "push_hook_refused")
        assert (await owner.get(path))["works"] is False
        await _demote(here, team, maker.user_id, "member")
        assert (await pushed("2" * 40))[:2] == (429, "rate_limited")
        assert [(await pushed("4" * 40))[:2] for _ in range(3)] == [(429, "rate_limited")] * 3
        answered = await here.site.client.post("/hooks/x", content=b"")
        assert (answered.status_code, answered.json()["code"]) == (429, "rate_limited")


async def _demote(here: Here, team: object, user: object, role: str) -> None:
    await here.site.rows(
        "UPDATE auth.members SET role = :role WHERE tenant_id = :team AND user_id = :user RETURNING 1 AS one",
        role=role,
        team=team,
        user=user,
    )
