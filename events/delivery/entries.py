"""What stands in a stream of the transport: one event as JSON in one field, no headers, at the id `generation-seq`."""

from dataclasses import dataclass

from pydantic import ValidationError

from events.base import Envelope
from events.catalog import UnknownEvent, decode
from events.upcasts import upcast

FIELD = b"event"


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


def read_envelope(entry: Entry) -> Envelope:
    """The envelope in an entry, upcast, with its `seq`; its data fits the event's class. Raises Unreadable."""
    try:
        envelope = upcast(Envelope.model_validate_json(entry.payload))
        decode(envelope)
    except (ValidationError, UnknownEvent, ValueError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    return envelope if envelope.seq == entry.seq else envelope.with_seq(entry.seq)
