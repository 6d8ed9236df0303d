"""Real servers for the tests that want them: one set a session (and a worker), a fresh database a test."""

import asyncio
import functools
import itertools
import os
import shutil
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx._transports.default as httpx_transports
import httpx2._transports.default as httpx2_transports
import pytest
from hypothesis import settings

from runtime.embedded.chroma import EmbeddedChroma
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.valkey import EmbeddedValkey
from tests.support import second_try, secrets_said, together, what_was_seen
from tests.support.installed import Installed, of_a_run
from tests.support.spare_keys import SpareKeys

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
# The same examples in each run, so that nobody's change is stopped by what another's left; new ones are drawn by
# `--hypothesis-profile=default`.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")
_TEMPLATE = "migrated"
_T = TypeVar("_T")
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Register what looks after a run, and read TLS authorities once: 20 ms a client, and tests have many."""
    config.pluginmanager.register(second_try.SecondTries())
    config.pluginmanager.register(secrets_said.SecretsSaid())
    config.pluginmanager.register(together.OneSystem())
    config.pluginmanager.register(what_was_seen.WhatWasSeen())
    httpx_transports.create_ssl_context = functools.cache(httpx_transports.create_ssl_context)
    httpx2_transports.create_ssl_context = functools.cache(httpx2_transports.create_ssl_context)  # of sign-in, models


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that drive services be tried twice."""
    second_try.allow(items)


@dataclass(frozen=True)
class Servers:
    """The three embedded servers, running. A test that kills one starts it again."""

    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    chroma: EmbeddedChroma


def _in_own_loop(work: Coroutine[Any, Any, _T]) -> _T:
    """Run `work` to its end away from the loop of the test."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _execute(url: str, *statements: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _flush(url: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(url) as redis:
        await redis.flushall()


def _url_of(servers: Servers, database: str) -> str:
    return servers.postgres.url.rsplit("/", 1)[0] + f"/{database}"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """PostgreSQL (without fsync), Valkey and Chroma on free ports.

    In this process a read of a topic that finds nothing waits for a fifth of a second, not for a whole one: each test
    ends with stopping, and stopping waits for the reads.
    """
    from events.delivery import subscriber

    subscriber._BLOCK_MS = 200
    folder = tmp_path_factory.mktemp("servers")
    postgres = EmbeddedPostgres(folder / "postgres", fsync=False)
    valkey = EmbeddedValkey(folder / "valkey")
    chroma = EmbeddedChroma(folder / "chroma")
    all_three = (valkey, chroma, postgres)
    try:
        for server in all_three:
            server.spawn()
        for server in all_three:
            server.wait_ready()
        yield Servers(postgres, valkey, chroma)
    finally:
        for server in all_three:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _template(servers: Servers) -> str:
    """The name of a database with all migrations, to be copied."""
    from migrations import upgrade

    _in_own_loop(_execute(servers.postgres.url, f"CREATE DATABASE {_TEMPLATE}"))
    upgrade(_url_of(servers, _TEMPLATE))
    return _TEMPLATE


@pytest.fixture(scope="session")
def _spare_keys() -> SpareKeys:
    return SpareKeys()


@pytest.fixture
def database_url(servers: Servers, _template: str, _spare_keys: SpareKeys) -> Iterator[str]:
    """`postgresql://…` of a fresh database, migrated to head, gone after the test."""
    _spare_keys.begin_anew()
    name = f"test_{next(_numbers)}"
    servers.postgres.start()
    _in_own_loop(_execute(servers.postgres.url, f"CREATE DATABASE {name} TEMPLATE {_template} STRATEGY FILE_COPY"))
    yield _url_of(servers, name)
    servers.postgres.start()
    said = _in_own_loop(secrets_said.in_tables(_url_of(servers, name)))
    _in_own_loop(_execute(servers.postgres.url, f"DROP DATABASE {name} WITH (FORCE)"))
    assert not said, f"secrets were written where they can be read: {said}"


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """`redis://…` of a Valkey with nothing in it."""
    url = servers.valkey.start()
    _in_own_loop(_flush(url))
    return url


@pytest.fixture
def chroma_url(servers: Servers) -> str:
    """`http://…` of the Chroma server. Tests name their collections apart."""
    return servers.chroma.start()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder of an installation."""
    return tmp_path / "home"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """What the homes of installations can begin with, for tests of something else than the first start."""
    return of_a_run(tmp_path_factory.getbasetemp())
