"""`repostream events`: the log as it is, one line an event."""

import json
import time

from rich.console import Console
from rich.text import Text

from cli.api import Api, ApiError, Json, api_url, part
from cli.exits import OK
from cli.screen import Screen

_PAGE = 500
_FIRST = 20  # events of the past that a tail begins with
_POLL = 1.0  # seconds between two looks at the whole log, which has no stream of its own


def run_show(analysis: str, *, as_json: bool) -> int:
    """Print one stream; returns the exit code. Raises ApiError."""
    api, console = Api(api_url()), Screen()
    stream = analysis if "/" in analysis else f"analysis/{analysis}"
    items: list[Json] = []
    after: int | None = None
    while True:
        page = api.get("/events", stream_id=stream, after=after, limit=_PAGE)
        items += page["items"]
        after = page.get("next")
        if after is None or not page["items"]:
            break
    if as_json:
        print(json.dumps(items))
    else:
        for item in items:
            _print(console, item)
    return OK


def run_tail(analysis: str | None, *, as_json: bool) -> int:
    """Print events until Ctrl-C. Raises ApiError."""
    api, console = Api(api_url()), Screen()
    if analysis is None:
        return _tail_all(api, console, as_json=as_json)
    last: str | None = None
    while True:
        with api.stream(f"/analyses/{part(analysis.removeprefix('analysis/'))}/events", after=last) as messages:
            for message in messages:
                if message.event == "milestone":
                    last = message.id or last
                    _emit(console, message.data, as_json=as_json)


def _tail_all(api: Api, console: Console, *, as_json: bool) -> int:
    page = api.get("/events", latest="true", limit=_FIRST)
    after = 0
    while True:
        for item in page["items"]:
            after = int(item["seq"])
            _emit(console, item, as_json=as_json)
        if len(page["items"]) < _PAGE:
            time.sleep(_POLL)
        try:
            page = api.get("/events", after=after, limit=_PAGE)
        except ApiError as error:
            if error.code != "orchestrator_unreachable":
                raise
            page = {"items": []}  # it may be restarting


def _emit(console: Console, item: Json, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(item), flush=True)
    else:
        _print(console, item)


def _print(console: Console, item: Json) -> None:
    moment = str(item["timestamp"])[11:23]
    stage = f" {item['stage']}" if item.get("stage") else ""
    said = summary_of(item.get("data") or {})
    line = Text.assemble(
        (moment, "dim"), f"  {item['version']:>4}  ", (item["event_type"], "bold"), stage, (said, "dim")
    )
    console.print(line, soft_wrap=True)


def summary_of(data: Json) -> str:
    """The short values of an event, on one line."""
    short = {
        name: value
        for name, value in data.items()
        if isinstance(value, str | int | float | bool)
        and name not in ("run_id", "analysis_id", "stage", "url", "answer")
    }
    return "".join(f"  {name}={value}" for name, value in list(short.items())[:8])
