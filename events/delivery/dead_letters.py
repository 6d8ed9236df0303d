"""Dead letters: messages that could not be read, or ended their workers too often. Kept until a person decides.

Each that is an event of ours is told in the stream it came from, in the same transaction. What people had deleted is
not: that is taken up again by itself (`unfinished.py`).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Context, Draft, Event, derived_id
from events.catalog import ERASURE
from events.delivery.entries import Entry
from events.letters import MessageParked
from events.log.postgres import append_in
from runtime.redaction import redact

_PARK = text("""
INSERT INTO es.dead_letters (consumer, seq, entry_id, topic, error, attempts, payload)
VALUES (:consumer, :seq, :entry_id, :topic, :error, :attempts, :payload)
ON CONFLICT (consumer, seq, entry_id) DO UPDATE SET error = excluded.error, attempts = excluded.attempts
RETURNING letter_id
""")
# The event is that of its place in the feed; a stranger's entry, or one of a deleted stream, has none.
_LETTERS = """
SELECT d.letter_id, d.consumer, d.topic, d.seq, d.entry_id, d.parked_at, d.error, d.attempts, d.payload,
  d.resolved_at, d.resolution, e.event_id, e.type AS event_type, e.stream_id, e.tenant_id, e.repository_id, e.user_id,
  e.correlation_id
FROM es.dead_letters d
LEFT JOIN es.feed f ON f.seq = d.seq AND f.topic = d.topic
LEFT JOIN (
  SELECT n.* FROM es.events n JOIN es.streams s USING (stream_id) WHERE s.archived_at IS NULL
) e USING (position)
"""
_LISTED = text(f"""{_LETTERS}
WHERE (d.resolved_at IS NULL OR :settled)
  AND (CAST(:at AS timestamptz) IS NULL OR (d.parked_at, d.letter_id) < (CAST(:at AS timestamptz), CAST(:id AS uuid)))
ORDER BY d.parked_at DESC, d.letter_id DESC LIMIT :limit
""")
_ONE = text(f"{_LETTERS} WHERE d.letter_id = :id")
_SETTLE = text("""
UPDATE es.dead_letters SET resolved_at = clock_timestamp(), resolution = :resolution
WHERE letter_id = :id AND resolved_at IS NULL
RETURNING seq
""")


_WHOSE = {
    "repository": "e.repository_id = CAST(:id AS uuid)",
    "tenant": "e.tenant_id = CAST(:id AS uuid)",
    "user": "e.user_id = CAST(:id AS uuid)",
    "stream": "e.stream_id = :id",
}
_FORGET = {
    whose: text(f"""
    UPDATE es.dead_letters d SET payload = NULL FROM es.feed f JOIN es.events e USING (position)
    WHERE f.seq = d.seq AND d.payload IS NOT NULL AND {condition}
    """)  # noqa: S608  # our own conditions
    for whose, condition in _WHOSE.items()
}


@dataclass(frozen=True)
class DeadLetter:
    """One parked message. `payload` is what was in the transport, byte for byte.

    The rest are the headers of the event that it is, None where it is none. `resolution` is what became of it.
    """

    letter_id: UUID
    consumer: str
    topic: str
    seq: int
    entry_id: str
    parked_at: datetime
    error: str
    attempts: int
    payload: bytes | None
    resolved_at: datetime | None
    resolution: str | None
    event_id: UUID | None
    event_type: str | None
    stream_id: str | None
    tenant_id: UUID | None
    repository_id: UUID | None
    user_id: UUID | None
    correlation_id: UUID | None


async def park(connection: AsyncConnection, consumer: str, entry: Entry, error: str) -> None:
    """Set an entry aside in the caller's transaction, and say so in the stream that it came from."""
    values = {
        "consumer": consumer,
        "seq": entry.seq,
        "entry_id": entry.entry_id,
        "topic": entry.topic,
        "error": redact(error).replace("\0", "\ufffd")[:4_000],
        "attempts": entry.deliveries,
        "payload": entry.payload,
    }
    letter = await one(connection, (await connection.execute(_PARK, values)).scalar_one())
    if letter is not None and letter.topic != ERASURE:
        shown = {name: values[name] for name in ("consumer", "topic", "seq", "attempts", "error")}
        parked = MessageParked.model_validate({"letter_id": letter.letter_id, **shown})
        await say(connection, letter, parked, by=None, at=letter.parked_at)


async def say(connection: AsyncConnection, letter: DeadLetter, event: Event, *, by: UUID | None, at: datetime) -> None:
    """Append to the letter's stream what happened to it, once; nothing where it has none. Does not commit."""
    if letter.stream_id is None or letter.tenant_id is None or letter.correlation_id is None:
        return
    context = Context(
        tenant_id=letter.tenant_id,
        correlation_id=letter.correlation_id,
        causation_id=letter.event_id,
        repository_id=letter.repository_id,
        user_id=by,
    )
    event_id = derived_id(letter.letter_id, event.event_type)
    await append_in(
        connection, letter.stream_id, [Draft(event_id=event_id, occurred_at=at, context=context, event=event)]
    )


async def listed(
    connection: AsyncConnection,
    *,
    settled: bool = False,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[DeadLetter]:
    """What waits for a person, the newest first; with `settled`, also what was decided."""
    at, id_ = after or (None, None)
    rows = await connection.execute(_LISTED, {"settled": settled, "at": at, "id": id_, "limit": limit})
    return [DeadLetter(**row._mapping) for row in rows]


async def one(connection: AsyncConnection, letter_id: UUID) -> DeadLetter | None:
    """The letter with this id."""
    row = (await connection.execute(_ONE, {"id": letter_id})).first()
    return DeadLetter(**row._mapping) if row is not None else None


async def settle(connection: AsyncConnection, letter_id: UUID, resolution: str) -> bool:
    """Say what was decided (`retried`, `discarded`, …); whether it was open until now."""
    return (await connection.execute(_SETTLE, {"id": letter_id, "resolution": resolution})).first() is not None


async def forget(connection: AsyncConnection, whose: str, id_: object) -> None:
    """Empty the copies of events that are about a deleted `repository`, `tenant`, `user` or `stream`.

    Without a secret key they are in the clear. That something was parked stays known.
    """
    await connection.execute(_FORGET[whose], {"id": str(id_)})
