"""`repostream events`: the log as it is, one line an event."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.text import Text

from cli.api import connect
from cli.exits import OK
from cli.moments import precise
from cli.paging import all_of
from cli.screen import Screen
from cli.waiting import Patience
from events.replay.choosing import Chosen, wants
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

    @property
    def chosen(self) -> Chosen:
        """The same, of events that come by themselves, in no span of time."""
        types, stages = ((one,) if one else () for one in (self.type, self.stage))
        return Chosen(types, stages, text=self.text or "")


def stream_of(named: str) -> str:
    """The stream that is meant: an analysis's where it is named by an id alone."""
    return named if "/" in named else f"analysis/{named}"


def run_show(stream: str | None, wanted: Wanted, *, as_json: bool) -> int:
    """Print the events that are wanted, of one stream or of all; returns the exit code. Raises ApiError."""
    api, console = connect(), Screen()
    named = stream_of(stream) if stream is not None else None
    found = all_of(lambda cursor: api.events_listed(stream_id=named, cursor=cursor, limit=_PAGE, **vars(wanted)))
    if as_json:
        print(json.dumps([item.model_dump(mode="json") for item in found]))
    else:
        for item in found:
            _print(console, item, of_all=stream is None)
    return OK


def run_tail(stream: str | None, wanted: Wanted, *, as_json: bool) -> int:
    """Print events that are wanted until Ctrl-C. Raises ApiError."""
    api, console, chosen = connect(), Screen(), wanted.chosen
    for item in _grown(api, wanted) if stream is None else _live(api, stream_of(stream)):
        if wants(chosen, item):
            _emit(console, item, as_json=as_json, of_all=stream is None)
    return OK


def _live(api: Client, stream: str) -> Iterator[Envelope]:
    """The events of a stream, those of the past first."""
    last: str | None = None
    patience = Patience()
    while True:
        with patience, api.events_live(stream_id=stream, last_event_id=last) as messages:
            for message in messages:
                patience.seen()
                if message.event == "milestone":
                    last = message.id or last
                    yield Envelope.model_validate(message.data)
        time.sleep(_POLL)


def _grown(api: Client, wanted: Wanted) -> Iterator[Envelope]:
    """The newest events of all that are of the wanted type and stage, and then all that come."""
    head = [item.seq or 0 for item in api.events_listed(latest=True, limit=1).items]
    after, patience = max(head, default=0), Patience()
    past = api.events_listed(latest=True, limit=_FIRST, type=wanted.type, stage=wanted.stage)
    yield from (item for item in past.items if (item.seq or 0) <= after)
    patience.seen()
    while True:
        page = EventPage(items=[])
        with patience:
            page = api.events_listed(after=after, limit=_PAGE)
        for item in page.items:
            after = item.seq or after
            yield item
        if page.next is None:
            time.sleep(_POLL)


def _emit(console: Screen, item: Envelope, *, as_json: bool, of_all: bool) -> None:
    if as_json:
        print(item.model_dump_json(), flush=True)
    else:
        _print(console, item, of_all=of_all)


def _print(console: Screen, item: Envelope, *, of_all: bool) -> None:
    """One line; of the events `of_all` streams each names its own."""
    moment = precise(item.timestamp)
    stream = f"  {item.stream_id}" if of_all else ""
    stage = f" {item.stage}" if item.stage else ""
    said = summary_of(item.data)
    line = Text.assemble(
        (f"{moment}{stream}", "dim"), f"  {item.version:>4}  ", (item.event_type, "bold"), stage, (said, "dim")
    )
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
