"""Dead letters: messages that could not be read, or ended their workers too often. Kept until a person decides."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.delivery.entries import Entry
from runtime.redaction import redact

_PARK = text("""
INSERT INTO es.dead_letters (consumer, seq, entry_id, topic, error, attempts, payload)
VALUES (:consumer, :seq, :entry_id, :topic, :error, :attempts, :payload)
ON CONFLICT (consumer, seq, entry_id) DO UPDATE SET error = excluded.error, attempts = excluded.attempts
""")
_UNRESOLVED = text("""
SELECT consumer, topic, seq, entry_id, parked_at, error, attempts, payload FROM es.dead_letters
WHERE resolved_at IS NULL ORDER BY parked_at LIMIT :limit
""")
_RESOLVE = text("""
UPDATE es.dead_letters SET resolved_at = clock_timestamp(), resolution = :resolution
WHERE consumer = :consumer AND seq = :seq AND resolved_at IS NULL
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
    """One parked message. `payload` is what was in the transport, byte for byte."""

    consumer: str
    topic: str
    seq: int
    entry_id: str
    parked_at: datetime
    error: str
    attempts: int
    payload: bytes | None


async def park(connection: AsyncConnection, consumer: str, entry: Entry, error: str) -> None:
    """Set an entry aside in the caller's transaction."""
    values = {
        "consumer": consumer,
        "seq": entry.seq,
        "entry_id": entry.entry_id,
        "topic": entry.topic,
        "error": redact(error).replace("\0", "\ufffd")[:4_000],
        "attempts": entry.deliveries,
        "payload": entry.payload,
    }
    await connection.execute(_PARK, values)


async def unresolved(connection: AsyncConnection, *, limit: int = 100) -> list[DeadLetter]:
    """What waits for a person, oldest first."""
    return [DeadLetter(**row._mapping) for row in await connection.execute(_UNRESOLVED, {"limit": limit})]


async def resolve(connection: AsyncConnection, consumer: str, seq: int, resolution: str) -> bool:
    """Say what was decided (`retried`, `discarded`, …); whether there was something to decide."""
    values = {"consumer": consumer, "seq": seq, "resolution": resolution}
    return (await connection.execute(_RESOLVE, values)).first() is not None


async def forget(connection: AsyncConnection, whose: str, id_: object) -> None:
    """Empty the copies of events that are about a deleted `repository`, `tenant`, `user` or `stream`.

    Without a secret key they are in the clear. That something was parked stays known.
    """
    await connection.execute(_FORGET[whose], {"id": str(id_)})
