"""What the double of the API keeps for a person: push hooks by repository, uploads by id."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.support.stand_in_streams import Json, follow

_TAKES = timedelta(seconds=0.5)  # until a rebuild is over
DAMAGED = str(uuid4())  # the generation whose collection is not there until it is built again


async def push_hook(kept: dict[str, Json], request: Request) -> Response:
    """GET, POST and DELETE of the push hook of one repository."""
    repository, secret = request.path_params["id"], {}
    if request.method == "DELETE":
        kept.pop(repository)
        return Response(status_code=204)
    if request.method == "POST":
        hook = {"hook_id": str(uuid4()), "repository_id": repository, "created_by": str(uuid4()), "works": True}
        hook |= {"url": f"https://pages.example/hooks/{repository}", "created_at": datetime.now(UTC).isoformat()}
        kept[repository] = hook | {"outcome": "", "received_at": None}
        secret = {"secret": f"whsec_{len(kept)}"}
    found = kept.get(repository)
    if found is None:
        body = {"type": "about:blank", "title": "There is no such thing", "status": 404, "code": "not_found"}
        return JSONResponse({**body, "detail": "No push hook of yours.", "correlation_id": "c0ffee"}, 404)
    return JSONResponse(found | secret, 201 if secret else 200)


async def installation(request: Request) -> Response:
    """How the installation does, by what is asked for."""
    at, lost = datetime.now(UTC).isoformat(), "database: ConnectionRefusedError: nobody listens"
    queue = {"topic": "stage.clone", "consumer": "processor.clone", "waiting": 4, "held": 0, "workers": 0}
    quotas = [{"name": "cents_month", "used": 250, "allowed": 900}]
    team = {"name": "The others", "personal": False, "created_at": at, "people": 2, "quotas": quotas}
    setting = {"service": "orchestrator", "source": "environment", "detail": "set"}
    found = {
        "services": {"items": [{"name": "processor", "ready": False, "reason": lost}]},
        "queues": {"items": [queue], "unplaced": 0, "unplaced_seconds": 0.0},
        "teams": {"at": at, "items": [{"tenant_id": str(uuid4()), **team}], "next": None},
        "settings": {"items": [{**setting, "setting": "REPOSTREAM_DATABASE_URL", "state": "ok"}]},
    }
    return JSONResponse(found[request.path_params["what"]])


async def uploads(kept: dict[str, Json], request: Request) -> Response:
    """The list of uploads, and DELETE of one."""
    if request.method == "DELETE":
        del kept[request.path_params["id"]]
        return Response(status_code=204)
    return JSONResponse({"items": [*kept.values()], "next": None})


async def letters(kept: dict[str, Json], request: Request) -> Response:
    """The list of parked messages, and a decision on one."""
    if request.path_params.get("verb") == "message":
        values = {"history_depth": 0, "inputs": []}
        return JSONResponse({"letter_id": request.path_params["id"], "editable": [*values, "ref"], "values": values})
    if request.method == "POST":
        letter = kept[request.path_params["id"]]
        resolution = {"retry": "retried", "discard": "discarded", "edit": "edited"}[request.path_params["verb"]]
        letter["changes"] = (await request.json())["changes"] if resolution == "edited" else {}
        letter |= {"resolution": resolution, "resolved_at": datetime.now(UTC).isoformat(), "repeatable": False}
        return JSONResponse(letter)
    settled = request.query_params.get("settled") == "true"
    items = [each for each in kept.values() if settled or not each.get("resolution")]
    return JSONResponse({"items": items[1:] if "cursor" in request.query_params else items})


async def rebuilds(kept: dict[str, Json], request: Request) -> Response:
    """POST of a rebuild, and a look at it: it is over soon, and found one symbol too few."""
    if request.method == "POST":
        made = {"rebuild_id": str(uuid4()), "asked_at": datetime.now(UTC).isoformat()}
        kept[made["rebuild_id"]] = made | {"replace": (await request.json())["replace"]}
        found = kept[made["rebuild_id"]]
    else:
        found = kept[request.path_params["id"]]
    table = {"table": "symbols", "rows": 1_203, "rebuilt": 1_204, "checksum": "1", "rebuilt_checksum": "2"}
    table |= {"differing": 1, "ids": [str(uuid4())]}
    projection = {"projection": "contents", "seq": 9, "events": 41, "seconds": 1.2, "waited": 0.1, "agrees": False}
    over = _is_over(found)
    state = {"state": "done" if over else "asked", "agrees": False if over else None, "message": None, "ended_at": None}
    return JSONResponse(found | state | {"projections": [projection | {"tables": [table]}] if over else []})


async def collections(kept: dict[str, Json], _request: Request) -> Response:
    """Three collections, of which one is missing until it was built again."""
    damaged = {"generation_id": DAMAGED, "analysis_id": str(uuid4()), "kind": "full", "vectors": 1_200, "held": None}
    wrong = [] if any(map(_is_over, kept.values())) else [damaged]
    return JSONResponse({"checked": 3, "wrong": len(wrong), "damaged": wrong, "wanted": "minilm", "earlier": []})


async def collection_rebuilds(kept: dict[str, Json], request: Request) -> Response:
    """POST of a rebuild of a collection, and a look at it: it is over soon."""
    if request.method == "POST":
        asked, rebuild_id = await request.json(), str(uuid4())
        of = asked["of"]
        ids = {
            "rebuild_id": rebuild_id,
            "generation_id": of,
            "analysis_id": str(uuid4()),
            "repository_id": str(uuid4()),
        }
        kept[rebuild_id] = ids | {
            "of": of,
            "replace": asked.get("replace", True),
            "asked_at": datetime.now(UTC).isoformat(),
        }
        found = kept[rebuild_id]
    else:
        found = kept[request.path_params["id"]]
    state = {"state": "done" if _is_over(found) else "asked", "kind": "full", "model": "minilm"}
    counts = {"vectors": 1_200, "missing": 1, "extra": 0, "different": 2, "checksum": "aa11", "held_checksum": "bb22"}
    before = counts | {"held": 1_199, "agrees": False}
    after = counts | {"missing": 0, "different": 0, "held": 1_200, "held_checksum": "aa11", "agrees": True}
    sides = {"before": before, "after": after if found["replace"] else None} if _is_over(found) else {}
    return JSONResponse(found | state | sides)


async def work_live(kept: dict[str, Json], request: Request) -> Response:
    """How a rebuild goes on, as a stream."""
    found = kept[request.path_params["id"]]
    told = lambda: {"state": "done" if _is_over(found) else "asked", "done": 0}  # noqa: E731  # one word of it changes
    return StreamingResponse(follow(told), media_type="text/event-stream")


def _is_over(found: Json) -> bool:
    return datetime.now(UTC) - datetime.fromisoformat(found["asked_at"]) > _TAKES


async def me(scopes: list[str], _request: Request) -> Response:
    """The one person of local mode, where a test says what they may; else nobody can be told."""
    who = {"user_id": str(uuid4()), "tenant_id": str(uuid4()), "name": "You", "local": True, "scopes": scopes}
    return JSONResponse(who, 200) if scopes else Response(status_code=404)


async def generations(kept: dict[str, list[Json]], request: Request) -> Response:
    """GET of the generations of an analysis; POST has one serve."""
    analysis, chosen = request.path_params["id"], request.path_params.get("chosen")
    found = kept.get(analysis, [])
    for one in found if chosen is not None else ():
        one["serves"] = one["generation_id"] == chosen
        one["kept_until"] = None if one["serves"] else "2026-01-03T10:20:00Z"
    return JSONResponse({"analysis_id": analysis, "wanted": "new-model", "items": found})
