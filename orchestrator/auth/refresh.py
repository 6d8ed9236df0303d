"""Refresh tokens, for programs that act for a person: each is good once, for the next one.

Whoever uses an old one has a copy that somebody took, or is robbed by whoever took it. Nobody can tell which, so the
whole family ends, with the session tokens that were made of it. Only a client that lost the answer may ask again at
once: it gets another successor as long as the first is unused, and the first counts as used from then on.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from orchestrator.auth.families import lock_family, stands
from runtime.faults import Permanent

START = "rsr_"
IDLE_DAYS, ABSOLUTE_DAYS = 30, 180
AGAIN = 30.0  # seconds in which a client that lost the answer may ask again; each time anew
_SHAPE = re.compile(r"rsr_[A-Za-z0-9_-]{43}")
_LIFE = f"interval '{IDLE_DAYS} days'"
_FIND = text("""
    SELECT t.family_id, t.user_id, t.tenant_id, t.scopes,
      t.revoked_at IS NOT NULL OR (t.used_at IS NULL AND t.expires_at <= now()) AS is_over,
      t.used_at IS NOT NULL AND NOT (t.used_at > clock_timestamp() - make_interval(secs => :again) AND NOT EXISTS (
        SELECT FROM auth.refresh_tokens later WHERE later.family_id = t.family_id AND later.used_at > t.used_at
      )) AS is_reused
    FROM auth.refresh_tokens t WHERE t.token_hash = :hash
""")
_REPLACE = text("""
    UPDATE auth.refresh_tokens SET used_at = 'epoch'
    WHERE family_id = :family AND used_at IS NULL AND token_hash <> :hash
""")
_USE = text("UPDATE auth.refresh_tokens SET used_at = clock_timestamp() WHERE token_hash = :hash")
_LIST = """
    SELECT family_id, min(scopes) AS scopes, min(created_at) AS began_at, max(created_at) AS used_at,
           max(expires_at) AS expires_at
    FROM auth.refresh_tokens WHERE user_id = :user_id AND tenant_id = :tenant_id
    GROUP BY family_id HAVING bool_and(revoked_at IS NULL) AND max(expires_at) > now()
      AND (CAST(:at AS timestamptz) IS NULL
        OR (min(created_at), family_id) < (CAST(:at AS timestamptz), CAST(:id AS uuid)))
    ORDER BY min(created_at) DESC, family_id DESC LIMIT :limit
"""


class Verdict(StrEnum):
    """What became of a refresh token that was shown."""

    GOOD = "good"
    UNKNOWN = "unknown"  # none of ours, or its family ended, or it is over
    REUSED = "reused"  # it was used before, and not just now: `exchange` ends the family


@dataclass(frozen=True)
class Exchange:
    """The outcome; a `good` one has the next token, and whom it is for."""

    verdict: Verdict
    secret: str = ""
    family_id: UUID | None = None
    user_id: UUID | None = None
    tenant_id: UUID | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Family:
    """What descends from one beginning, as its owner sees it."""

    family_id: UUID
    scopes: tuple[str, ...]
    began_at: datetime
    used_at: datetime
    expires_at: datetime


class RefreshTokens:
    """The table `auth.refresh_tokens`. Who ends a family revokes its session tokens too (`Revocations`)."""

    def __init__(self, engine: AsyncEngine, *, again: float = AGAIN) -> None:
        self._engine = engine
        self._again = again

    async def begin(self, user_id: UUID, tenant_id: UUID, scopes: frozenset[str]) -> tuple[str, UUID]:
        """The first token of a new family, and the family's id. Raises Permanent `not_signed_in` for no member."""
        secret, family_id = _new_secret(), uuid4()
        row = {"family_id": family_id, "user_id": user_id, "tenant_id": tenant_id, "scopes": sorted(scopes)}
        async with self._engine.begin() as connection:
            if not await stands(connection, user_id, tenant_id):
                raise Permanent("not_signed_in", "Sign in again.")
            await _insert(connection, secret, row)
        return secret, family_id

    async def look(self, secret: str) -> Exchange:
        """What `exchange` would say, without the next token; nothing is used up."""
        if _SHAPE.fullmatch(secret) is None:
            return Exchange(Verdict.UNKNOWN)
        async with self._engine.connect() as connection:
            return _exchange_of(await self._found(connection, secret))

    async def exchange(self, secret: str) -> Exchange:
        """Use a token up; the next one, where it was good."""
        if _SHAPE.fullmatch(secret) is None:
            return Exchange(Verdict.UNKNOWN)
        async with self._engine.begin() as connection:
            await _lock_of(connection, secret)
            found = await self._found(connection, secret)
            result = _exchange_of(found)
            if result.verdict is Verdict.REUSED and result.family_id is not None:
                await _end(connection, result.family_id)
            if result.verdict is not Verdict.GOOD or found is None:
                return result
            if not await stands(connection, found["user_id"], found["tenant_id"]):
                return Exchange(Verdict.UNKNOWN)
            await connection.execute(_REPLACE, {"family": result.family_id, "hash": _hash(secret)})
            await connection.execute(_USE, {"hash": _hash(secret)})
            following = _new_secret()
            await _insert(connection, following, found)
        return replace(result, secret=following)

    async def end_by(self, secret: str) -> UUID | None:
        """End the family of a token, used or not; its id, None where the token is none of ours."""
        if _SHAPE.fullmatch(secret) is None:
            return None
        async with self._engine.begin() as connection:
            family_id = await _lock_of(connection, secret)
            if family_id is not None:
                await _end(connection, family_id)
        return family_id

    async def end(self, family_id: UUID, user_id: UUID) -> bool:
        """End a family of the person's. Whether there is one."""
        async with self._engine.begin() as connection:
            await lock_family(connection, family_id)
            statement = "SELECT 1 FROM auth.refresh_tokens WHERE family_id = :family AND user_id = :user_id LIMIT 1"
            found = await connection.scalar(text(statement), {"family": family_id, "user_id": user_id})
            if found is not None:
                await _end(connection, family_id)
        return found is not None

    async def of(
        self, user_id: UUID, tenant_id: UUID, *, after: tuple[datetime, UUID] | None = None, limit: int = 500
    ) -> list[Family]:
        """The person's living families in a tenant, the newest first; those `after` a family's beginning and id."""
        at, family_id = after or (None, None)
        values = {"user_id": user_id, "tenant_id": tenant_id, "at": at, "id": family_id, "limit": limit}
        async with self._engine.connect() as connection:
            rows = await connection.execute(text(_LIST), values)
            return [Family(**{**row, "scopes": tuple(row["scopes"])}) for row in rows.mappings()]

    async def _found(self, connection: AsyncConnection, secret: str) -> RowMapping | None:
        rows = await connection.execute(_FIND, {"hash": _hash(secret), "again": self._again})
        return rows.mappings().first()


def _exchange_of(found: RowMapping | None) -> Exchange:
    if found is None or found["is_over"]:
        return Exchange(Verdict.UNKNOWN)
    if found["is_reused"]:
        return Exchange(Verdict.REUSED, family_id=found["family_id"])
    whom = found["family_id"], found["user_id"], found["tenant_id"]
    return Exchange(Verdict.GOOD, "", *whom, frozenset(found["scopes"]))


async def _lock_of(connection: AsyncConnection, secret: str) -> UUID | None:
    """The token's family, held until the transaction ends: a row that is being added to it cannot escape."""
    family: UUID | None = await connection.scalar(
        text("SELECT family_id FROM auth.refresh_tokens WHERE token_hash = :hash"), {"hash": _hash(secret)}
    )
    if family is not None:
        await lock_family(connection, family)
    return family


async def _insert(connection: AsyncConnection, secret: str, row: Mapping[str, Any] | RowMapping) -> None:
    await connection.execute(
        text(
            "INSERT INTO auth.refresh_tokens (token_hash, family_id, user_id, tenant_id, scopes, expires_at)"  # noqa: S608  # constants of ours
            f" SELECT :hash, :family_id, :user_id, :tenant_id, :scopes, least(now() + {_LIFE},"
            f" coalesce(min(created_at), now()) + interval '{ABSOLUTE_DAYS} days')"
            " FROM auth.refresh_tokens WHERE family_id = :family_id"
        ),
        {
            "hash": _hash(secret),
            "family_id": row["family_id"],
            "user_id": row["user_id"],
            "tenant_id": row["tenant_id"],
            "scopes": list(row["scopes"]),
        },
    )


async def _end(connection: AsyncConnection, family_id: UUID) -> None:
    await connection.execute(
        text("UPDATE auth.refresh_tokens SET revoked_at = now() WHERE family_id = :family AND revoked_at IS NULL"),
        {"family": family_id},
    )


def _new_secret() -> str:
    return START + secrets.token_urlsafe(32)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
