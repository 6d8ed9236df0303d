"""States that streams added up to, kept beside the log: sealed as its events are, and gone with what is private there.

A state is read by the code that folded it alone. Whoever keeps one holds `hold` until its transaction ends, and looks
whether the stream is deleted under it; `keyring.erase_stream` and `erase_subject` wait for that.
"""

from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Subject
from events.log.keyring import opened_bytes, sealed_bytes

_HOLD = text("SELECT pg_try_advisory_xact_lock(hashtextextended('snapshots', 0))")
_KEEP = text("""
INSERT INTO es.snapshots (stream_id, fold, code, version, tenant_id, repository_id, is_sealed, state)
VALUES (:stream, :fold, :code, :version, :tenant, :repository, :is_sealed, :state)
ON CONFLICT DO NOTHING
""")
_NEWEST = text("""
SELECT version, tenant_id, repository_id, is_sealed, state FROM es.snapshots
WHERE stream_id = :stream AND fold = :fold AND code = :code
  AND (CAST(:until AS int) IS NULL OR version <= CAST(:until AS int))
ORDER BY version DESC LIMIT 1
""")


@dataclass(frozen=True)
class Place:
    """Of which stream, by which fold of which code."""

    stream_id: str
    fold: str
    code: str

    def named(self, version: int) -> bytes:
        """What a sealed state is bound to."""
        return "/".join((self.stream_id, self.fold, self.code, str(version))).encode()


@dataclass(frozen=True)
class Whose:
    """A tenant and its repository, with whose keys a state is sealed."""

    tenant_id: UUID
    repository_id: UUID

    @property
    def subjects(self) -> tuple[str, ...]:
        """The names of their keys."""
        return f"{Subject.TENANT.value}/{self.tenant_id}", f"{Subject.REPOSITORY.value}/{self.repository_id}"


async def hold(connection: AsyncConnection) -> bool:
    """Be the one who keeps states, until the transaction ends; whether nobody else is."""
    return bool(await connection.scalar(_HOLD))


async def keep(connection: AsyncConnection, place: Place, version: int, state: bytes, whose: Whose) -> bool:
    """Keep the state after `version`; whether it could be: not where what it is sealed with was destroyed.

    Does not commit.
    """
    content = await sealed_bytes(connection, whose.subjects, place.named(version), state)
    if content is None:
        return False
    values = {"tenant": whose.tenant_id, "repository": whose.repository_id, "version": version}
    kept = {"is_sealed": content.is_sealed, "state": content.content}
    await connection.execute(_KEEP, _values(place) | values | kept)
    return True


async def newest(connection: AsyncConnection, place: Place, until: int | None = None) -> tuple[int, bytes] | None:
    """The newest kept state, of those that are not after a version, with its own version.

    None where there is none, or one that cannot be opened any more. Raises KeysUnavailable.
    """
    row = (await connection.execute(_NEWEST, _values(place) | {"until": until})).first()
    if row is None:
        return None
    if not row.is_sealed:
        return row.version, bytes(row.state)
    subjects = Whose(row.tenant_id, row.repository_id).subjects
    try:
        state = await opened_bytes(connection, subjects, place.named(row.version), bytes(row.state))
    except InvalidTag:
        return None
    return None if state is None else (row.version, state)


def _values(place: Place) -> dict[str, object]:
    return {"stream": place.stream_id, "fold": place.fold, "code": place.code}
