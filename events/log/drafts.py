"""From a draft to what the log records; shared by the real log and its twin."""

import re

from events.base import Draft, Envelope
from events.catalog import topic_of

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # behind an even number of backslashes: an odd one writes about it


def payload_of(draft: Draft) -> str:
    """The event as JSON text. Raises ValueError where it holds NUL, which PostgreSQL cannot store."""
    return without_nul(draft, draft.event.model_dump_json())


def without_nul(draft: Draft, payload: str) -> str:
    """The JSON text of a draft, or of a part of it, as it is. Raises ValueError where it holds NUL."""
    if has_nul(payload):
        raise ValueError(f"{draft.event.event_type} holds a NUL character: clean the text before it becomes a fact")
    return payload


def has_nul(payload: str) -> bool:
    """Whether JSON text holds NUL, which PostgreSQL cannot store."""
    return r"\u0000" in payload and _NUL.search(payload) is not None


def topic_and_type(draft: Draft) -> tuple[str, str]:
    """The topic that the draft is relayed on, and the name of its type."""
    return topic_of(draft.event), draft.event.event_type


def record(draft: Draft, stream_id: str, version: int, seq: int | None = None) -> Envelope:
    """The envelope of a draft that has found its place."""
    return Envelope(
        event_id=draft.event_id,
        event_type=draft.event.event_type,
        schema_version=draft.event.schema_version,
        stream_id=stream_id,
        version=version,
        seq=seq,
        repository_id=draft.context.repository_id,
        user_id=draft.context.user_id,
        tenant_id=draft.context.tenant_id,
        stage=draft.stage,
        correlation_id=draft.context.correlation_id,
        causation_id=draft.context.causation_id,
        traceparent=draft.context.traceparent,
        timestamp=draft.occurred_at,
        data=draft.event.model_dump(mode="json"),
    )
