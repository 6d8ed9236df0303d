"""Sessions of people's browsers: 256 random bits in a cookie, of which the database has the hash alone."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

COOKIE = "__Host-sid"
_LONGEST = 256  # characters; a secret has 43
_MOST_TEXT = 400  # characters of what a browser says of itself
_COLUMNS = "s.session_id, s.user_id, s.tenant_id, s.created_at, s.seen_at, s.expires_at, s.address, s.agent"
# A session that lets somebody in at this moment. By the database's clock alone: processes' clocks differ.
_LIVING = f"""
    SELECT {_COLUMNS} FROM auth.sessions s
    JOIN auth.users u ON u.user_id = s.user_id AND u.suspended_at IS NULL AND u.deleted_at IS NULL
    WHERE s.revoked_at IS NULL AND s.expires_at > now() AND s.seen_at > now() - CAST(:idle AS interval)
"""  # noqa: S608  # constants of ours
_BEGIN = """
    INSERT INTO auth.sessions (session_id, secret_hash, user_id, tenant_id, expires_at, address, agent)
    VALUES (:id, :hash, :user_id, :tenant_id, now() + CAST(:life AS interval), :address, :agent)
"""
_FORGET = "DELETE FROM auth.sessions WHERE user_id = :user_id AND expires_at < now() - interval '30 days'"
_SEEN = "UPDATE auth.sessions SET seen_at = now() WHERE session_id = :id AND seen_at < now() - interval '1 minute'"
_REVOKE = "UPDATE auth.sessions SET revoked_at = now() WHERE session_id = :id AND revoked_at IS NULL"
_LIST = f"""
    {_LIVING} AND s.user_id = :user_id
      AND (CAST(:at AS timestamptz) IS NULL
        OR (s.created_at, s.session_id) < (CAST(:at AS timestamptz), CAST(:id AS uuid)))
    ORDER BY s.created_at DESC, s.session_id DESC LIMIT :limit
"""


@dataclass(frozen=True)
class Session:
    """A session that is neither over nor revoked. `session_id` is no secret; `seen_at` is kept to the minute."""

    session_id: UUID
    user_id: UUID
    tenant_id: UUID
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    agent: str


class Sessions:
    """The sessions of everybody. A session is over at its absolute end, or once nobody used it for a while."""

    def __init__(
        self, engine: AsyncEngine, *, life: timedelta = timedelta(days=7), idle: timedelta = timedelta(days=1)
    ) -> None:
        """`engine` may write `auth`. `life` is the absolute length of a session, `idle` how long it may lie unused."""
        self._engine = engine
        self.life = life
        self._idle = idle

    async def begin(self, user_id: UUID, tenant_id: UUID, address: str, agent: str) -> str:
        """Begin a session; its secret, which is nowhere else. `agent` is what the browser says of itself."""
        async with self._engine.begin() as connection:
            return await self.begin_in(connection, user_id, tenant_id, address, agent)

    async def begin_in(
        self, connection: AsyncConnection, user_id: UUID, tenant_id: UUID, address: str, agent: str
    ) -> str:
        """As `begin`, in the caller's transaction."""
        secret = secrets.token_urlsafe(32)
        row = {
            "id": uuid4(),
            "hash": _hash(secret),
            "user_id": user_id,
            "tenant_id": tenant_id,
            "life": self.life,
            "address": _plain(address),
            "agent": _plain(agent),
        }
        await connection.execute(text(_FORGET), {"user_id": user_id})
        await connection.execute(text(_BEGIN), row)
        return secret

    async def find(self, secret: str) -> Session | None:
        """The session with this secret; None where it is revoked, over, idle for too long, suspended or none."""
        if not secret or len(secret) > _LONGEST:
            return None
        async with self._engine.begin() as connection:
            values = {"hash": _hash(secret), "idle": self._idle}
            rows = await connection.execute(text(f"{_LIVING} AND s.secret_hash = :hash"), values)
            found = rows.mappings().first()
            if found is None:
                return None
            await connection.execute(text(_SEEN), {"id": found["session_id"]})
        return _session(found)

    async def by_id(self, session_id: UUID) -> Session | None:
        """The session with this id; None as for `find`. Asking so is no use of it."""
        async with self._engine.connect() as connection:
            values = {"id": session_id, "idle": self._idle}
            rows = await connection.execute(text(f"{_LIVING} AND s.session_id = :id"), values)
            found = rows.mappings().first()
        return _session(found) if found is not None else None

    async def of(self, user_id: UUID, *, after: tuple[datetime, UUID] | None = None, limit: int = 500) -> list[Session]:
        """A person's living sessions, the newest first; those `after` a session's beginning and id."""
        at, session_id = after or (None, None)
        values = {"user_id": user_id, "idle": self._idle, "at": at, "id": session_id, "limit": limit}
        async with self._engine.connect() as connection:
            return [_session(row) for row in (await connection.execute(text(_LIST), values)).mappings()]

    async def revoke(self, session_id: UUID) -> bool:
        """End a session; whether there was one to end."""
        async with self._engine.begin() as connection:
            done = await connection.execute(text(_REVOKE), {"id": session_id})
            return bool(done.rowcount)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _plain(words: str) -> str:
    """Text of others, fit to be stored and shown: printable, and not endless."""
    return "".join(letter for letter in words[:_MOST_TEXT] if letter.isprintable())


def _session(row: RowMapping) -> Session:
    return Session(**row)
