"""Old events as today's classes read them: raw data in, raw data out. Stored events never change.

A step stands under (type, version it reads) and gives the data of the next version. Pure.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from events.base import Envelope

Data = dict[str, object]
Upcast = Callable[[Data], Data]

# Empty while every event type is at its first version.
UPCASTS: Mapping[tuple[str, int], Upcast] = MappingProxyType({})


def upcast(envelope: Envelope, steps: Mapping[tuple[str, int], Upcast] = UPCASTS) -> Envelope:
    """The envelope with its data brought to the newest version that `steps` lead to; itself where none does."""
    version, data = envelope.schema_version, envelope.data
    while (step := steps.get((envelope.event_type, version))) is not None:
        version, data = version + 1, step(data)
    if version == envelope.schema_version:
        return envelope
    return envelope.model_copy(update={"schema_version": version, "data": data})
