"""What stands in a stream of the transport: one event as JSON in one field, no headers, at the id `generation-seq`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import ValidationError

from events.base import Envelope
from events.catalog import UnknownEvent, decode
from events.upcasts import upcast

FIELD = b"event"

OpenPrivate = Callable[[Envelope], Awaitable[Envelope]]  # an envelope with its sealed fields as they were


class Unreadable(Exception):
    """An entry that no class of ours can read: a stranger's, a broken one, or one of a newer version."""


@dataclass(frozen=True)
class Entry:
    """One delivery. `deliveries` counts this one; `payload` is the event's JSON, byte for byte."""

    topic: str
    entry_id: str
    payload: bytes
    deliveries: int = 1

    @property
    def seq(self) -> int:
        """The event's place among all events, by the entry's id."""
        return int(self.entry_id.partition("-")[2])


def entry_id(generation: int, seq: int) -> str:
    """The id in the transport of an event's place in the feed."""
    return f"{generation}-{seq}"


async def read_envelope(entry: Entry, open_private: OpenPrivate) -> Envelope:
    """The envelope in an entry, opened, upcast, with its `seq`; its data fits the event's class.

    Raises Unreadable, whose sentence has nothing of the data, and what `open_private` raises.
    """
    sealed = _checked(lambda: Envelope.model_validate_json(entry.payload))
    private = await open_private(sealed)
    envelope = _checked(lambda: _fitting(private))
    return envelope if envelope.seq == entry.seq else envelope.with_seq(entry.seq)


def _fitting(envelope: Envelope) -> Envelope:
    newest = upcast(envelope)
    decode(newest)
    return newest


def _checked(read: Callable[[], Envelope]) -> Envelope:
    try:
        return read()
    except ValidationError as error:
        places = "; ".join(f"{_place(item['loc'])}: {item['msg']}" for item in error.errors(include_input=False)[:5])
        raise Unreadable(f"ValidationError: {places}") from None
    except (UnknownEvent, ValueError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _place(parts: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in parts) or "the entry"
