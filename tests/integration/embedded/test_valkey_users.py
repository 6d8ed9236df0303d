"""Each service signs in to the embedded Valkey as itself, and reaches its own streams alone."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import AuthenticationError, NoPermissionError

from cli.logins import VALKEY_USERS
from rag_manager.adapters.valkey_memory import ValkeyMemory
from rag_manager.stages.shared_memory import entries_name
from runtime.embedded.valkey import EmbeddedValkey


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path / "valkey", users=VALKEY_USERS)
    server.start()
    yield server
    server.stop()


def test_a_service_reaches_its_own_streams_and_nothing_else(valkey: EmbeddedValkey) -> None:
    with Redis.from_url(valkey.url) as owner:
        for topic in ("stage.clone", "stage.index", "questions", "workflow"):
            owner.xgroup_create(topic, "group", id="0", mkstream=True)
            owner.xadd(topic, {"event": "{}"})
        owner.set("session", "secret")
    own = {"processor": "stage.clone", "rag_manager": "stage.index", "ai_engine": "questions"}
    for service, topic in own.items():
        with Redis.from_url(valkey.url_of(service)) as redis:
            [[_, [(entry, _)]]] = redis.xreadgroup("group", "me", {topic: ">"}, count=1)
            assert redis.xack(topic, "group", entry) == 1
            assert redis.publish("es.wake", "appended") == 0
            for other in {*own.values(), "workflow"} - {topic}:
                with pytest.raises(NoPermissionError):
                    redis.xreadgroup("group", "me", {other: ">"}, count=1)
                with pytest.raises(NoPermissionError):
                    redis.eval("return redis.call('XRANGE', KEYS[1], '-', '+')", 1, other)
            for forbidden in (
                ("GET", "session"),
                ("KEYS", "*"),
                ("FLUSHALL",),
                ("CONFIG", "GET", "requirepass"),
                ("ACL", "LIST"),
                ("DEL", topic),
                ("CLIENT", "KILL", "TYPE", "normal"),
            ):
                with pytest.raises(NoPermissionError):
                    redis.execute_command(*forbidden)


def test_the_orchestrator_may_do_everything_but_administer(valkey: EmbeddedValkey) -> None:
    with Redis.from_url(valkey.url_of("orchestrator")) as redis:
        redis.set("anything", "1")
        redis.xadd("workflow", {"event": "{}"})
        for forbidden in (
            ("FLUSHALL",),
            ("CONFIG", "GET", "*"),
            ("ACL", "LIST"),
            ("SHUTDOWN",),
        ):
            with pytest.raises(NoPermissionError):
                redis.execute_command(*forbidden)


def test_a_password_is_one_users_alone_and_outlives_a_restart(valkey: EmbeddedValkey) -> None:
    before = valkey.url_of("processor")
    stolen = before.replace("processor:", "ai_engine:")
    with Redis.from_url(stolen) as redis, pytest.raises(AuthenticationError):
        redis.ping()
    valkey.stop()
    valkey.start()

    with Redis.from_url(before) as redis:
        assert redis.ping()
    assert (valkey.folder / "users" / "processor").stat().st_mode & 0o777 == 0o600


async def test_rag_manager_shares_searches_and_can_touch_no_other_key_in_that_way(valkey: EmbeddedValkey) -> None:
    async def key() -> bytes:
        return b"k" * 32

    async def made() -> bytes:
        return b"made"

    async def never() -> bytes:
        raise AssertionError("it was kept")

    async with AsyncRedis.from_url(valkey.url_of("rag_manager")) as redis:
        memory, tenant, analysis = ValkeyMemory(redis, key), UUID(int=1), UUID(int=2)
        assert await memory.get("users", tenant, analysis, "asked", made) == b"made"
        assert await memory.get("users", tenant, analysis, "asked", never) == b"made"
        assert await redis.delete(entries_name(tenant, analysis)) == 1
        for refused in (
            redis.delete("stage.index"),
            redis.set("stage.index", "x"),
            redis.hset("stage.embed", "x", "y"),
        ):
            with pytest.raises(NoPermissionError):
                await refused
    for service in ("processor", "ai_engine"):
        async with AsyncRedis.from_url(valkey.url_of(service)) as redis:
            with pytest.raises(NoPermissionError):
                await redis.hget(entries_name(tenant, analysis), "1")
