"""The keys that private fields are sealed with, as a process knows them: looked up in the log's own transactions,
remembered for some seconds. A key that was destroyed is forgotten by every process within `KEPT` seconds.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Draft, Envelope, Subject
from events.catalog import EVENTS
from events.log.drafts import payload_of
from events.log.sealed import (
    KEY_BYTES,
    SEALED,
    Named,
    cipher_of,
    open_bytes,
    opened,
    private_names,
    seal_bytes,
    sealed_payload,
    subjects_in,
    subjects_of,
)
from runtime.database import SEALER
from runtime.sealing import Sealer

KEPT = 20.0  # seconds that a key is believed to exist still
_MOST = 2_000  # ciphers remembered; the oldest go first

_KEYS_OF = text("""
SELECT subject, sealed, is_settled FROM es.keys_of(CAST(:subjects AS text[]), CAST(:fresh AS bytea[]))
""")
_ERASE = text("SELECT es.erase_subject(:kind, CAST(:id AS uuid), CAST(:private AS jsonb))")
_ERASE_STREAM = text("SELECT es.erase_stream(:stream, CAST(:private AS jsonb))")
_HOLD_SNAPSHOTS = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('snapshots', 0))"
)  # as `snapshots.hold`, patiently
_FORGET = {
    Subject.TENANT: text("DELETE FROM es.snapshots WHERE tenant_id = :id"),
    Subject.REPOSITORY: text("DELETE FROM es.snapshots WHERE repository_id = :id"),
}  # a person's own fields are in no state that is kept
_FORGET_STREAM = text("DELETE FROM es.snapshots WHERE stream_id = :stream")

Subjects = tuple[str, ...]


class KeysUnavailable(RuntimeError):
    """Sealed fields are met by a process that was given no secret key."""


@dataclass(frozen=True)
class _Known:
    """A cipher, or None where one of its keys was destroyed; both are believed until `until` (monotonic)."""

    cipher: AESGCM | None
    until: float


@dataclass(frozen=True)
class Content:
    """Bytes as they are stored: sealed, or as they are where the engine was given no secret key."""

    is_sealed: bool
    content: bytes


class Keyring:
    """The ciphers of one process for one database. Not for several threads."""

    def __init__(self, sealer: Sealer, *, kept: float = KEPT, most: int = _MOST) -> None:
        self._sealer = sealer
        self._kept = kept
        self._most = most
        self._known: dict[Subjects, _Known] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def payloads(self, connection: AsyncConnection, drafts: Sequence[Draft]) -> list[str]:
        """Each draft as the log stores it. Makes the keys that are missing, in the connection's transaction."""
        private = [private_names(draft) for draft in drafts]
        wanted = [subjects_of(draft) if names else () for draft, names in zip(drafts, private, strict=True)]
        ciphers = await self._ciphers(connection, set(wanted) - {()}, may_make=True)
        return [
            sealed_payload(draft, names, subjects, ciphers[subjects]) if subjects else payload_of(draft)
            for draft, names, subjects in zip(drafts, private, wanted, strict=True)
        ]

    async def open(self, connection: AsyncConnection, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """The envelopes with their private fields, or with what is left of them."""
        named = Named()
        wanted = {subjects for envelope in envelopes if (subjects := named.of(envelope))}
        ciphers = await self._ciphers(connection, wanted, may_make=False)
        return [
            opened(envelope, ciphers.get(named.of(envelope))) if SEALED in envelope.data else envelope
            for envelope in envelopes
        ]

    def open_known(self, envelopes: Sequence[Envelope]) -> list[Envelope] | None:
        """The same, where no key has to be looked up; else None."""
        named, now, found = Named(), time.monotonic(), []
        for envelope in envelopes:
            if SEALED not in envelope.data:
                found.append(envelope)
                continue
            known = self._known.get(named.of(envelope))
            if known is None or known.until < now:
                return None
            found.append(opened(envelope, known.cipher))
        return found

    async def cipher(self, connection: AsyncConnection, subjects: Subjects, *, may_make: bool) -> AESGCM | None:
        """What seals for all of `subjects`; None where a key was destroyed, or never made and may not be."""
        return (await self._ciphers(connection, {subjects}, may_make=may_make))[subjects]

    async def _ciphers(
        self, connection: AsyncConnection, wanted: set[Subjects], *, may_make: bool
    ) -> dict[Subjects, AESGCM | None]:
        now = time.monotonic()
        found = {
            subjects: known.cipher
            for subjects in wanted
            if (known := self._known.get(subjects)) is not None and known.until >= now
        }
        missing = wanted - found.keys()
        if missing:
            found |= await self._looked_up(connection, missing, now, may_make=may_make)
        return found

    async def _looked_up(
        self, connection: AsyncConnection, missing: set[Subjects], now: float, *, may_make: bool
    ) -> dict[Subjects, AESGCM | None]:
        names = sorted({name for subjects in missing for name in subjects})
        rows = await _rows(connection, names, None)
        new = sorted(set(names) - rows.keys())
        if new and may_make:
            fresh = [self._sealer.seal(secrets.token_bytes(KEY_BYTES)) for _ in new]
            rows |= await _rows(connection, new, fresh)
        keys = {name: self._sealer.open(row.sealed) for name, row in rows.items() if row.sealed is not None}
        found: dict[Subjects, AESGCM | None] = {}
        for subjects in missing:
            is_whole = all(name in keys for name in subjects)
            found[subjects] = cipher_of([keys[name] for name in subjects], subjects) if is_whole else None
            # A key of this very transaction may be rolled back: it is not remembered.
            if all(name in rows and rows[name].is_settled for name in subjects):
                self._remember(subjects, _Known(found[subjects], now + self._kept))
        return found

    def _remember(self, subjects: Subjects, known: _Known) -> None:
        self._known.pop(subjects, None)
        self._known[subjects] = known
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._kept, self._forget_old)

    def _forget_old(self) -> None:
        """So that a process that has nothing to do does not keep a destroyed key in memory either."""
        now = time.monotonic()
        self._known = {subjects: known for subjects, known in self._known.items() if known.until > now}
        soonest = min((known.until for known in self._known.values()), default=None)
        loop = asyncio.get_running_loop()
        self._sweep = None if soonest is None else loop.call_later(max(0.1, soonest - now), self._forget_old)


async def _rows(connection: AsyncConnection, subjects: list[str], fresh: list[bytes] | None) -> dict[str, Any]:
    rows = await connection.execute(_KEYS_OF, {"subjects": subjects, "fresh": fresh})
    return {row.subject: row for row in rows}


_rings: WeakKeyDictionary[Sealer, Keyring] = WeakKeyDictionary()


def _keyring_of(options: Any) -> Keyring | None:  # noqa: ANN401  # SQLAlchemy's mapping of options
    sealer = options.get(SEALER)
    if sealer is None:
        return None
    ring = _rings.get(sealer)
    if ring is None:
        ring = _rings[sealer] = Keyring(sealer)
    return ring


def _ring(connection: AsyncConnection) -> Keyring | None:
    return _keyring_of(connection.sync_connection.get_execution_options()) if connection.sync_connection else None


async def payloads(connection: AsyncConnection, drafts: Sequence[Draft]) -> list[str]:
    """Each draft as the log stores it: as it is where the engine was given no secret key."""
    ring = _ring(connection)
    return [payload_of(draft) for draft in drafts] if ring is None else await ring.payloads(connection, drafts)


async def open_all(connection: AsyncConnection, envelopes: list[Envelope]) -> list[Envelope]:
    """Envelopes as they were appended; what was erased reads as `Event.private` says.

    Raises KeysUnavailable where the engine was given no secret key and there is something to open.
    """
    if not any(SEALED in envelope.data for envelope in envelopes):
        return envelopes
    ring = _ring(connection)
    if ring is None:
        return [_without_keys(envelope) for envelope in envelopes]
    return await ring.open(connection, envelopes)


async def open_one(engine: AsyncEngine, envelope: Envelope) -> Envelope:
    """`open_all` for what came by the transport; takes a connection only where a key has to be looked up."""
    known = opened_with_known(engine, [envelope])
    if known is not None:
        return known[0]
    async with engine.connect() as connection:
        return (await open_all(connection, [envelope]))[0]


async def sealed_bytes(connection: AsyncConnection, subjects: Subjects, name: bytes, content: bytes) -> Content | None:
    """What is derived of private fields, sealed for the same subjects and bound to a name; None where a key is gone.

    Makes the keys that are missing, in the connection's transaction.
    """
    ring = _ring(connection)
    if ring is None:
        return Content(is_sealed=False, content=content)
    cipher = await ring.cipher(connection, subjects, may_make=True)
    return None if cipher is None else Content(is_sealed=True, content=seal_bytes(cipher, name, content))


async def opened_bytes(connection: AsyncConnection, subjects: Subjects, name: bytes, content: bytes) -> bytes | None:
    """What `sealed_bytes` sealed; None where a key is gone.

    Raises KeysUnavailable where the engine was given no secret key.
    """
    ring = _ring(connection)
    if ring is None:
        raise KeysUnavailable("A state is sealed: set REPOSTREAM_SECRET_KEY to the key it was sealed with.")
    cipher = await ring.cipher(connection, subjects, may_make=False)
    return None if cipher is None else open_bytes(cipher, name, content)


def opened_with_known(engine: AsyncEngine, envelopes: list[Envelope]) -> list[Envelope] | None:
    """`open_all` where no key has to be looked up; else None."""
    ring = _keyring_of(engine.sync_engine.get_execution_options())
    if ring is not None:
        return ring.open_known(envelopes)
    return envelopes if all(SEALED not in envelope.data for envelope in envelopes) else None


def _without_keys(envelope: Envelope) -> Envelope:
    if subjects_in(envelope):
        raise KeysUnavailable("An event has sealed fields: set REPOSTREAM_SECRET_KEY to the key it was sealed with.")
    return opened(envelope, None) if SEALED in envelope.data else envelope


async def erase_subject(connection: AsyncConnection, kind: str, id_: object) -> None:
    """Destroy the key of a tenant, a repository or a user for good, in the caller's transaction; again is nothing.

    Their private fields that were recorded in the clear are emptied as well, and no state with any of them is kept.
    """
    private = {cls.event_type: sorted(cls.private) for cls in EVENTS.values() if cls.private and kind in cls.belongs_to}
    await connection.execute(_ERASE, {"kind": kind, "id": id_, "private": json.dumps(private)})
    if (forget := _FORGET.get(Subject(kind))) is not None:
        await connection.execute(_HOLD_SNAPSHOTS)  # last: others wait for it until this transaction ends
        await connection.execute(forget, {"id": id_})


async def erase_stream(connection: AsyncConnection, stream_id: str) -> None:
    """Empty what is private in the events of one deleted stream, in the caller's transaction; again is nothing.

    The keys that it was sealed with are others' too, and stay: the sealed text itself goes, and what was folded of it.
    """
    private = {cls.event_type: sorted(cls.private) for cls in EVENTS.values() if cls.private}
    await connection.execute(_ERASE_STREAM, {"stream": stream_id, "private": json.dumps(private)})
    await connection.execute(_HOLD_SNAPSHOTS)
    await connection.execute(_FORGET_STREAM, {"stream": stream_id})
