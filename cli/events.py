"""`repostream events`: the log as it is, one line an event."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from rich.text import Text

from cli.api import connect
from cli.exits import OK
from cli.moments import precise
from cli.screen import Screen
from cli.waiting import Patience
from runtime.client import Client
from runtime.client.shapes import Envelope, EventPage

_PAGE = 500
_FIRST = 20  # events of the past that a tail begins with
_POLL = 1.0  # seconds between two looks at the whole log, which has no stream of its own, or two tries of one that has


@dataclass(frozen=True)
class Wanted:
    """Which events are printed; what is None does not matter. `text` are words that all stand in an event."""

    type: str | None = None
    stage: str | None = None
    since: str | None = None
    until: str | None = None
    text: str | None = None


def stream_of(named: str) -> str:
    """The stream that is meant: an analysis's where it is named by an id alone."""
    return named if "/" in named else f"analysis/{named}"


def run_show(stream: str, wanted: Wanted, *, as_json: bool) -> int:
    """Print the events of one stream that are wanted; returns the exit code. Raises ApiError."""
    api, console = connect(), Screen()
    items: list[Envelope] = []
    cursor = None
    while True:
        page = api.events_listed(
            stream_id=stream_of(stream),
            type=wanted.type,
            stage=wanted.stage,
            since=wanted.since,
            until=wanted.until,
            text=wanted.text,
            cursor=cursor,
            limit=_PAGE,
        )
        items += page.items
        cursor = page.next
        if cursor is None:
            break
    if as_json:
        print(json.dumps([item.model_dump(mode="json") for item in items]))
    else:
        for item in items:
            _print(console, item)
    return OK


def run_tail(stream: str | None, *, as_json: bool) -> int:
    """Print events until Ctrl-C. Raises ApiError."""
    api, console = connect(), Screen()
    if stream is None:
        return _tail_all(api, console, as_json=as_json)
    last: str | None = None
    patience = Patience()
    while True:
        with patience, api.events_live(stream_id=stream_of(stream), last_event_id=last) as messages:
            for message in messages:
                patience.seen()
                if message.event == "milestone":
                    last = message.id or last
                    _emit(console, Envelope.model_validate(message.data), as_json=as_json)
        time.sleep(_POLL)


def _tail_all(api: Client, console: Screen, *, as_json: bool) -> int:
    page = api.events_listed(latest=True, limit=_FIRST)
    after, patience = 0, Patience()
    patience.seen()
    while True:
        for item in page.items:
            after = item.seq or after
            _emit(console, item, as_json=as_json)
        if page.next is None:
            time.sleep(_POLL)
        page = EventPage(items=[])
        with patience:
            page = api.events_listed(after=after, limit=_PAGE)


def _emit(console: Screen, item: Envelope, *, as_json: bool) -> None:
    if as_json:
        print(item.model_dump_json(), flush=True)
    else:
        _print(console, item)


def _print(console: Screen, item: Envelope) -> None:
    moment = precise(item.timestamp)
    stage = f" {item.stage}" if item.stage else ""
    said = summary_of(item.data)
    line = Text.assemble((moment, "dim"), f"  {item.version:>4}  ", (item.event_type, "bold"), stage, (said, "dim"))
    console.say(line)


def summary_of(data: Mapping[str, object]) -> str:
    """The short values of an event, on one line."""
    short = {
        name: value
        for name, value in data.items()
        if isinstance(value, str | int | float | bool)
        and name not in ("run_id", "analysis_id", "stage", "url", "answer")
    }
    return "".join(f"  {name}={value}" for name, value in list(short.items())[:8])
