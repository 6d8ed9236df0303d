"""API keys: for programs of a person. Found by their prefix, kept as a hash, bounded by scopes and by an end."""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.auth.families import stands
from orchestrator.auth.identity import Identity, Proof, scopes_for
from orchestrator.auth.standing import STANDING_COLUMNS, STANDING_JOIN, Remembered, standing_of
from runtime.faults import Permanent

START = "rsk_"
MOST = 50  # keys of one person in one tenant
_SHAPE = re.compile(r"(rsk_[a-z2-7]{8})_[A-Za-z0-9_-]{43}")
_USED_EVERY = 60.0  # seconds between two notes that a key was used
_COLUMNS = "key_id, prefix, name, scopes, created_at, expires_at, used_at, revoked_at"
_FIND = f"""
    SELECT k.key_id, k.secret_hash, k.user_id, k.tenant_id, k.scopes, {STANDING_COLUMNS}
    FROM auth.api_keys k {STANDING_JOIN.format(of="k")}
    JOIN auth.members m ON m.user_id = k.user_id AND m.tenant_id = k.tenant_id
    WHERE k.prefix = :prefix AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
"""  # noqa: S608  # constants of ours
_INSERT = f"""
    INSERT INTO auth.api_keys (key_id, prefix, secret_hash, user_id, tenant_id, name, scopes, expires_at)
    VALUES (:key_id, :prefix, :secret_hash, :user_id, :tenant_id, :name, :scopes, :expires_at)
    RETURNING {_COLUMNS}
"""  # noqa: S608  # constants of ours
_LIST = f"""
    SELECT {_COLUMNS} FROM auth.api_keys WHERE user_id = :user_id AND tenant_id = :tenant_id
      AND (CAST(:at AS timestamptz) IS NULL OR (created_at, key_id) < (CAST(:at AS timestamptz), CAST(:id AS uuid)))
    ORDER BY created_at DESC, key_id DESC LIMIT :limit
"""  # noqa: S608  # constants of ours


@dataclass(frozen=True)
class ApiKey:
    """A key as its owner sees it: never its secret."""

    key_id: UUID
    prefix: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class _Held:
    """A valid key that was found a moment ago."""

    identity: Identity


class ApiKeys:
    """The table `auth.api_keys`."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._remembered: Remembered[bytes, _Held] = Remembered(clock=clock)
        self._noted: Remembered[UUID, bool] = Remembered(_USED_EVERY, clock)

    async def create(
        self, who: Identity, name: str, scopes: frozenset[str], expires_at: datetime
    ) -> tuple[ApiKey, str]:
        """A new key of the person in their tenant, and its text, which nobody can see again.

        Raises Permanent `forbidden` where it asks for more than the person may, `too_many_keys`, and `not_signed_in`
        for whoever is no member any more.
        """
        if not scopes or not scopes <= who.scopes:
            raise Permanent("forbidden", "A key can have scopes that you have yourself, and needs one.")
        prefix, secret = _new_secret()
        async with self._engine.begin() as connection:
            # One at a time for one person: two at once would both see the last free place.
            lock = text("SELECT 1 FROM auth.users WHERE user_id = :user_id FOR UPDATE")
            await connection.execute(lock, {"user_id": who.user_id})
            if not await stands(connection, who.user_id, who.tenant_id):
                raise Permanent("not_signed_in", "Sign in again.")
            count = await connection.scalar(
                text(
                    "SELECT count(*) FROM auth.api_keys WHERE user_id = :user_id AND tenant_id = :tenant_id"
                    " AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"
                ),
                {"user_id": who.user_id, "tenant_id": who.tenant_id},
            )
            if (count or 0) >= MOST:
                raise Permanent("too_many_keys", f"There are {MOST} keys already: revoke one that is not used.")
            rows = await connection.execute(
                text(_INSERT),
                {
                    "key_id": uuid4(),
                    "prefix": prefix,
                    "secret_hash": _hash(secret),
                    "user_id": who.user_id,
                    "tenant_id": who.tenant_id,
                    "name": name,
                    "scopes": sorted(scopes),
                    "expires_at": expires_at,
                },
            )
            return _key_of(rows.mappings().one()), secret

    async def of(self, who: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int = 500) -> list[ApiKey]:
        """The person's keys in their tenant, the newest first; revoked ones too. Those `after` a key's time and id."""
        at, key_id = after or (None, None)
        values = {"user_id": who.user_id, "tenant_id": who.tenant_id, "at": at, "id": key_id, "limit": limit}
        async with self._engine.connect() as connection:
            return [_key_of(row) for row in (await connection.execute(text(_LIST), values)).mappings()]

    async def revoke(self, who: Identity, key_id: UUID) -> bool:
        """Let the key be valid no more: at once here, within seconds elsewhere. Whether the person has such a key."""
        statement = (
            "UPDATE auth.api_keys SET revoked_at = coalesce(revoked_at, now())"
            " WHERE key_id = :key_id AND user_id = :user_id AND tenant_id = :tenant_id RETURNING key_id"
        )
        async with self._engine.begin() as connection:
            found = await connection.scalar(
                text(statement), {"key_id": key_id, "user_id": who.user_id, "tenant_id": who.tenant_id}
            )
        self._remembered.forget(lambda held: held.identity.proof_id == key_id)
        return found is not None

    async def identify(self, secret: str) -> Identity | None:
        """Whose key it is, in which tenant, and what it may do; None where it is none, revoked or over."""
        shape = _SHAPE.fullmatch(secret)
        if shape is None:
            return None
        digest = _hash(secret)
        held = self._remembered.get(digest)
        if held is None:
            held = await self._find(shape.group(1), digest)
        if held is None:
            return None
        await self._note_use(held.identity)
        return held.identity

    def forget(self) -> None:
        """Ask the database again: somebody is gone."""
        self._remembered.clear()

    async def _find(self, prefix: str, digest: bytes) -> _Held | None:
        async with self._engine.connect() as connection:
            row = (await connection.execute(text(_FIND), {"prefix": prefix})).mappings().first()
        if row is None or not hmac.compare_digest(bytes(row["secret_hash"]), digest):
            return None
        standing = standing_of(row)
        identity = Identity(
            user_id=row["user_id"],
            tenant_id=row["tenant_id"],
            name=standing.name,
            scopes=scopes_for(standing.role, admin=standing.admin, asked=row["scopes"]),
            role=standing.role,
            proof=Proof.API_KEY,
            proof_id=row["key_id"],
        )
        return self._remembered.put(digest, _Held(identity))

    async def _note_use(self, identity: Identity) -> None:
        if identity.proof_id is None or self._noted.get(identity.proof_id):
            return
        self._noted.put(identity.proof_id, True)
        statement = (
            "UPDATE auth.api_keys SET used_at = now()"
            " WHERE key_id = :key_id AND (used_at IS NULL OR used_at < now() - make_interval(secs => :every))"
        )
        async with self._engine.begin() as connection:
            await connection.execute(text(statement), {"key_id": identity.proof_id, "every": _USED_EVERY})


def _new_secret() -> tuple[str, str]:
    """A prefix, and the whole key: 256 random bits behind it."""
    prefix = START + base64.b32encode(secrets.token_bytes(5)).decode().lower()
    return prefix, f"{prefix}_{secrets.token_urlsafe(32)}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()  # of 256 random bits: nothing is gained by a slow hash


def _key_of(row: RowMapping) -> ApiKey:
    return ApiKey(**{**row, "scopes": tuple(row["scopes"])})
