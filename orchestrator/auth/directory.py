"""The people of an installation, as administrators see them: listed, suspended, let in again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from orchestrator.auth.families import end_families, hold_families
from orchestrator.auth.sign_in_tokens import forget_unused

_PERSON = """
    SELECT u.user_id, u.provider, coalesce(u.issuer, '') AS issuer, u.subject, u.login, u.name, u.admin, u.created_at,
      u.suspended_at,
      (SELECT max(s.seen_at) FROM auth.sessions s WHERE s.user_id = u.user_id) AS seen_at
    FROM auth.users u WHERE u.deleted_at IS NULL AND u.provider <> 'local'
"""
_ONE = text(f"{_PERSON} AND u.user_id = :id")
_LIST = text(f"""
    {_PERSON} AND (:search = '' OR strpos(lower(u.login), lower(:search)) > 0
        OR strpos(lower(u.name), lower(:search)) > 0 OR u.subject = :search)
      AND (NOT :suspended OR u.suspended_at IS NOT NULL)
      AND (CAST(:at AS timestamptz) IS NULL OR (u.created_at, u.user_id) < (:at, CAST(:last AS uuid)))
    ORDER BY u.created_at DESC, u.user_id DESC LIMIT :limit
""")
_HOLD = text("SELECT 1 FROM auth.users WHERE user_id = :id FOR UPDATE")
_SUSPEND = text("""
    UPDATE auth.users SET suspended_at = coalesce(suspended_at, now())
    WHERE user_id = :id AND deleted_at IS NULL AND provider <> 'local' RETURNING user_id
""")
_RESTORE = text("""
    UPDATE auth.users SET suspended_at = NULL
    WHERE user_id = :id AND deleted_at IS NULL AND provider <> 'local' RETURNING user_id
""")
_END_SESSIONS = text("""
    UPDATE auth.sessions SET revoked_at = now() WHERE user_id = :id AND revoked_at IS NULL RETURNING session_id
""")


@dataclass(frozen=True)
class Listed:
    """A person. `seen_at` is when a session of theirs was last used."""

    user_id: UUID
    provider: str
    issuer: str
    subject: str
    login: str
    name: str
    admin: bool
    created_at: datetime
    suspended_at: datetime | None
    seen_at: datetime | None


class Directory:
    """The table `auth.users`, for administrators. The one user of a local installation is not in it."""

    def __init__(self, engine: AsyncEngine, tell: Callable[[UUID], Awaitable[None]]) -> None:
        """`tell` makes known at once that tokens of a session or a grant are over."""
        self._engine = engine
        self._tell = tell

    async def people(
        self, search: str, *, suspended: bool, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[Listed]:
        """People, the newest first, whose login or name has `search` in it, or whose provider's id it is."""
        at, last = after or (None, None)
        values = {"search": search, "suspended": suspended, "at": at, "last": last, "limit": limit}
        async with self._engine.connect() as connection:
            return [_listed(row) for row in await connection.execute(_LIST, values)]

    async def suspend(self, user_id: UUID) -> Listed | None:
        """Let somebody in no more: sessions, tokens and programs of theirs end, and keys are refused. None: no such."""
        async with self._engine.begin() as connection:
            await hold_families(connection, user_id=user_id)
            await connection.execute(_HOLD, {"id": user_id})
            if await connection.scalar(_SUSPEND, {"id": user_id}) is None:
                return None
            over = [*await connection.scalars(_END_SESSIONS, {"id": user_id})]
            over += await end_families(connection, user_id=user_id)
            await forget_unused(connection, user_id)
            found = await _one(connection, user_id)
        for each in over:
            await self._tell(each)
        return found

    async def restore(self, user_id: UUID) -> Listed | None:
        """Let somebody in again; they sign in anew, and their keys are good again. None: no such."""
        async with self._engine.begin() as connection:
            if await connection.scalar(_RESTORE, {"id": user_id}) is None:
                return None
            return await _one(connection, user_id)


async def _one(connection: AsyncConnection, user_id: UUID) -> Listed | None:
    row = (await connection.execute(_ONE, {"id": user_id})).first()
    return _listed(row) if row is not None else None


def _listed(row: Row[Any]) -> Listed:
    return Listed(**row._mapping)
