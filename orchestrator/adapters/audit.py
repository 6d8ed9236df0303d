"""The audit trail's table: append, search, check."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.api.audit_models import AuditCheck, AuditQuery, AuditView
from orchestrator.audit.chain import first_broken
from orchestrator.audit.entry import Entry
from runtime.database import each_alone

_APPEND = text("SELECT audit.append(CAST(:entries AS jsonb))")
_EXPIRE = text("SELECT audit.expire(:before)")
_SEARCH = """
SELECT e.*, coalesce(u.login, '') AS login FROM audit.entries e LEFT JOIN auth.users u USING (user_id)
WHERE (CAST(:tenant_id AS uuid) IS NULL OR e.tenant_id = :tenant_id)
  AND (CAST(:since AS timestamptz) IS NULL OR e.at >= :since)
  AND (CAST(:until AS timestamptz) IS NULL OR e.at < :until)
  AND (CAST(:user_id AS uuid) IS NULL OR e.user_id = :user_id)
  AND (:login = '' OR e.user_id IN (SELECT user_id FROM auth.users WHERE lower(login) = lower(:login)))
  AND (:action = '' OR starts_with(e.action, :action))
  AND (:outcome = '' OR e.outcome = :outcome)
  AND (:target = '' OR starts_with(e.target, :target))
  AND (:address = '' OR e.address = :address)
  AND (:code = '' OR e.code = :code)
  AND (CAST(:correlation_id AS uuid) IS NULL OR e.correlation_id = :correlation_id)
"""
_NEWEST = text(
    f"{_SEARCH} AND (CAST(:cursor AS bigint) IS NULL OR e.position < :cursor) ORDER BY e.position DESC LIMIT :limit"
)
_OLDEST = text(f"{_SEARCH} AND e.position > :cursor AND e.position <= :last ORDER BY e.position LIMIT :limit")
_HEAD = text("SELECT position FROM audit.head")
_BEGIN = text("""
SELECT position AS last, hash, greatest(first_position, :after) AS after, first_position,
  coalesce((SELECT e.hash FROM audit.entries e WHERE e.position = :after AND :after > h.first_position), first_hash)
    AS previous
FROM audit.head h
""")
_NEXT = text("SELECT e.*, '' AS login FROM audit.entries e WHERE position > :after ORDER BY position LIMIT :limit")
_EXPORTED = 500  # rows a read


class AuditTable:
    """Every statement of the trail. It sees all tenants: who asks is checked before."""

    def __init__(self, engine: AsyncEngine, reading: AsyncEngine | None = None) -> None:
        """`reading` is what looks at the trail use: what takes them long takes nothing from who writes."""
        self._engine = engine
        self._each_alone = each_alone(engine)  # one statement, one round trip
        self._reading = reading or engine

    async def append(self, entries: Sequence[Entry]) -> None:
        """Write all of `entries`, or none; one that is there already is left alone."""
        rows = json.dumps([entry.as_row() for entry in entries])
        async with self._each_alone.connect() as connection:
            await connection.execute(_APPEND, {"entries": rows})

    async def expire(self, before: datetime) -> int:
        """Delete some of the oldest entries up to `before`, none younger than thirty days; how many, 0 at the end."""
        async with self._engine.begin() as connection:
            return int((await connection.execute(_EXPIRE, {"before": before})).scalar_one())

    async def newest(self, query: AuditQuery, tenant: UUID | None, before: int | None, limit: int) -> list[AuditView]:
        """Up to `limit` entries that fit, newest first, before a position; of one tenant unless `tenant` is None."""
        rows = await self._rows(_NEWEST, **_parameters(query, tenant), cursor=before, limit=limit)
        return [_view(row) for row in rows]

    async def all(self, query: AuditQuery, tenant: UUID | None) -> AsyncIterator[AuditView]:
        """Every entry that fits and is there now, oldest first, read in pages."""
        cursor, last = 0, (await self._rows(_HEAD))[0].position
        while rows := await self._rows(
            _OLDEST, **_parameters(query, tenant), cursor=cursor, last=last, limit=_EXPORTED
        ):
            for row in rows:
                yield _view(row)
            cursor = rows[-1].position

    async def check(self, after: int, limit: int) -> AuditCheck:
        """Work out the hashes of up to `limit` entries after a position and compare."""
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")  # entries may expire between the two
            head = (await connection.execute(_BEGIN, {"after": after})).one()
            found = list(await connection.execute(_NEXT, {"after": head.after, "limit": limit}))
        broken = await asyncio.to_thread(_first_broken, found, head.after, head.previous)
        reached = found[-1].position if found else head.after
        if broken is None and len(found) < limit and reached < head.last:
            broken = reached + 1  # the newest entries are gone
        return AuditCheck(
            checked=len(found),
            first=head.first_position + 1,
            last=head.last,
            hash=head.hash.hex(),
            broken_at=broken,
            next=reached if broken is None and reached < head.last else None,
        )

    async def _rows(self, statement: Any, **parameters: object) -> list[Row[Any]]:  # noqa: ANN401  # text()
        async with self._reading.connect() as connection:
            return list(await connection.execute(statement, parameters))


def _parameters(query: AuditQuery, tenant: UUID | None) -> dict[str, object]:
    who = query.user.strip()
    try:
        user_id: UUID | None = UUID(who)
    except ValueError:
        user_id = None
    words = {name: getattr(query, name) for name in ("action", "outcome", "target", "address", "code")}
    return {
        **words,
        "tenant_id": tenant or query.tenant_id,
        "since": query.since,
        "until": query.until,
        "user_id": user_id,
        "login": who if user_id is None else "",
        "correlation_id": query.correlation_id,
    }


def _view(row: Row[Any]) -> AuditView:
    values = dict(row._mapping)
    shown = {name: values[name] and values[name].hex() for name in ("hash", "salt", "origin")}
    return AuditView(**values | shown)


def _first_broken(rows: Sequence[Row[Any]], after: int, previous: bytes) -> int | None:
    entries = (_view(row).model_dump(mode="json") for row in rows)
    return first_broken(entries, after=after, previous=previous)
