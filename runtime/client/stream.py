"""Server-sent events as they come over a connection."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ServerSent:
    """One message of a stream of server-sent events; `data` is its JSON."""

    event: str
    data: dict[str, Any]
    id: str | None


def read_events(lines: Iterator[str]) -> Iterator[ServerSent]:
    """Messages out of the lines of a `text/event-stream`; comments and what is no JSON object are left out."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            text = value.removeprefix(" ")
            if name == "data" and "data" in fields:
                text = f"{fields['data']}\n{text}"
            fields[name] = text
            continue
        data = _object(fields.get("data", ""))
        if data is not None:
            yield ServerSent(fields.get("event", "message"), data, fields.get("id"))
        fields = {}


def _object(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None
