"""Marked secrets go every way through the real services, and are found in no table, stream, file, log or answer."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from ai_engine.adapters.openai import OpenAIModel
from ai_engine.subscribers import Answerer
from events.question import QuestionAsked
from runtime.logging import configure_logging
from runtime.redaction import hide
from runtime.sealing import fresh_key
from tests.fakes.facts import FakeFacts
from tests.fakes.retriever import FakeRetriever
from tests.support.canaries import Canary, files, found_in, hiding_places, keys, tables
from tests.support.delivery import a_kernel, until
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer
from tests.support.kernel import a_draft
from tests.support.model_stand_in import model_stand_in
from tests.support.orchestrator import System, a_system, eventually
from tests.support.service_keys import KEYS, PUBLIC_KEYS

# None has the shape of a known token: what takes them out is not that they look like one.
KEPT, ONCE, WRONG, IN_URL, MALFORMED, MODEL = (
    Canary(f"canary.{number}.{word * 3}")
    for number, word in enumerate(("Kestrel", "Osprey", "Linnet", "Siskin", "Dunlin", "Whimbrel"))
)
SETTING = Canary(fresh_key())
MARKED = (KEPT, ONCE, WRONG, IN_URL, MALFORMED, MODEL, SETTING)


@pytest.fixture
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served"
    for name in ("kept", "once", "refused"):
        (folder / "acme").mkdir(parents=True, exist_ok=True)
        build_repository(folder / "acme" / f"{name}.git", [{"app.py": f"def {name}():\n    return 1\n"}])
    passwords = {"acme/kept": {KEPT.secret}, "acme/once": {ONCE.secret}, "acme/refused": {"another"}}
    with GitServer(folder, passwords=passwords) as running:
        yield running


@pytest.fixture
async def system(
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],  # before the services, which log to where it looks
) -> AsyncIterator[System]:
    """The real orchestrator and the real processor."""
    from processor.app import create_app

    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", SETTING.secret)
    monkeypatch.setenv("REPOSTREAM_SERVICE_PUBLIC_KEYS", PUBLIC_KEYS)
    monkeypatch.setenv("REPOSTREAM_SERVICE_KEY", KEYS["processor"])
    monkeypatch.setenv("REPOSTREAM_LOG_LEVEL", "DEBUG")
    made = a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=tmp_path / "home", working=False)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(made)
        monkeypatch.setenv("REPOSTREAM_INTERNAL_ORCHESTRATOR_URL", str(running.client.base_url))
        processor = create_app()
        await stack.enter_async_context(processor.router.lifespan_context(processor))
        yield running


class Heard:
    """A client that keeps all that it is answered, headers too."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.content = b""

    async def __call__(self, method: str, path: str, **options: object) -> httpx.Response:
        reply = await self._client.request(method, path, **options)  # type: ignore[arg-type]  # httpx's own
        self.content += reply.content + repr(reply.headers).encode()
        return reply

    async def stream(self, path: str) -> None:
        """The whole of a stream of events that ends, or its first hundred lines."""
        async with self._client.stream("GET", path, headers={"accept": "text/event-stream"}) as reply:
            lines = 0
            async for line in reply.aiter_lines():
                self.content += line.encode()
                lines += 1
                if lines > 100 or "processing.failed" in line:
                    return


async def analyse(ask: Heard, url: str, **more: object) -> UUID:
    reply = await ask("POST", "/api/v1/analyses", json={"url": url, **more})
    assert reply.status_code == 202, reply.text
    return UUID(reply.json()["analysis_id"])


async def clone_ends(ask: Heard, analysis: UUID, state: str) -> dict[str, object]:
    async def stage() -> dict[str, object]:
        view = (await ask("GET", f"/api/v1/analyses/{analysis}")).json()
        return next((stage for stage in view["stages"] if stage["stage"] == "clone"), {})

    return await eventually(stage, lambda found: found.get("state") == state, 60)


async def ask_wrongly(ask: Heard, url: str) -> None:
    """Requests that are refused, with a secret where people put them by mistake."""
    secret = MALFORMED.secret
    wrong = [
        await ask("POST", "/api/v1/analyses", json={"url": f"http://me:{IN_URL.secret}@{url.partition('://')[2]}"}),
        await ask("POST", "/api/v1/analyses", json={"url": url, "token": {"value": secret}}),
        await ask("POST", "/api/v1/analyses", json={"url": url, "token": f"{secret}\n"}),
        await ask("POST", "/api/v1/analyses", json={"url": url, "token": secret, "credential": str(uuid4())}),
        await ask("POST", "/api/v1/analyses", content=f'{{"token": "{secret}", ', headers={"content-type": "json"}),
        await ask("POST", "/api/v1/me/credentials", json={"host": "evil.example", "token": secret}),
        await ask("POST", "/api/v1/me/credentials", json={"host": [secret], "token": [secret]}),
        await ask("POST", "/internal/clone-login", json={}, headers={"authorization": f"Bearer {secret}"}),
        await ask("DELETE", f"/api/v1/me/credentials/{uuid4()}", headers={"cookie": f"x={secret}"}),
    ]

    assert [reply.status_code for reply in wrong if not reply.is_client_error] == []


@pytest.mark.usefixtures("_logging_as_it_was")
async def test_secrets_that_went_every_way_are_nowhere(
    system: System,
    server: GitServer,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ask = Heard(system.client)
    host = server.url("").removeprefix("http://").strip("/")
    kept = await ask("POST", "/api/v1/me/credentials", json={"host": host, "name": "mine", "token": KEPT.secret})
    assert kept.status_code == 201, kept.text

    cloned = await analyse(ask, server.url("acme/kept"))
    once = await analyse(ask, server.url("acme/once"), token=ONCE.secret)
    refused = await analyse(ask, server.url("acme/refused"), token=WRONG.secret)
    await clone_ends(ask, cloned, "completed")
    await clone_ends(ask, once, "completed")
    assert (await clone_ends(ask, refused, "failed"))["code"] == "credential_refused"
    await ask_wrongly(ask, server.url("acme/kept"))
    for path in ("/events?limit=500", "/me/credentials", "/repositories", f"/analyses/{refused}/history"):
        await ask("GET", f"/api/v1{path}")
    for path in ("/readyz", "/metrics", "/api/v1/openapi.json"):
        await ask("GET", path)
    await ask.stream(f"/api/v1/analyses/{refused}/events")

    shown = "".join(server.headers)
    assert shown.count("Authorization: Basic") >= 6  # the host did see them
    logged = capsys.readouterr()
    assert '"service": "processor"' in logged.err
    assert list(found_in(MARKED, "log", (logged.err + logged.out).encode())) == []
    assert list(found_in(MARKED, "answer", ask.content)) == []
    assert await hiding_places(MARKED, database_url, redis_url, tmp_path / "home") == []


@pytest.mark.usefixtures("_logging_as_it_was")
async def test_the_key_that_a_model_provider_repeats_in_its_error_is_nowhere(
    database_url: str, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(service="ai_engine", level="DEBUG")
    hide(MODEL.secret)  # as the settings' reader does
    (tmp_path / "home").mkdir()
    async with model_stand_in("openai") as stand_in, a_kernel(database_url, redis_url) as kernel:
        stand_in.message = f"Incorrect API key provided: {MODEL.secret}"
        stand_in.script = ["status:401"]
        model = OpenAIModel(model="m", key=lambda: MODEL.secret, base_url=stand_in.url)
        subscriber = kernel.subscriber("a")
        Answerer(
            retriever=FakeRetriever({"a.py": "x = 1"}),
            facts=FakeFacts(),
            models={"openai:m": model},
            redis=kernel.redis,
        ).register(subscriber, slots=1)
        stream = f"conversation/{uuid4()}"
        question = QuestionAsked(question_id=uuid4(), repository_id=uuid4(), query="x?")
        await kernel.journal.append(stream, [a_draft(question)])
        await kernel.carry()
        await subscriber.start()

        async def ends() -> list[object]:
            return list((await kernel.journal.read_stream(stream))[1:])

        await until(ends)
        [failed] = await kernel.journal.read_stream(stream, after=1)
        await model.close()

        assert failed.data["code"] == "model_key_refused"
        assert list(found_in([MODEL], "event", json.dumps(failed.data).encode())) == []
        assert await hiding_places([MODEL], database_url, redis_url, tmp_path / "home") == []
    logged = capsys.readouterr()
    assert list(found_in([MODEL], "log", (logged.err + logged.out).encode())) == []


@pytest.mark.usefixtures("_logging_as_it_was")
async def test_a_secret_would_be_found_wherever_it_were_left(
    system: System, database_url: str, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = Canary("planted.canary.Kittiwake")
    for form in planted.forms[:3]:
        (tmp_path / "file").write_bytes(b"before " + form)
        assert [line for where, content in files(tmp_path) for line in found_in([planted], where, content)]
    async with system.engine.begin() as connection:
        await connection.execute(text("UPDATE auth.users SET name = :name"), {"name": planted.secret})
    async with Redis.from_url(redis_url) as redis:
        await redis.xadd("planted", {"value": planted.secret})
    logging.getLogger("planted").warning("unhidden %s", planted.secret)

    assert [name async for name, content in tables(database_url) for _ in found_in([planted], name, content)] == [
        "auth.users"
    ]
    assert [name async for name, content in keys(redis_url) for _ in found_in([planted], name, content)] == [
        "stream b'planted'"
    ]
    assert list(found_in([planted], "log", capsys.readouterr().err.encode()))
