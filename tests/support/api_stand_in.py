"""A double of the orchestrator's API for the tests of the pages: the same shapes, scripted analyses, live streams.

It runs in a thread on a loopback port. A test says what happens (`analysis.say(...)`, `analysis.tick(...)`) and every
connected browser hears it; `drop()` cuts all streams, `down` makes the API refuse.
"""

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256 as sha256_of
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.kept_stand_in import (
    collection_rebuilds,
    collections,
    generations,
    installation,
    letters,
    me,
    push_hook,
    rebuilds,
    uploads,
    work_live,
)
from tests.support.pasts_stand_in import Stream, cause_of, pasts
from tests.support.sandbox_stand_in import forks, shadow, shadow_live, shadows
from tests.support.stand_in_streams import Json, Refused, Refusing, Streams, frame, problem
from tests.support.talks_stand_in import Talks

STAGES = ("clone", "metadata", "structure", "parse", "index", "embed", "activate", "refine", "promote", "link")
# The overview of an analysis of which nothing is told.
_UNTOLD: Json = dict.fromkeys(("repository_id", "name", "url", "commit", "diagram", "markdown"), "")
_UNTOLD |= {name: [] for name in ("sections", "modules", "links", "citations", "questions")} | {"has_graph": True}


@dataclass
class Scripted:
    """One analysis: its view, its events, its left-out files, its sources."""

    view: Json
    streams: Streams
    events: list[Json] = field(default_factory=list)
    left_out: list[Json] = field(default_factory=list)
    needs: list[Json] = field(default_factory=list)
    told: dict[str, Json] = field(default_factory=dict)  # address below the analysis → answer
    sources: dict[str, str] = field(default_factory=dict)
    clock: datetime = field(default_factory=lambda: datetime.now(UTC))
    ticks: dict[tuple[str, int], Json] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.view["analysis_id"])

    def stage(self, name: str) -> Json:
        return next(stage for stage in self.view["stages"] if stage["stage"] == name)

    def say(self, event_type: str, stage: str | None = None, **data: Any) -> Json:
        """Append an event and send it; `stage` events take shard 0 of 1, attempt 1 unless told otherwise."""
        self.clock = max(self.clock, datetime.now(UTC))
        if stage is not None:
            data = {"stage": stage, "shard": 0, "shards": 1, "attempt": 1} | data
            data = {"run_id": _run_of(stage, data["shard"], data["attempt"])} | data
        envelope = {
            "event_id": str(uuid4()),
            "event_type": event_type,
            "schema_version": 1,
            "stream_id": f"analysis/{self.id}",
            "version": len(self.events) + 1,
            "seq": 1_000 + len(self.events),
            "tenant_id": "00000000-0000-4000-8000-000000000001",
            "correlation_id": str(uuid4()),
            "causation_id": cause_of(self.events, data),
            "stage": stage,
            "timestamp": self.clock.isoformat(),
            "data": data,
        }
        self.events.append(envelope)
        self.view["version"] = envelope["version"]
        _fold(self, event_type, data)
        self.streams.send(frame("milestone", envelope, int(envelope["version"])))
        return envelope

    def run(self, stage: str, *, seconds: float = 1.0, files: int = 0, counts: Json | None = None, **data: Any) -> None:
        """Request, start and complete one run."""
        self.say("processing.stage.requested", stage, **data)
        self.say("processing.stage.started", stage, worker="worker-1", **data)
        self.clock += timedelta(seconds=seconds)
        self.say(
            "processing.stage.completed", stage, duration=seconds, files_processed=files, counts=counts or {}, **data
        )

    def tick(  # one for each field
        self, stage: str, done: int, total: int, current: str, *, shard: int = 0, shards: int = 1, **measured: Any
    ) -> None:
        """Send how far a run is, and keep it for whoever comes later."""
        tick = {"analysis_id": self.id, "run_id": _run_of(stage, shard, 1), "stage": stage, "shard": shard}
        told = {"shards": shards, "done": done, "total": total, "current": current, "unit": "files"}
        self.ticks[stage, shard] = {"at": datetime.now(UTC).timestamp()} | tick | told | measured
        self.streams.send(frame("tick", tick | told | measured))


def _run_of(stage: str, shard: int, attempt: int) -> str:
    return str(uuid5(NAMESPACE_OID, f"{stage} {shard} {attempt}"))


def _fold(analysis: Scripted, event_type: str, data: Json) -> None:  # noqa: C901, PLR0912  # one branch an event type
    view, now = analysis.view, analysis.clock.isoformat()
    stage = analysis.stage(data["stage"]) if data.get("stage") else {}
    match event_type:
        case "processing.stage.requested":
            stage.update(state="queued", shards=data["shards"], attempt=data["attempt"], code=None, message=None)
        case "processing.stage.started":
            stage.update(state="running", started_at=stage["started_at"] or now)
            view["state"] = "running" if view["state"] == "requested" else view["state"]
        case "processing.stage.completed":
            stage["shards_done"] += 1
            stage["files_processed"] += data["files_processed"]
            for name, count in data["counts"].items():
                stage["counts"][name] = stage["counts"].get(name, 0) + count
            if stage["shards_done"] == stage["shards"]:
                stage.update(state="completed", ended_at=now)
            if data["stage"] == "index":
                view.update(state="answerable", answerable_at=now)
        case "processing.stage.failed" | "processing.stage.parked":
            state = "failed" if event_type.endswith("failed") else "parked"
            stage.update(state=state, code=data.get("code"), message=data["message"], ended_at=now)
        case "processing.retry.scheduled":
            stage.update(state="retrying", retry_at=data["due_at"])
        case "repository.processing.started":
            view.update(commit=data["commit"])
        case "repository.processing.estimated":
            view.update(estimate=data, state="unconfirmed" if data.get("over") else view["state"])
        case "repository.processing.confirmed":
            view.update(state="running")
        case "repository.processing.completed":
            view.update(state="ready", ready_at=now, totals=data["totals"], skipped=data["skipped"])
            view.update(failed=data["failed"], partial=data.get("partial", False))
        case "repository.processing.refined":
            view.update(state="refined", refined_at=now, ended_at=now)
        case "repository.processing.failed":
            view.update(state="failed", code=data["code"], message=data["message"], ended_at=now)
        case "repository.processing.cancelled":
            view.update(state="cancelled", ended_at=now)
        case "repository.processing.retry_requested":
            view.update(state="running", code=None, message=None, ended_at=None)


async def _usage(_request: Request) -> Response:
    quotas = [{"name": "tokens", "used": 12_000, "allowed": None}, {"name": "cents_month", "used": 250, "allowed": 900}]
    return JSONResponse({"at": datetime.now(UTC).isoformat(), "quotas": quotas})


class StandIn(Talks):
    """The double itself."""

    def __init__(self) -> None:
        super().__init__()
        self.analyses: dict[str, Scripted] = {}
        self.others: dict[str, Stream] = {}
        self.retried: list[Json] = []
        self.begun: list[dict[str, Any]] = []  # the bodies of requests for an analysis
        self.sent: list[bytes] = []  # uploads
        self.models: list[str] = []
        self.push_hooks: dict[str, Json] = {}
        self.uploads: dict[str, Json] = {}
        self.letters: dict[str, Json] = {}
        self.rebuilds: dict[str, Json] = {}
        self.collections: dict[str, Json] = {}
        self.generations: dict[str, list[Json]] = {}
        self.shadows: dict[str, Json] = {}
        self.scopes: list[str] = []  # of whoever is here
        self.refuse_url: Response | None = None
        self.refused: Refused = {}
        self.looked: Json = {}  # what a look at the host says besides
        self.down = False
        self.slow = 0.0  # seconds that each look at an analysis takes
        self.requests: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(self._app(), host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "StandIn":
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.01)
        return self

    def __exit__(self, *_exc: object) -> None:
        self.drop()
        self._server.should_exit = True
        self._thread.join(10)

    @property
    def url(self) -> str:
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def begin(self, name: str, url: str | None = None, **view: Any) -> Scripted:
        """A new analysis, requested and nothing more."""
        analysis_id = str(uuid4())
        stages = [
            {"stage": s, "state": "waiting", "shards": 0, "shards_done": 0, "attempt": 1, "files_processed": 0}
            | {"counts": {}, "started_at": None, "ended_at": None, "code": None, "message": None, "retry_at": None}
            for s in STAGES
        ]
        base: Json = {
            "analysis_id": analysis_id,
            "repository_id": str(uuid4()),
            "url": url or f"https://github.com/{name}",
            "name": name,
            "ref": None,
            "commit": None,
            "state": "requested",
            "version": 0,
            "requested_at": datetime.now(UTC).isoformat(),
            "answerable_at": None,
            "ready_at": None,
            "refined_at": None,
            "ended_at": None,
            "code": None,
            "message": None,
            "partial": False,
            "stages": stages,
        }
        empty: Json = {"totals": {}, "skipped": {}, "failed": {}, "languages": {}, "metadata": {}, "structure": {}}
        analysis = Scripted(base | empty | view, Streams(self._running_loop))
        self.analyses[analysis_id] = analysis
        analysis.say("repository.processing.requested", url=analysis.view["url"], ref=analysis.view["ref"])
        return analysis

    def stream(self, kind: str, id_: str, repository_id: str) -> Stream:
        """A stream of another kind, in which nothing was said yet."""
        found = self.others[f"{kind}/{id_}"] = Stream(f"{kind}/{id_}", repository_id, Streams(self._running_loop))
        return found

    def drop(self) -> None:
        """Cut every open stream, as a lost connection does."""
        for subject in (*self.analyses.values(), *self.others.values()):
            subject.streams.send(None)
        for _question, streams, _parts in self.questions.values():
            streams.send(None)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        assert self._loop is not None
        return self._loop

    def _run(self) -> None:
        self._loop = asyncio.new_event_loop()
        try:
            self._loop.run_until_complete(self._server.serve())
        finally:
            self._loop.close()

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/healthz", lambda _r: JSONResponse({"status": "ok"})),
                Route("/api/v1/analyses", self._begin, methods=["POST"]),
                Route("/api/v1/analyses", self._recent),
                Route("/api/v1/uploads", self._upload, methods=["POST"]),
                Route("/api/v1/bundles", self._take_over, methods=["POST"]),
                Route("/api/v1/uploads", partial(uploads, self.uploads)),
                Route("/api/v1/uploads/{id}", partial(uploads, self.uploads), methods=["DELETE"]),
                Route("/api/v1/me", partial(me, self.scopes)),
                Route("/api/v1/usage", _usage),
                Route("/api/v1/installation/{what}", installation),
                Route("/api/v1/dead-letters", partial(letters, self.letters)),
                Route("/api/v1/dead-letters/{id}/{verb}", partial(letters, self.letters), methods=["GET", "POST"]),
                Route("/api/v1/rebuilds", partial(rebuilds, self.rebuilds), methods=["POST"]),
                Route("/api/v1/rebuilds/{id}", partial(rebuilds, self.rebuilds)),
                Route("/api/v1/collections", partial(collections, self.collections)),
                Route("/api/v1/collections/rebuilds", partial(collection_rebuilds, self.collections), methods=["POST"]),
                Route("/api/v1/collections/rebuilds/{id}", partial(collection_rebuilds, self.collections)),
                Route("/api/v1/shadows", partial(shadows, self.shadows), methods=["GET", "POST"]),
                Route("/api/v1/shadows/{id}", partial(shadow, self.shadows), methods=["GET", "DELETE"]),
                Route("/api/v1/shadows/{id}/live", partial(shadow_live, self.shadows)),
                Route("/api/v1/rebuilds/{id}/live", partial(work_live, self.rebuilds)),
                Route("/api/v1/collections/rebuilds/{id}/live", partial(work_live, self.collections)),
                Route("/api/v1/shadows/{id}/promote", partial(shadow, self.shadows), methods=["POST"]),
                Route("/api/v1/forks", partial(forks, self.analyses), methods=["POST"]),
                Route("/api/v1/preflight", self._preflight, methods=["POST"]),
                Route("/api/v1/analyses/{id}", self._analysis),
                Route("/api/v1/analyses/{id}/events", self._stream),
                Route("/api/v1/analyses/{id}/lines", self._lines),
                Route("/api/v1/analyses/{id}/generations", partial(generations, self.generations)),
                Route(
                    "/api/v1/analyses/{id}/generations/{chosen}/activate",
                    partial(generations, self.generations),
                    methods=["POST"],
                ),
                Route("/api/v1/analyses/{id}/{verb:str}", self._command, methods=["POST"]),
                Route("/api/v1/analyses/{id}/skipped", self._skipped),
                Route("/api/v1/analyses/{id}/files", self._skipped),
                Route("/api/v1/analyses/{id}/dependencies", self._dependencies),
                Route("/api/v1/analyses/{id}/{what:path}", self._told),
                Route(
                    "/api/v1/repositories/{id}/push-hook",
                    partial(push_hook, self.push_hooks),
                    methods=["GET", "POST", "DELETE"],
                ),
                Route("/api/v1/repositories", self._repositories),
                Route("/api/v1/config", self._config),
                Route("/api/v1/events", self._events),
                Route("/api/v1/events/{what}", partial(pasts, self.analyses, self.others)),
                *self.talk_routes(),
            ],
            middleware=[Middleware(Refusing, lambda: self.refused, self.requests)],
        )

    def _find(self, request: Request) -> Scripted | Response:
        self.requests.append(f"{request.method} {request.url.path}")
        if self.down:
            return problem(503, "unavailable", "The service is restarting", "Try again in a few seconds.")
        found = self.analyses.get(request.path_params.get("id", ""))
        missing = "It may have been deleted: start a new one."
        return found or problem(404, "analysis_not_found", "There is no such analysis", missing)

    async def _begin(self, request: Request) -> Response:
        if self.refuse_url is not None:
            return self.refuse_url
        body = await request.json()
        self.begun.append(body)
        name = "/".join(body["url"].rstrip("/").split("/")[-2:])
        return JSONResponse(self.begin(name, body["url"], ref=body["ref"]).view, 202)

    async def _upload(self, request: Request) -> Response:
        if self.refuse_url is not None:
            return self.refuse_url
        self.sent.append(await request.body())
        sha256, name = sha256_of(self.sent[-1]).hexdigest(), request.query_params["name"].partition(".")[0]
        known: Json = {"name": name, "kind": "zip", "sha256": sha256, "bytes": len(self.sent[-1])}
        at, upload_id = datetime.now(UTC).isoformat(), str(uuid4())
        known |= {"upload_id": upload_id, "url": f"upload://{sha256}/{name}", "uploaded_at": at, "repositories": []}
        self.uploads[upload_id] = known
        return JSONResponse(known)

    async def _take_over(self, request: Request) -> Response:
        if self.refuse_url is not None:
            return self.refuse_url
        self.sent.append(await request.body())
        view = self.begin("pallets/flask", "https://github.com/pallets/flask").view
        here = {name: view[name] for name in ("analysis_id", "repository_id")}
        there = {"from_analysis_id": str(uuid4()), "conversation_id": None, "from_conversation_id": None}
        return JSONResponse({**here, **there, "bundle": sha256_of(self.sent[-1]).hexdigest()}, 201)

    async def _preflight(self, request: Request) -> Response:
        if self.refuse_url is not None:
            return self.refuse_url
        body = await request.json()
        url = body["url"].partition("/tree/")[0]
        known = {"default_branch": "main", "branches": ["main", "rel/1.0"], "tags": ["v1"], "branch_count": 2}
        means = {"ref": body["ref"], "folder": body["folder"] or "", "commit": "36e4a824f3" * 4}
        said = {
            "url": url,
            "host": "github.com",
            "name": "/".join(url.split("/")[-2:]),
            "tag_count": 1,
            **known,
            **means,
        }
        return JSONResponse({**said, "finished": None, **self.looked})

    async def _analysis(self, request: Request) -> Response:
        found = self._find(request)
        await asyncio.sleep(self.slow)
        return found if isinstance(found, Response) else JSONResponse(found.view)

    async def _stream(self, request: Request) -> Response:
        found = self._find(request)
        if isinstance(found, Response):
            return found
        after = int(request.headers.get("last-event-id", 0))

        def missed() -> list[bytes]:
            kept = [frame("tick", tick) for tick in found.ticks.values()]
            return [frame("milestone", e, e["version"]) for e in found.events[after:]] + kept

        return StreamingResponse(found.streams.follow(missed), media_type="text/event-stream")

    async def _lines(self, request: Request) -> Response:
        found = self._find(request)
        if isinstance(found, Response):
            return found
        path = request.query_params["path"]
        if path not in found.sources:
            return problem(404, "file_not_found", "There is no such file at this commit", "It was not analysed.")
        lines = found.sources[path].split("\n")
        first = int(request.query_params["first_line"])
        last = min(len(lines), int(request.query_params["last_line"]))
        text = "\n".join(lines[first - 1 : last])
        body = {"path": path, "commit": found.view["commit"], "language": "python", "line_count": len(lines)}
        return JSONResponse(body | {"first_line": first, "last_line": last, "text": text})

    async def _command(self, request: Request) -> Response:
        found = self._find(request)
        if isinstance(found, Response):
            return found
        if request.path_params["verb"] == "overview":
            return JSONResponse(self._asked(self._begun(found.view["repository_id"]), "What is it?", None), 202)
        if request.path_params["verb"] == "cancel":
            found.say("repository.processing.cancelled", reason="asked")
        elif request.path_params["verb"] == "confirm":
            found.say("repository.processing.confirmed")
        else:
            self.retried.append(await request.json() if await request.body() else {})
            found.say("repository.processing.retry_requested")
        return JSONResponse(found.view, 202)

    async def _recent(self, request: Request) -> Response:
        if self.down:
            return problem(503, "unavailable", "The service is restarting", "Try again in a few seconds.")
        views = [analysis.view for analysis in reversed(self.analyses.values())]
        limit = int(request.query_params["limit"])
        return JSONResponse({"items": views[:limit], "next": "more" if len(views) > limit else None})

    async def _repositories(self, request: Request) -> Response:
        asked = request.query_params
        views = [each.view for each in reversed(self.analyses.values()) if asked.get("name", "") in each.view["name"]]
        start, limit = int(asked.get("cursor", 0)), int(asked["limit"])
        names = ("repository_id", "url", "name")
        items = [{name: view[name] for name in names} | {"latest": view} for view in views[start : start + limit]]
        also = {"host": "github.com", "registered_at": datetime.now(UTC).isoformat()}
        following = str(start + limit) if start + limit < len(views) else None
        return JSONResponse({"items": [item | also for item in items], "next": following})

    async def _config(self, _request: Request) -> Response:
        modes = ["answer", "deep", "extractive"] if self.models else ["extractive"]
        offered = {"models": self.models, "modes": modes, "hosts": ["github.com"], "loopback_repositories": False}
        return JSONResponse(offered)

    async def _skipped(self, request: Request) -> Response:
        found = self._find(request)
        if isinstance(found, Response):
            return found
        entry = {"language": None, "file_class": "other", "size": 0, "lines": 0}
        files = [entry | file for file in found.left_out]
        if request.query_params.get("reason") == "syntax_errors":
            files = [file for file in files if file.get("errors")]
        start, limit = int(request.query_params.get("cursor", 0)), int(request.query_params["limit"])
        following = str(start + limit) if start + limit < len(files) else None
        return JSONResponse({"items": files[start : start + limit], "total": len(files), "next": following})

    async def _told(self, request: Request) -> Response:
        """What was told for this address below the analysis, as it stands."""
        found = self._find(request)
        if isinstance(found, Response):
            return found
        folder = request.query_params.get("folder")
        what = f"{request.path_params['what']}?{folder}" if folder else request.path_params["what"]
        told = found.told.get(what, _UNTOLD | {"analysis_id": found.id} if what == "overview" else None)
        return JSONResponse(told) if told is not None else Response(status_code=404)

    async def _dependencies(self, request: Request) -> Response:
        found = self._find(request)
        if isinstance(found, Response):
            return found
        entry = {"ecosystem": "python", "constraint": "", "version": "", "group": "", "line": 0, "locked": False}
        asked = request.query_params
        wanted = [
            row
            for row in (entry | one for one in found.needs)
            if asked.get("scope", row["scope"]) == row["scope"]
            and asked.get("ecosystem", row["ecosystem"]) == row["ecosystem"]
            and str(row["name"]).startswith(asked.get("name", ""))
        ]
        start, limit = int(asked.get("cursor", 0)), int(asked["limit"])
        following = str(start + limit) if start + limit < len(wanted) else None
        return JSONResponse({"items": wanted[start : start + limit], "total": len(wanted), "next": following})

    async def _events(self, request: Request) -> Response:
        named = request.query_params["stream_id"]
        found = self.analyses.get(named.removeprefix("analysis/")) or self.others.get(named)
        if found is None:
            return JSONResponse({"items": [], "next": None})
        asked = request.query_params
        after, limit = int(asked.get("cursor") or asked.get("after", 0)), int(asked["limit"])
        following = str(after + limit) if after + limit < len(found.events) else None
        return JSONResponse({"items": found.events[after : after + limit], "next": following})
