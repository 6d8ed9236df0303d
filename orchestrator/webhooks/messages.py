"""What a webhook is told: the facts of an analysis that its owner waits for. Pure."""

import json
from collections.abc import Mapping
from enum import StrEnum

from events.base import Envelope
from events.processing import ProcessingCompleted, ProcessingFailed, ProcessingRefined


class Told(StrEnum):
    """The types of messages."""

    READY = "analysis.ready"
    REFINED = "analysis.refined"
    FAILED = "analysis.failed"


_TOLD: Mapping[str, Told] = {
    ProcessingCompleted.event_type: Told.READY,
    ProcessingRefined.event_type: Told.REFINED,
    ProcessingFailed.event_type: Told.FAILED,
}
_FIELDS = ("commit", "totals", "skipped", "failed", "duration", "partial", "stage", "code")


def told_of(envelope: Envelope) -> Told | None:
    """The type of message that an event is told as; None: nobody is told of it."""
    return _TOLD.get(envelope.event_type)


def body_of(envelope: Envelope, told: Told) -> str:
    """The message as JSON. The ids lead to the rest by the API."""
    analysis_id = envelope.stream_id.partition("/")[2]
    repository_id = str(envelope.repository_id) if envelope.repository_id is not None else None
    facts = {name: envelope.data[name] for name in _FIELDS if name in envelope.data}
    data = {"analysis_id": analysis_id, "repository_id": repository_id, **facts}
    message = {"type": told.value, "timestamp": envelope.timestamp.isoformat(), "data": data}
    return json.dumps(message, ensure_ascii=False)
