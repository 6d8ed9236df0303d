"""Looking before an analysis begins: orchestrator, processor and a real git server, over real wires."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from events.processing import FaultKind, Stage
from processor.adapters.git import GitRepositories
from processor.adapters.git_ground import GitPolicy
from processor.adapters.workspace import open_workspace
from processor.api import internal_routes
from processor.ports import Ahead, Login
from tests.support.git_repositories import build_repository, empty_repository, git
from tests.support.git_server import GitServer, Manner
from tests.support.jobs import egress_url
from tests.support.orchestrator import System, a_system
from tests.support.service_keys import KEYS, verifier

FILES = {"src/app.py": "x = 1\n", "docs/a.md": "a\n"}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    build_repository(
        folder / "good.git", [{"a": "1\n"}, FILES], branches={"fix": 0, "rel/1.0": 0, "rel/1.0-src": 1}, tags={"v1": 0}
    )
    with GitServer(folder) as running:
        yield running


def ahead(url: str, base: str, head: str, login: Login | None) -> Ahead | None:
    """What the stand-in of a host's API says of commits."""
    assert (len(base), len(head), login) == (40, 40, None)
    return Ahead(12) if url.endswith("/good") and base != head else None


@asynccontextmanager
async def a_processor(work: Path) -> AsyncIterator[str]:
    """The part of the processor that looks up refs, served as it is in the product."""
    workspace = open_workspace(work)
    policy = GitPolicy(frozenset({"github.com"}), egress_url(), loopback=True)
    app = Starlette(routes=internal_routes(GitRepositories(policy, workspace), verifier("processor"), len, ahead))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving
    assert [path for path in workspace.folder.iterdir() if path.name != ".lock"] == []
    workspace.close()


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_processor(tmp_path / "work") as url:
        monkeypatch.setenv("REPOSTREAM_INTERNAL_PROCESSOR_URL", url)
        monkeypatch.setenv("REPOSTREAM_SERVICE_KEY", KEYS["orchestrator"])
        async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
            yield system


async def looked(system: System, url: str, **more: object) -> dict[str, Any]:
    reply = await system.client.post("/api/v1/preflight", json={"url": url, **more})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def test_what_a_request_would_mean_is_said_before_it_begins(system: System, host: GitServer) -> None:
    first, second = git(host.folder / "good.git", "rev-list", "--reverse", "main").decode().split()

    whole = await looked(system, host.url("good.git/"))
    assert (whole["url"], whole["ref"], whole["folder"], whole["commit"]) == (host.url("good"), None, "", second)
    assert whole["size"] == len(host.url("good"))  # the stand-in of a host says the length of its address
    assert (whole["default_branch"], whole["branches"], whole["tags"]) == (
        "main",
        ["fix", "main", "rel/1.0", "rel/1.0-src"],
        ["v1"],
    )
    assert (whole["branch_count"], whole["tag_count"], whole["finished"]) == (4, 1, None)
    for inside, expected in {
        "tree/rel/1.0/src": ("rel/1.0", "src", first),
        "tree/rel/1.0-src": ("rel/1.0-src", "", second),
        "blob/rel/1.0/src/app.py": ("rel/1.0", "", first),
        "tree/main/docs": ("main", "docs", second),
        f"commit/{first}": (first, "", first),
        "tree/v1": ("v1", "", first),
    }.items():
        found = await looked(system, f"{host.url('good')}/{inside}")
        assert (found["ref"], found["folder"], found["commit"]) == expected
    page = (await system.client.get("/api/v1/analyses")).json()
    assert page["items"] == []


@pytest.mark.parametrize(
    ("name", "manner", "more", "told"),
    [
        ("gone", Manner.SERVE, {}, (404, "repository_not_found")),
        ("good", Manner.ASK_PASSWORD, {}, (404, "repository_not_found")),
        ("good", Manner.ASK_PASSWORD, {"token": "canary-token-0123456789"}, (409, "credential_refused")),
        ("good", Manner.REDIRECT, {}, (409, "repository_moved")),
        ("good", Manner.BROKEN, {}, (503, "host_unreachable")),
        ("good", Manner.SERVE, {"ref": "nope"}, (404, "ref_not_found")),
        ("good/tree/nope/x", Manner.SERVE, {}, (404, "ref_not_found")),
        ("good/tree/rel/1.0/src", Manner.SERVE, {"folder": "docs"}, (422, "bad_folder")),
        ("empty", Manner.SERVE, {}, (409, "repository_empty")),
    ],
)
async def test_what_cannot_be_analysed_is_refused_by_name(
    system: System, host: GitServer, name: str, manner: Manner, more: dict[str, str], told: tuple[int, str]
) -> None:
    empty_repository(host.folder / "empty.git")
    host.behave(name, manner)

    reply = await system.client.post("/api/v1/preflight", json={"url": host.url(name), **more})

    assert (reply.status_code, reply.json()["code"]) == told
    assert "canary" not in reply.text


async def test_an_address_that_only_the_host_can_read_is_settled_before_it_is_accepted(
    system: System, host: GitServer
) -> None:
    url = host.url("good")

    reply = await system.client.post("/api/v1/analyses", json={"url": f"{url}/tree/rel/1.0/src"})
    view = reply.json()
    again = await system.client.post("/api/v1/analyses", json={"url": url, "ref": "rel/1.0", "folder": "src"})
    whole = await system.client.post("/api/v1/analyses", json={"url": url, "ref": "rel/1.0"})

    assert (reply.status_code, view["url"], view["ref"], view["folder"]) == (202, url, "rel/1.0", "src")
    assert view["name"] == "good:src"
    assert again.json()["repository_id"] == view["repository_id"] != whole.json()["repository_id"]
    await system.until(view["analysis_id"], "refined")
    await system.followed()
    listed = (await system.client.get(f"/api/v1/repositories/{view['repository_id']}")).json()
    assert (listed["name"], listed["folder"], listed["url"]) == ("good:src", "src", url)


async def test_a_finished_analysis_of_the_same_commit_is_offered_unless_another_is_forced(
    system: System, host: GitServer
) -> None:
    commit = "c0ffee" * 6 + "c0ff"  # what the stand-ins of the workers say
    url = host.url("good")
    begun = await system.client.post("/api/v1/analyses", json={"url": url, "ref": commit})
    first = begun.json()["analysis_id"]
    await system.until(first, "refined")
    await system.followed()

    offered = await looked(system, url, ref=commit.upper())
    other = await looked(system, url, ref=commit, folder="src")
    again = await system.client.post("/api/v1/analyses", json={"url": f"{url}/commit/{commit}"})
    forced = await system.client.post("/api/v1/analyses", json={"url": url, "ref": commit, "force": True})

    assert (offered["finished"]["analysis_id"], other["finished"]) == (first, None)
    assert (begun.status_code, again.status_code, again.json()["analysis_id"]) == (202, 200, first)
    assert forced.status_code == 202
    assert forced.json()["analysis_id"] != first


async def test_what_is_read_all_the_same_and_the_commit_that_was_shown_are_part_of_what_is_the_same(
    system: System, host: GitServer
) -> None:
    async def asked(**more: object) -> tuple[int, str]:
        reply = await system.client.post("/api/v1/analyses", json={"url": url, **more})
        return reply.status_code, reply.json().get("analysis_id") or reply.json()["code"]

    url, commit = host.url("good"), "c0ffee" * 6 + "c0ff"  # what the stand-ins of the workers say
    patterns = {"include": ["vendor/", " ", "*.min.js "]}
    _, plain = await asked(ref=commit)
    await system.until(plain, "refined")
    status, wanted = await asked(ref=commit, **patterns)
    await system.until(wanted, "refined")
    await system.followed()

    assert (status, wanted != plain) == (202, True)
    assert await asked(ref="main", commit=commit.upper()) == (200, plain)
    assert await asked(ref="main", commit=commit, include=["vendor/", "*.min.js"]) == (200, wanted)
    assert (await looked(system, url, ref=commit, **patterns))["finished"]["include"] == ["vendor/", "*.min.js"]
    system.workers.held = {Stage.CLONE}  # so that they go on running
    first, second = await asked(ref="main", commit="d" * 40), await asked(ref="main", commit="e" * 40)
    assert (first[0], second[0], first[1] != second[1]) == (202, 202, True)
    assert await asked(ref="main", commit="d" * 40) == (200, first[1])
    assert await asked(ref=commit, commit="d" * 40) == (422, "bad_ref")
    assert await asked(include=["# all"]) == (422, "bad_include")


async def test_without_a_processor_nothing_is_asked_and_plain_requests_are_accepted(
    system: System, host: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = system.app.state.services.lookups
    monkeypatch.setattr(lookups._client, "base_url", "http://127.0.0.1:9")

    looked_at = await system.client.post("/api/v1/preflight", json={"url": host.url("good")})
    accepted = await system.client.post("/api/v1/analyses", json={"url": f"{host.url('good')}/tree/main"})

    assert (looked_at.status_code, looked_at.json()["code"]) == (503, "preflight_unavailable")
    assert (accepted.status_code, accepted.json()["ref"]) == (202, "main")


async def test_nobody_but_the_orchestrator_may_ask_the_processor(tmp_path: Path, host: GitServer) -> None:
    import httpx

    from tests.support.service_keys import signer

    async with a_processor(tmp_path / "work") as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        body = {"url": host.url("good")}
        replies = [
            await client.post("/internal/refs", json=body, headers=headers)
            for headers in ({}, signer("web_ui").headers("processor"), signer("orchestrator").headers("rag_manager"))
        ]
        good = await client.post("/internal/refs", json=body, headers=signer("orchestrator").headers("processor"))
        bad = await client.post("/internal/refs", content=b"{", headers=signer("orchestrator").headers("processor"))

    assert [(reply.status_code, reply.json()["code"]) for reply in replies] == [(401, "unauthorized")] * 3
    assert (good.status_code, bad.status_code, bad.json()["code"]) == (200, 422, "invalid_request")


async def test_a_repository_whose_host_has_something_newer_is_behind_and_the_host_is_asked_once(
    system: System, host: GitServer
) -> None:
    newest = git(host.folder / "good.git", "rev-parse", "main").decode().strip()
    begun = (await system.client.post("/api/v1/analyses", json={"url": host.url("good")})).json()
    pinned = (
        await system.client.post("/api/v1/analyses", json={"url": f"{host.url('good')}/tree/{newest}/src"})
    ).json()
    for analysis in (begun, pinned):
        await system.until(analysis["analysis_id"], "refined")
    await system.followed()

    async def asked(repository_id: str) -> dict[str, Any]:
        reply = await system.client.get(f"/api/v1/repositories/{repository_id}/staleness")
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    behind = await asked(begun["repository_id"])
    host.behave("good", Manner.BROKEN)
    again = await asked(begun["repository_id"])
    fixed = await asked(pinned["repository_id"])
    system.workers.faults[Stage.INDEX, 0, 1] = (FaultKind.RESOURCE, "disk_full")
    lost = (await system.client.post("/api/v1/analyses", json={"url": begun["url"], "ref": "main"})).json()
    await system.until(lost["analysis_id"], "failed")
    await system.followed()
    after_a_failure = await asked(begun["repository_id"])
    system.app.state.services.lookups.heard._heard.clear()
    unanswered = await system.client.get(f"/api/v1/repositories/{begun['repository_id']}/staleness")
    unknown = await system.client.get(f"/api/v1/repositories/{begun['analysis_id']}/staleness")

    assert (behind["standing"], behind["newest"], behind["ref"]) == ("behind", newest, None)
    assert behind["analysis_id"] == begun["analysis_id"]
    assert (behind["behind_by"], behind["behind_or_more"]) == (12, False)
    assert again == behind
    assert after_a_failure == behind  # what people search is as old as before
    assert (fixed["standing"], fixed["behind_by"]) == ("fixed", None)
    assert (unanswered.status_code, unanswered.json()["code"]) == (503, "host_unreachable")
    assert unknown.status_code == 404
