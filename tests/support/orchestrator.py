"""The real orchestrator on real servers, and stage workers that are honest about everything but the work."""

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.artifacts import (
    ArtifactKind,
    ArtifactRef,
    ChunkRow,
    ChurnRow,
    CommitRow,
    ConnectionRow,
    DependencyRow,
    EdgeRow,
    ImportRow,
    LinkRow,
    OutcomeRow,
    SourceRow,
    SymbolRow,
    TreeRow,
)
from events.base import Envelope, Event, caused_by
from events.log.ownership import ArtifactOwners
from events.log.postgres import PostgresJournal
from events.processing import FaultKind, Stage, StageCompleted, StageFailed, StageParked, StageRequested, StageStarted
from orchestrator.workflow.evolve import PARKED
from runtime.database import create_engine
from runtime.http_protocol import ProblemProtocol
from runtime.objects import Objects, open_objects
from runtime.parquet import write_rows
from runtime.sealing import fresh_key
from runtime.settings import DatabaseSettings
from tests.support.graph_rows import CONNECTIONS, IMPORTS, links_of
from tests.support.service_keys import PUBLIC_KEYS

FILES = {
    "app/main.py": "import os\n\n\ndef main():\n    return os.getcwd()\n",
    "app/util.py": "def add(a, b):\n    return a + b\n",
    "README.md": "# Sample\n\nA sample.\n",
}
CHURN = {"app/main.py": 7, "app/util.py": 2}
COMMITS = (
    CommitRow(number=0, commit="c" * 40, subject="Say hello", message="It was silent.", paths=["app/main.py"]),
    CommitRow(number=2, commit="b" * 40, subject="Begin", message="", paths=["app/main.py", "app/util.py"]),
)


T = TypeVar("T")


def async_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://")


def configure(monkeypatch: pytest.MonkeyPatch, *, database_url: str, redis_url: str, home: Path) -> None:
    for name, value in {
        "REPOSTREAM_DATABASE_URL": database_url,
        "REPOSTREAM_REDIS_URL": redis_url,
        "REPOSTREAM_HOME": str(home),
        "REPOSTREAM_INTAKE_LOOPBACK": "true",
        "REPOSTREAM_ORCHESTRATOR_QUERIES_SECONDS": "2",
        "REPOSTREAM_AI_MODELS": "",
        "REPOSTREAM_LOCAL_SIGN_IN": "true",
        "REPOSTREAM_SECRET_KEY": os.environ.get("REPOSTREAM_SECRET_KEY") or fresh_key(),
        "REPOSTREAM_SERVICE_PUBLIC_KEYS": PUBLIC_KEYS,
    }.items():
        monkeypatch.setenv(name, value)
    for resource in ("REQUESTS", "ANALYSES", "LOOKUPS", "QUESTIONS", "STREAMS", "SIGN_INS", "FAILURES", "INVITATIONS"):
        name = f"REPOSTREAM_LIMITS_{resource}"
        monkeypatch.setenv(name, os.environ.get(name, ""))  # only the tests of limits have some


@asynccontextmanager
async def served(app: FastAPI, before_it_stops: Callable[[], None] = lambda: None) -> AsyncIterator[str]:
    """Serve `app` on a free port of this machine; its address."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http=ProblemProtocol,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=120,  # s; longer than a client keeps one: a loop that rested would close it under a request
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        before_it_stops()
        server.should_exit = True
        await serving


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Serve an orchestrator; a client for it."""
    async with (
        served(app, app.state.services.hub.close) as url,
        httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as client,
    ):
        yield client


async def put_rows(
    objects: Objects, kind: ArtifactKind, row: type[BaseModel], rows: list[BaseModel], shard: int
) -> ArtifactRef:
    content = write_rows(row, rows)
    stored = await objects.put(kind.value, ".parquet", content)
    return ArtifactRef(kind=kind, key=stored.key, sha256=stored.sha256, rows=len(rows), bytes=stored.bytes, shard=shard)


@dataclass
class Workers:
    """Takes every requested run from the feed and completes it, or fails it where `faults` says so."""

    engine: AsyncEngine
    objects: Objects
    shards: int = 2
    faults: dict[tuple[Stage, int, int], tuple[FaultKind, str]] = field(default_factory=dict)
    held: set[Stage] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.journal = PostgresJournal(self.engine)

    async def work(self) -> None:
        after = 0
        waiting: list[Envelope] = []
        while True:
            for envelope in await self.journal.read_feed(after=after, limit=200):
                after = envelope.seq or after
                if envelope.event_type == StageRequested.event_type:
                    waiting.append(envelope)
            for envelope in list(waiting):
                if StageRequested.model_validate(envelope.data).stage not in self.held:
                    waiting.remove(envelope)
                    await self.run(envelope)
            await asyncio.sleep(0.05)

    async def run(self, envelope: Envelope) -> None:
        request = StageRequested.model_validate(envelope.data)
        self.objects = self.objects.of(envelope.tenant_id, envelope.repository_id)
        key = {"run_id": request.run_id, "stage": request.stage, "shard": request.shard, "attempt": request.attempt}
        started = StageStarted(**key, worker="test")
        fault = self.faults.get((request.stage, request.shard, request.attempt))
        end: Event
        if fault is not None and fault[1] == PARKED:
            end = StageParked(**key, shards=request.shards, deliveries=4, message="It killed its workers.")
        elif fault is not None:
            end = StageFailed(**key, shards=request.shards, kind=fault[0], code=fault[1], message="It broke.")
        else:
            artifacts, counts, facts = await self.results(request)
            end = StageCompleted(
                **key,
                shards=request.shards,
                duration=0.01,
                files_processed=len(FILES),
                counts=counts,
                artifacts=artifacts,
                facts=facts,
                metadata_extracted={"readme_found": True} if request.stage is Stage.METADATA else {},
            )
        at = datetime.now(UTC)
        drafts = [
            caused_by(envelope, envelope.stream_id, event, ordinal=n, at=at, stage=request.stage)
            for n, event in enumerate((started, end))
        ]
        await self.journal.append(envelope.stream_id, drafts)

    async def results(
        self, request: StageRequested
    ) -> tuple[tuple[ArtifactRef, ...], dict[str, int], dict[str, object]]:
        if request.stage is Stage.CLONE:
            facts: dict[str, object] = {"commit": "c0ffee" * 6 + "c0ff", "ref": "main", "skipped": {"binary": 1}}
            return await self.clone(), {"files": len(FILES), "skipped": 1, "bytes": 100}, facts
        if request.stage is Stage.PARSE:
            return await self.parse(request.shard), {"symbols": 2, "edges": 1, "chunks": 3}, {}
        if request.stage is Stage.METADATA:
            return (await self.dependencies(),), {"dependencies": 2}, {}
        if request.stage is Stage.LINK:
            return await self.graph(), {"links": 2}, {}
        if request.stage is Stage.HISTORY:
            rows: list[BaseModel] = [ChurnRow(path=path, commits=n, authors=1) for path, n in CHURN.items()]
            churn = await put_rows(self.objects, ArtifactKind.CHURN, ChurnRow, rows, 0)
            commits = await put_rows(self.objects, ArtifactKind.COMMITS, CommitRow, [*COMMITS], 0)
            return (churn, commits), {"commits": 9, "contributors": 1}, {"commits": 9, "files_changed": 2}
        if request.stage is Stage.STRUCTURE:
            return (), {}, {"languages": {"python": 2, "markdown": 1}}
        return (), {}, {}

    def shard_of(self, path: str) -> int:
        return sorted(FILES).index(path) % self.shards

    async def clone(self) -> tuple[ArtifactRef, ...]:
        tree: list[BaseModel] = [
            TreeRow(
                path=path,
                blob_id=sha256(text.encode()).hexdigest()[:40],
                mode="100644",
                size=len(text),
                language="python",
                file_class="code",
                lines=text.count("\n"),
                shard=self.shard_of(path),
            )
            for path, text in sorted(FILES.items())
        ]
        tree.append(TreeRow(path="logo.png", blob_id="b", mode="100644", size=5, skipped="binary"))
        refs = [await put_rows(self.objects, ArtifactKind.TREE, TreeRow, tree, 0)]
        for shard in range(self.shards):
            rows: list[BaseModel] = [
                SourceRow(
                    path=path,
                    blob_id="b",
                    language="python",
                    file_class="code",
                    size=len(text),
                    lines=text.count("\n"),
                    content=text,
                )
                for path, text in sorted(FILES.items())
                if self.shard_of(path) == shard
            ]
            refs.append(await put_rows(self.objects, ArtifactKind.SOURCES, SourceRow, rows, shard))
        return tuple(refs)

    async def dependencies(self) -> ArtifactRef:
        said = {"ecosystem": "python", "group": "", "version": "3.1"}
        rows: list[BaseModel] = [
            DependencyRow(**said, name="Flask", constraint=">=3", scope="runtime", path="pyproject.toml", line=4),
            DependencyRow(**said, name="ruff", constraint="", scope="dev", path="pyproject.toml", line=9),
            DependencyRow(**said, name="flask", constraint="", scope="runtime", path="uv.lock", line=2, locked=True),
        ]
        return await put_rows(self.objects, ArtifactKind.DEPENDENCIES, DependencyRow, rows, 0)

    async def parse(self, shard: int) -> tuple[ArtifactRef, ...]:
        paths = [path for path in sorted(FILES) if self.shard_of(path) == shard]
        symbols: list[BaseModel] = [
            SymbolRow(
                path=path,
                language="python",
                kind="function",
                name=f"f{n}",
                qualified_name=f"{path}.f{n}",
                parent=None,
                signature="def f()",
                docstring="",
                first_line=1,
                last_line=2,
                first_byte=0,
                last_byte=len(FILES[path].encode()),
            )
            for path in paths
            for n in range(2)
        ]
        edges: list[BaseModel] = [EdgeRow(path=path, kind="import", source=None, target="os", line=1) for path in paths]
        outcomes: list[BaseModel] = [OutcomeRow(path=path, outcome="parsed", symbols=2, chunks=1) for path in paths]
        chunks: list[BaseModel] = [a_chunk(path) for path in paths]
        return (
            await put_rows(self.objects, ArtifactKind.CHUNKS, ChunkRow, chunks, shard),
            await put_rows(self.objects, ArtifactKind.SYMBOLS, SymbolRow, symbols, shard),
            await put_rows(self.objects, ArtifactKind.EDGES, EdgeRow, edges, shard),
            await put_rows(self.objects, ArtifactKind.OUTCOMES, OutcomeRow, outcomes, shard),
        )

    async def graph(self) -> tuple[ArtifactRef, ...]:
        def place(path: str, number: int) -> tuple[int, int]:
            shard = self.shard_of(path)
            return shard, 2 * [other for other in sorted(FILES) if self.shard_of(other) == shard].index(path) + number

        return (
            await put_rows(self.objects, ArtifactKind.IMPORTS, ImportRow, IMPORTS, 0),
            await put_rows(self.objects, ArtifactKind.LINKS, LinkRow, links_of(place), 0),
            await put_rows(self.objects, ArtifactKind.CONNECTIONS, ConnectionRow, CONNECTIONS, 0),
        )


def a_chunk(path: str) -> ChunkRow:
    """The one passage of a file."""
    digest = sha256(FILES[path].encode()).hexdigest()
    said = {"language": "python", "file_class": "code", "header": path, "text": FILES[path], "text_sha256": digest}
    return ChunkRow(chunk_id=f"{path}-{digest}", path=path, first_line=1, last_line=2, symbols=[], **said)


async def eventually(ask: Callable[[], Awaitable[T]], holds: Callable[[T], object], seconds: float = 15) -> T:
    """What `ask` answers once `holds` is true of it."""
    async with asyncio.timeout(seconds):
        answer = await ask()
        while not holds(answer):
            await asyncio.sleep(0.05)
            answer = await ask()
        return answer


async def within_five_seconds(ask: Callable[[], Awaitable[T]], holds: Callable[[T], object]) -> T:
    """What `ask` answers once `holds`: within five seconds, not counting what this machine takes for the answers."""
    began, slowest = time.monotonic(), 0.0
    while True:
        asked = time.monotonic()
        answer = await ask()
        slowest = max(slowest, time.monotonic() - asked)
        if holds(answer):
            return answer
        assert time.monotonic() - began < 5 + 10 * slowest, answer
        await asyncio.sleep(0.05)


_NEWEST = text("SELECT coalesce(max(position), 0) FROM es.events")
_FOLLOWED = text("""
SELECT NOT EXISTS (SELECT FROM es.outbox WHERE position <= :newest) AND count(*) = 3
  AND min(cursor) >= coalesce((SELECT max(seq) FROM es.feed WHERE position <= :newest), 0)
FROM (SELECT max(cursor_seq) AS cursor FROM es.projections GROUP BY name) AS read_models
""")


async def followed(engine: AsyncEngine) -> None:
    """Wait until every read model has what the log had when this was called."""
    async with engine.connect() as connection:
        newest = await connection.scalar(_NEWEST)

    async def have_followed() -> object:
        async with engine.connect() as connection:
            return await connection.scalar(_FOLLOWED, {"newest": newest})

    await eventually(have_followed, bool, 60)


Message = tuple[str, str | None, dict[str, Any]]


async def messages(system: "System", path: str, *, last: str | None = None) -> AsyncGenerator[Message]:
    """(event, id, data) of an SSE stream."""
    headers = {"accept": "text/event-stream", **({"last-event-id": last} if last is not None else {})}
    async with system.client.stream("GET", f"/api/v1{path}", headers=headers) as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        async for line in reply.aiter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "event" in fields:
                yield fields["event"], fields.get("id"), json.loads(fields["data"])
                fields = {}


@dataclass
class System:
    """All of it, running."""

    app: FastAPI
    client: httpx.AsyncClient
    engine: AsyncEngine
    journal: PostgresJournal
    objects: Objects
    workers: Workers

    async def begin(self, url: str = "https://github.com/pallets/flask") -> UUID:
        reply = await self.client.post("/api/v1/analyses", json={"url": url})
        assert reply.status_code == 202, reply.text
        return UUID(reply.json()["analysis_id"])

    async def until(self, analysis_id: UUID, *states: str, seconds: float = 30) -> dict[str, Any]:
        """The analysis once it is in one of `states`."""
        return await eventually(
            lambda: self.get(f"/analyses/{analysis_id}"), lambda view: view.get("state") in states, seconds
        )

    async def settled(self, analysis_id: UUID) -> None:
        """Wait until an analysis is refined and linked, and every read model has all of it."""
        await self.until(analysis_id, "refined")
        await eventually(
            lambda: self.get(f"/analyses/{analysis_id}"),
            lambda view: all(each["state"] == "completed" for each in view["stages"] if each["stage"] == "link"),
            60,
        )
        await self.followed()

    async def followed(self) -> None:
        """Wait until every read model has what the log has."""
        await followed(self.engine)

    async def get(self, path: str, **params: object) -> Any:
        """The JSON of a GET below `/api/v1`."""
        return (await self.client.get(f"/api/v1{path}", params=params)).json()


@asynccontextmanager
async def a_system(
    monkeypatch: pytest.MonkeyPatch, *, database_url: str, redis_url: str, home: Path, working: bool = True
) -> AsyncIterator[System]:
    from orchestrator.app import create_app

    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    engine = create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")
    objects = open_objects("", home).claimed_in(ArtifactOwners(engine))
    workers = Workers(engine, objects)
    app = create_app()
    async with running(app) as client:
        task = asyncio.create_task(workers.work()) if working else None
        try:
            yield System(app, client, engine, PostgresJournal(engine), objects, workers)
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
    await engine.dispose()
