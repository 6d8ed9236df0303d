"""Sandboxes in the double of the API: shadows that tell what a test's stage has, and forks by the real function."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fastapi.encoders import jsonable_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from events.base import Envelope
from events.replay.fork import BadFork
from orchestrator.api.forks import view
from orchestrator.projections.forks import fork
from orchestrator.workflow import Policy
from tests.support.stand_in_streams import Json, follow, problem

RUNS = 2
OVER = "over"  # set by a test: its runs are over, and compared
_HOSTILE = "src/<img src=x onerror=alert(1)>.py"
_ADDED = {"before": None, "after": {"path": "src/new.py", "kind": "function", "qualified_name": "new.fresh"}}
_CHANGED = {
    "before": {"path": _HOSTILE, "kind": "function", "qualified_name": "app.run", "last_line": 12, "complexity": 3},
    "after": {"path": _HOSTILE, "kind": "function", "qualified_name": "app.run", "last_line": 14, "complexity": 4},
}
_SYMBOLS = {"live": 1_846, "shadow": 1_847, "same": 1_840, "added": 7, "removed": 6, "changed": 30, "columns": ["doc"]}
_LINKS = {"live": 900, "shadow": 901, "same": 900, "added": 1, "removed": 0, "changed": 0}
_REPORTS: dict[str, Json] = {
    "parse": {
        "agrees": False,
        "tables": {"symbols": _SYMBOLS | {"examples": [_ADDED, _CHANGED]}},
        "counts": {"live": {"symbols": 1_846, "files": 262}, "shadow": {"symbols": 1_847, "files": 262}},
        "facts": [{"shard": 1, "path": "/facts/grammars/a~1b", "kind": "changed", "before": 1, "after": 2}],
    },
    "link": {"agrees": False, "tables": {"links": _LINKS | {"examples": []}}},
    "structure": {"agrees": True},
    "workflow": {
        "agrees": False,
        "decided": 40,
        "decisions": [{"event_type": "x", "real": "processing.retry.scheduled parse", "fork": None}],
        "not_recorded": [{"what": "run", "stage": "parse", "shard": 0, "attempt": 2}],
    },
}
_WHY_NOT = {"parse": "What index made was made of the result that serves: analyse the repository again instead."}


async def shadows(kept: dict[str, Json], request: Request) -> Response:
    """GET of the list, POST of a shadow."""
    if request.method == "POST":
        body = await request.json()
        if len(kept) >= 3:
            detail = "Drop a shadow of the team first: this installation keeps no more of them at a time."
            return problem(409, "shadow_too_many", "There are too many shadows", detail)
        ids = {"shadow_id": str(uuid4()), "repository_id": str(uuid4()), "promoted_at": None, OVER: False}
        made = {**body, **ids, "asked_at": datetime.now(UTC).isoformat()}
        kept[made["shadow_id"]] = made
        return JSONResponse(_told(made), 202)
    return JSONResponse({"items": [_told(each) for each in reversed(kept.values())], "next": None})


async def shadow(kept: dict[str, Json], request: Request) -> Response:
    """GET of one; DELETE; POST of its promotion."""
    found = kept.get(request.path_params["id"])
    if found is None:
        return problem(404, "not_found", "There is no such thing", "Check the id: no shadow of yours has it.")
    if request.method == "DELETE":
        del kept[found["shadow_id"]]
        return Response(status_code=204)
    if request.method == "POST":
        found["promoted_at"] = datetime.now(UTC).isoformat()
    return JSONResponse(_told(found))


async def shadow_live(kept: dict[str, Json], request: Request) -> Response:
    """How one goes on, as a stream."""

    def told() -> Json:
        found = kept.get(request.path_params["id"])
        view = _told(found) if found is not None else {"state": "gone", "runs_ended": 0}
        return {"state": view["state"], "done": view["runs_ended"]}

    return StreamingResponse(follow(told), media_type="text/event-stream")


def _told(made: Json) -> Json:
    stage, over = made["stage"], made[OVER]
    failed = over and stage not in _REPORTS
    told: Json = {name: value for name, value in made.items() if name != OVER}
    told |= {"state": "failed" if failed else "done" if over else "asked", "ended_at": None, "runs": RUNS}
    told |= {"runs_ended": RUNS if over else 1, "report": _REPORTS.get(stage, {}) if over else {}}
    told |= {"code": "effect_not_recorded", "message": "No vector is stored of that text."} if failed else {}
    return told | {"not_promotable": _WHY_NOT.get(stage) if over and not made["promoted_at"] else None}


async def forks(analyses: dict[str, Any], request: Request) -> Response:
    """POST of a fork of a scripted analysis whose events are whole."""
    body = await request.json()
    found = analyses[body["stream_id"].removeprefix("analysis/")]
    history = [Envelope.model_validate(event) for event in found.events]
    try:
        made = fork(history, body["version"], body["changes"], Policy())
    except BadFork as bad:
        return problem(422, bad.code, "The history cannot be forked like that", bad.message)
    return JSONResponse(jsonable_encoder(view(body["stream_id"], history, made)))
