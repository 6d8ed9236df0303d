"""The orchestrator where people sign in with the stand-in GitHub, and browsers for it: each with cookies of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from orchestrator.auth.flow import COOKIE as STATE
from orchestrator.auth.sessions import COOKIE
from tests.support.github import CLIENT_ID, CLIENT_SECRET, GitHubStandIn
from tests.support.orchestrator import async_url, configure, running

PUBLIC_URL = "http://127.0.0.1:8501"


@dataclass
class Visitor:
    """A browser that follows nothing by itself. (httpx would not send cookies marked Secure over http.)"""

    client: httpx.AsyncClient
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**({"cookie": jar} if jar else {}), **{name.replace("_", "-"): each for name, each in headers.items()}}
        reply = await self.client.request(method, path, headers=sent)
        for line in reply.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0].strip('"')
            assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= {part.strip() for part in rest.split(";")[1:]}
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return reply

    async def leave(self, query: str = "") -> str:
        """Begin to sign in; the provider's address."""
        reply = await self.ask("GET", f"/auth/login{query}")
        assert reply.status_code == 302, reply.text
        return reply.headers["location"]

    async def back(self, url: str) -> str:
        """Say yes at the provider; the path that it sends back to."""
        async with httpx.AsyncClient(trust_env=False) as outside:
            reply = await outside.get(url)
        assert reply.status_code == 302, reply.text
        address = urlsplit(reply.headers["location"])
        assert f"{address.scheme}://{address.netloc}" == PUBLIC_URL
        return f"{address.path}?{address.query}"

    async def sign_in(self, query: str = "") -> httpx.Response:
        """All of it; the answer to the callback."""
        return await self.ask("GET", await self.back(await self.leave(query)))

    @property
    def signed_in(self) -> bool:
        return COOKIE in self.cookies

    async def api(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        return await self.ask(method, f"/api/v1{path}", **headers)


def told(reply: httpx.Response) -> str:
    """Why nobody was let in, as the redirect says it."""
    assert reply.status_code == 303, reply.text
    address = urlsplit(reply.headers["location"])
    assert (address.scheme, address.netloc, address.path) == ("", "", "/")
    return parse_qs(address.query).get("sign_in", [""])[0]


@dataclass
class Installation:
    """The orchestrator, its database, and the GitHub that it asks."""

    app: FastAPI
    url: str
    client: httpx.AsyncClient
    engine: AsyncEngine
    github: GitHubStandIn

    def visitor(self) -> Visitor:
        return Visitor(self.client)

    async def rows(self, statement: str, **values: object) -> list[Any]:
        async with self.engine.begin() as connection:
            done = await connection.execute(text(statement), values)
            return list(done.mappings()) if done.returns_rows else []


def settings_for(github: GitHubStandIn, public_url: str = PUBLIC_URL) -> dict[str, str]:
    return {
        "REPOSTREAM_LOCAL_SIGN_IN": "false",
        "REPOSTREAM_PUBLIC_URL": public_url,
        "REPOSTREAM_LIMITS_SIGN_INS": "",
        "REPOSTREAM_GITHUB_URL": github.url,
        "REPOSTREAM_GITHUB_CLIENT_ID": CLIENT_ID,
        "REPOSTREAM_GITHUB_CLIENT_SECRET": CLIENT_SECRET,
    }


@asynccontextmanager
async def an_installation(
    monkeypatch: pytest.MonkeyPatch,
    github: GitHubStandIn,
    *,
    database_url: str,
    redis_url: str,
    home: Path,
    **settings: str,
) -> AsyncIterator[Installation]:
    """It over HTTP."""
    from orchestrator.app import create_app

    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    for name, value in {**settings_for(github), **settings}.items():
        monkeypatch.setenv(name, value)
    app = create_app()
    await app.state.services.accounts.tokens.keys.tend()
    engine = create_async_engine(async_url(database_url))
    async with running(app) as client:
        yield Installation(app, str(client.base_url).rstrip("/"), client, engine, github)
    await engine.dispose()


__all__ = ["COOKIE", "STATE", "Installation", "Visitor", "an_installation", "told"]
