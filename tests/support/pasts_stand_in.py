"""The past of scripted analyses in the double of the API: folded, timed and linked by the real functions."""

from typing import Any

from fastapi.encoders import jsonable_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from events.base import Envelope
from events.replay.difference import difference
from events.replay.past import shown_at
from orchestrator.api.inspecting import causes_of, timeline_of
from orchestrator.projections.pasts import fold_of
from tests.support.stand_in_streams import Json, problem


def _envelopes(view: Json, events: list[Json]) -> list[Envelope]:
    about = {"analysis_id": view["analysis_id"], "url": view["url"]}
    more = {"repository_id": view["repository_id"]}
    return [Envelope.model_validate({**event, **more, "data": {**about, **event["data"]}}) for event in events]


def cause_of(events: list[Json], data: Json) -> str | None:
    """The id of what led to an event of `data`: what was said last of its run, else what was completed last."""
    run = [data.get(name) for name in ("stage", "shard", "attempt")]
    for event in reversed(events):
        if [event["data"].get(name) for name in ("stage", "shard", "attempt")] == run and run[0]:
            return str(event["event_id"])
    ended = [event for event in events if event["event_type"].endswith("completed")]
    return str((ended or events)[-1]["event_id"]) if events else None


async def pasts(analyses: dict[str, Any], request: Request) -> Response:
    """`/events/state`, `/timeline` and `/causes` of a scripted analysis."""
    stream_id = request.query_params["stream_id"]
    found = analyses.get(stream_id.removeprefix("analysis/"))
    if found is None:
        return problem(404, "not_found", "There is no such thing", "Check the id: nothing of yours has it.")
    history = _envelopes(found.view, found.events)
    if request.path_params["what"] == "timeline":
        return JSONResponse(jsonable_encoder(timeline_of(stream_id, history, history[-1].timestamp)))
    if request.path_params["what"] == "causes":
        return JSONResponse(jsonable_encoder(causes_of(stream_id, history)))
    version = min(int(request.query_params.get("version", len(history))), len(history))
    how = fold_of(stream_id)
    before, after = shown_at(how, (0, how.initial()), history, (max(0, version - 1), version))
    state = None if request.query_params.get("with_state") == "false" else after
    changes = [one._asdict() for one in difference(before, after)]
    point = {"newest": len(history), "version": version, "against": max(0, version - 1), "changes_left_out": 0}
    event = found.events[version - 1] if version else None
    return JSONResponse({"stream_id": stream_id, "event": event, "state": state, "changes": changes, **point})
