"""Somebody deletes their account in the real system: nothing of them is left, and nothing of others changes."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from orchestrator.auth.sessions import COOKIE
from rag_manager.adapters.chroma import ChromaVectors
from tests.support.canaries import Canary, files, found_in, keys, tables
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer
from tests.support.github import GitHubStandIn
from tests.support.installed import Installed
from tests.support.names import redis_names, unowned_files, without_tenant
from tests.support.people import rows_about
from tests.support.signing_in import settings_for
from tests.support.system import System

CANARY = "canary_c0de"
OTHER = "bystander_77"
_SECONDS = 60.0  # within which all of it must be gone
_CHANGING = {"auth.sessions", "es.streams", "es.leases", "audit.entries"}  # by what the other one does meanwhile


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def site(tmp_path: Path, installed: Installed, github: GitHubStandIn) -> Iterator[System]:
    """`repostream up` where people sign in."""
    system = System(installed.copy_to(tmp_path / "home"))
    system.environment |= settings_for(github, system.page)
    with system:
        yield system


def signed_in(system: System, github: GitHubStandIn, login: str) -> dict[str, str]:
    """Sign somebody in by the pages' address; what shows who they are from then on."""
    github.user |= {"id": sum(login.encode()), "login": login, "name": login}
    agent = {"user-agent": f"{login}-agent"}
    with httpx.Client(base_url=system.page, headers=agent, trust_env=False) as browser:
        away = browser.get("/auth/login")
        kept = away.headers["set-cookie"].partition(";")[0]
        back = urlsplit(httpx.get(away.headers["location"], trust_env=False).headers["location"])
        reply = browser.get(f"{back.path}?{back.query}", headers={"cookie": kept})
    [session] = [line for line in reply.headers.get_list("set-cookie") if line.startswith(COOKIE)]
    origin = str(system.client.base_url.copy_with(path="/")).rstrip("/")
    return {"cookie": session.partition(";")[0], "origin": origin, **agent}


def works(system: System, git_host: GitServer, word: str) -> dict[str, Any]:
    """Analyse and ask, and make everything that acts for somebody, with `word` wherever there is a place for it."""
    content = {f"{word}.py": f"def {word}():\n    return '{word}'\n", "README.md": f"# {word}\n"}
    build_repository(git_host.folder / "odd" / f"{word}.git", [content])
    view = system.wait(system.analyse(git_host.url(f"odd/{word}"))["analysis_id"], {"refined"})
    assert view["state"] == "refined", view
    assert system.ask(view["repository_id"], f"What does {word} return?")["state"] == "answered"
    for path, body in (
        ("/me/keys", {"name": word, "scopes": ["read:repositories"]}),
        ("/me/grants", {"scopes": ["read:repositories"]}),
        ("/webhooks", {"url": f"https://example.org/{word}"}),
        ("/me/credentials", {"host": "github.com", "name": word, "token": f"ghp_{word}-token"}),
    ):
        assert (made := system.client.post(path, json=body)).is_success, made.text
    return view


def redis_url(system: System) -> str:
    """As its owner, who sees everything."""
    valkey = system.home / "valkey"
    return f"redis://:{(valkey / 'password').read_text()}@127.0.0.1:{(valkey / 'port').read_text()}/0"


async def nobodys(system: System) -> list[str]:
    """Whatever lies in Valkey, among the artifacts and unpacked indexes or in Chroma, and names no tenant."""
    connection = await asyncpg.connect(system.database_url)
    try:
        tenants = {str(row[0]) for row in await connection.fetch("SELECT tenant_id FROM auth.tenants")}
        known = {row[0] for row in await connection.fetch("SELECT collection FROM rag.generations")}
    finally:
        await connection.close()
    named = await redis_names(redis_url(system))
    assert {"ticks", "answer"} <= {name.split(".")[2] for name in named if name.startswith("live.")}
    vectors = ChromaVectors(system.chroma_url)
    try:  # a collection's name is a keyed hash of its tenant, which only the table of the index tells
        foreign = sorted(set(await vectors.names()) - known)
    finally:
        await vectors.close()
    folders = [system.home / "objects", system.home / "cache" / "lexicon"]
    assert all(any(folder.iterdir()) for folder in folders)
    stray = [name for folder in folders for name in unowned_files(folder, tenants)]
    return [*without_tenant(named, tenants), *foreign, *stray]


async def left(system: System) -> list[str]:
    """The stores that have the canary: tables, Valkey, objects, unpacked indexes, folders of work, logs."""
    canaries = [Canary(CANARY)]
    found = [
        line async for where, content in tables(system.database_url) for line in found_in(canaries, where, content)
    ]
    found += [line async for where, content in keys(redis_url(system)) for line in found_in(canaries, where, content)]
    folders = [system.home / name for name in ("objects", "cache", "work", "logs")]
    stored = [pair for folder in folders if folder.is_dir() for pair in files(folder)]
    stored.append(("up.log", (system.home.parent / "up.log").read_bytes()))
    return found + [line for where, content in stored for line in found_in(canaries, where, content)]


async def collections(system: System, analysis_id: str) -> tuple[set[str], set[str]]:
    """The collections of an analysis by the tables, and those that the vector server has."""
    connection = await asyncpg.connect(system.database_url)
    try:
        rows = await connection.fetch(
            "SELECT collection FROM rag.generations WHERE analysis_id = $1 AND collection IS NOT NULL", analysis_id
        )
    finally:
        await connection.close()
    vectors = ChromaVectors(system.chroma_url)
    try:
        return {row["collection"] for row in rows}, set(await vectors.names())
    finally:
        await vectors.close()


def test_nothing_of_a_deleted_account_is_left_in_any_store_and_another_tenant_is_untouched(
    site: System, github: GitHubStandIn, git_host: GitServer
) -> None:
    bystander, leaver = signed_in(site, github, OTHER), signed_in(site, github, CANARY)
    site.client.headers.update(bystander)
    theirs = works(site, git_host, OTHER)
    site.client.headers.update(leaver)
    mine = works(site, git_host, CANARY)
    me = site.client.get("/me").json()
    gone, there = asyncio.run(collections(site, mine["analysis_id"]))
    assert gone <= there
    assert gone
    assert len(asyncio.run(left(site))) > 10, "the canary would be seen"
    assert asyncio.run(nobodys(site)) == []
    before = asyncio.run(rows_about(site.database_url, OTHER, theirs["analysis_id"]))

    reply = site.client.request("DELETE", "/me", json={"confirm": CANARY})
    began = time.monotonic()
    killed = [site.kill("rag_manager"), site.kill("orchestrator")]

    assert reply.status_code == 202, reply.text
    assert all(killed)
    while (found := asyncio.run(left(site))) and time.monotonic() - began < _SECONDS:
        time.sleep(1.0)
    assert found == []
    while "erased" not in (state := asyncio.run(erased(site, me["user_id"]))) and time.monotonic() - began < _SECONDS:
        time.sleep(0.5)
    assert state == "erased"
    while held := gone & asyncio.run(collections(site, theirs["analysis_id"]))[1]:
        assert time.monotonic() - began < _SECONDS, held
        time.sleep(0.5)
    after = asyncio.run(rows_about(site.database_url, OTHER, theirs["analysis_id"]))
    assert {name: after.get(name) for name in before.keys() - _CHANGING} == {
        name: before[name] for name in before.keys() - _CHANGING
    }
    site.client.headers.update(bystander)
    assert site.analysis(theirs["analysis_id"])["state"] == "refined"
    assert site.ask(theirs["repository_id"], f"What does {OTHER} return?")["state"] == "answered"
    site.client.headers.update(leaver)
    assert site.client.get("/me").status_code == 401


async def erased(system: System, user_id: str) -> str:
    connection = await asyncpg.connect(system.database_url)
    try:
        done = await connection.fetchval("SELECT erased_at IS NOT NULL FROM auth.users WHERE user_id = $1", user_id)
    finally:
        await connection.close()
    return "erased" if done else "waits"
