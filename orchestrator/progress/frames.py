"""Server-sent events as bytes. Pure."""

from events.base import Envelope

RETRY_MS = 1_000  # how long a browser waits before it returns; jittered by whoever sends it


def frame(event: str, data: str, *, id_: str | None = None) -> bytes:
    """One message. `data` may have several lines; `id_` is what a returning client sends as `Last-Event-ID`."""
    head = "" if id_ is None else f"id: {id_}\n"
    body = "\n".join(f"data: {line}" for line in data.split("\n"))
    return f"{head}event: {event}\n{body}\n\n".encode()


def milestone(envelope: Envelope) -> bytes:
    """An event of an analysis; its id is the version, so that a client sees a gap."""
    return frame("milestone", envelope.model_dump_json(), id_=str(envelope.version))


def retry_hint(milliseconds: int) -> bytes:
    """How long to wait before reconnecting."""
    return f"retry: {milliseconds}\n\n".encode()


HEARTBEAT = frame("heartbeat", "{}")
RESYNC = frame("resync", "{}")
GROWN = frame("grown", "{}")  # something happened to an analysis of the repository that is watched


LAST = 2**31 - 1  # no version is beyond it


def last_event_id(header: str | None, query: int | None) -> int:
    """The version to go on after: what the browser sends when it returns wins over what the page asked for first."""
    if header is not None and header.strip().isdecimal() and len(header) < 12:
        return min(int(header), LAST)
    return min(max(0, query or 0), LAST)
