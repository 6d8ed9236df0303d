"""The past of scripted analyses in the double of the API: folded, timed and linked by the real functions."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from fastapi.encoders import jsonable_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from events.base import Envelope
from events.replay.difference import difference
from events.replay.history import fold
from orchestrator.api.inspecting import causes_of, moment_view, timeline_of
from orchestrator.api.inspecting_models import CausesView, ElsewhereView, MomentsView
from orchestrator.projections.pasts import fold_of
from orchestrator.projections.repository_past import analysis_steps, moments, repository_at, repository_steps
from tests.support.stand_in_streams import Json, Streams, frame, problem


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


@dataclass
class Stream:
    """A stream that is no analysis's: its events."""

    stream_id: str
    repository_id: str
    streams: Streams
    events: list[Json] = field(default_factory=list)

    def say(self, event_type: str, **data: Any) -> None:
        """Append an event and send it."""
        envelope: Json = {"event_id": str(uuid4()), "event_type": event_type, "schema_version": 1, "data": data}
        envelope |= {"stream_id": self.stream_id, "version": len(self.events) + 1, "seq": 9_000 + len(self.events)}
        envelope |= {"tenant_id": "00000000-0000-4000-8000-000000000001", "repository_id": self.repository_id}
        envelope |= {"correlation_id": str(uuid4()), "causation_id": None, "stage": None}
        envelope |= {"timestamp": datetime.now(UTC).isoformat()}
        self.events.append(envelope)
        self.streams.send(frame("milestone", envelope, int(envelope["version"])))


async def _repository(found: Stream, analyses: dict[str, Any], request: Request) -> Response:
    """`/events/moments` and `/events/state` at a time, by the real functions."""
    own, others = repository_steps(), {}
    own.extend(Envelope.model_validate(event) for event in found.events)
    for name, one in analyses.items():
        if one.view["repository_id"] == found.repository_id:
            others[name] = analysis_steps()
            others[name].extend(_envelopes(one.view, one.events))
    if request.path_params["what"] == "moments":
        items = [moment_view(found.stream_id, name, step) for name, step in moments(own, others)]
        return JSONResponse(jsonable_encoder(MomentsView(stream_id=found.stream_id, items=items)))
    times = [
        datetime.fromisoformat(request.query_params.get(name, "2999-01-01T00:00:00Z")) for name in ("against_at", "at")
    ]
    before, after = (repository_at(own, others, moment) for moment in times)
    changes = [one._asdict() for one in difference(before, after)]
    state = None if request.query_params.get("with_state") == "false" else after
    point = {"newest": 1, "version": 1, "against": 1, "changes_left_out": 0}
    return JSONResponse({"stream_id": found.stream_id, "event": None, "state": state, "changes": changes, **point})


async def pasts(analyses: dict[str, Any], others: dict[str, Stream], request: Request) -> Response:
    """`/events/state`, `/timeline`, `/causes` and `/live` of a scripted analysis, or of another stream."""
    stream_id = request.query_params["stream_id"]
    found = analyses.get(stream_id.removeprefix("analysis/")) or others.get(stream_id)
    if found is None and stream_id.startswith("conversation/") and request.path_params["what"] == "live":
        loop = asyncio.get_running_loop()
        found = others[stream_id] = Stream(stream_id, "", Streams(lambda: loop))  # a page listens to it
    if found is None:
        return problem(404, "not_found", "There is no such thing", "Check the id: nothing of yours has it.")
    is_repository = stream_id.startswith("repository/")
    if is_repository and request.path_params["what"] != "live":
        return await _repository(found, analyses, request)
    if request.path_params["what"] == "live":
        after = int(request.headers.get("last-event-id", request.query_params["after"]))
        missed = lambda: [frame("milestone", e, e["version"]) for e in found.events[after:]]  # noqa: E731  # a closure
        return StreamingResponse(found.streams.follow(missed), media_type="text/event-stream")
    if isinstance(found, Stream):
        history = [Envelope.model_validate(event) for event in found.events]
    else:
        history = _envelopes(found.view, found.events)
    if request.path_params["what"] == "timeline":
        return JSONResponse(jsonable_encoder(timeline_of(stream_id, history, history[-1].timestamp)))
    if request.path_params["what"] == "causes":
        return JSONResponse(jsonable_encoder(_causes(stream_id, history, [*others.values(), *analyses.values()])))
    version = min(int(request.query_params.get("version", len(history))), len(history))
    how = fold_of(stream_id)
    points = (max(0, version - 1), version)
    before, after = (how.shown(fold(history, how.evolve, how.initial(), to=at)) for at in points)
    state = None if request.query_params.get("with_state") == "false" else after
    changes = [one._asdict() for one in difference(before, after)]
    point = {"newest": len(history), "version": version, "against": max(0, version - 1), "changes_left_out": 0}
    event = found.events[version - 1] if version else None
    return JSONResponse({"stream_id": stream_id, "event": event, "state": state, "changes": changes, **point})


def _causes(stream_id: str, history: list[Envelope], streams: Iterable[Any]) -> CausesView:
    """As the API has them, of what other streams and scripted analyses say."""
    events = [event for stream in streams for event in stream.events if event["stream_id"] != stream_id]
    elsewhere = {UUID(event["event_id"]): ElsewhereView.model_validate(event) for event in events}
    begun: dict[UUID, list[ElsewhereView]] = {}
    for event in events:
        if event["version"] == 1 and event["causation_id"]:
            begun.setdefault(UUID(event["causation_id"]), []).append(ElsewhereView.model_validate(event))
    return causes_of(stream_id, history, elsewhere, begun)
