"""What led to what, by the ids that each event carries of its cause. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from events.base import Envelope


@dataclass(frozen=True)
class Link:
    """An event and what caused it; None where it has no cause, or one that is not among those looked at."""

    envelope: Envelope
    cause: Envelope | None
    depth: int  # how many causes lead to it


def links(envelopes: Iterable[Envelope]) -> Iterator[Link]:
    """Each event with its cause and its depth, in the order given.

    A cause that stands after its effect is none: a stream is in the order in which things happened.
    """
    known: dict[UUID, tuple[Envelope, int]] = {}
    for envelope in envelopes:
        cause, depth = known.get(envelope.causation_id, (None, -1)) if envelope.causation_id else (None, -1)
        known[envelope.event_id] = envelope, depth + 1
        yield Link(envelope, cause, depth + 1)


def causes(envelopes: Sequence[Envelope], event_id: object) -> list[Envelope]:
    """The chain that led to an event, from its first cause among `envelopes` to itself; empty where it is unknown."""
    by_id = {envelope.event_id: envelope for envelope in envelopes}
    current = next((envelope for envelope in envelopes if envelope.event_id == event_id), None)
    chain: dict[UUID, Envelope] = {}
    while current is not None and current.event_id not in chain:
        chain[current.event_id] = current
        current = by_id.get(current.causation_id) if current.causation_id else None
    return list(chain.values())[::-1]
