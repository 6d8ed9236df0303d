"""All that is somebody's, as one ZIP archive of JSON lines, written while it is sent (docs/export.md).

What goes with an account is what is handed out: all of each tenant that has nobody else, and of other tenants what the
person did there. It is read in pages, each in a transaction of its own that sees one tenant, so that neither memory
nor a connection is held by a slow reader.
"""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.log.postgres import read_stream_in
from orchestrator.adapters.belongings import BELONGINGS, Belonging
from orchestrator.auth.identity import Identity
from runtime.tenancy import TenantDatabase

FORMAT, VERSION = "repostream.export", 2
_PAGE = 500  # rows a read
_EVENTS = "es.events"
_TENANTS = text("""
SELECT m.tenant_id, NOT EXISTS (
  SELECT FROM auth.members o JOIN auth.users u USING (user_id)
  WHERE o.tenant_id = m.tenant_id AND o.user_id <> m.user_id AND u.deleted_at IS NULL
) AS is_whole
FROM auth.members m JOIN auth.tenants t USING (tenant_id)
WHERE m.user_id = :user AND t.deleted_at IS NULL ORDER BY m.tenant_id
""")
_STREAMS = text("""
SELECT stream_id FROM es.streams WHERE tenant_id = :tenant AND stream_id > :after ORDER BY stream_id LIMIT :limit
""")
_TALKS = text("""
SELECT DISTINCT stream_id FROM es.events
WHERE user_id = :user AND type = 'ai.query.requested' AND stream_id > :after ORDER BY stream_id LIMIT :limit
""")

Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


@dataclass(frozen=True)
class Scope:
    """A tenant that somebody is in; `is_whole` where all of it is theirs."""

    tenant_id: UUID
    is_whole: bool


class _Sink(io.RawIOBase):
    """What was written to it since it was last emptied. It cannot seek, so that nothing has to be kept."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401  # any buffer
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """What is there, which is then there no more."""
        found = bytes(self._held)
        self._held.clear()
        return found


class Export:
    """Hands out what is somebody's."""

    def __init__(self, requests: AsyncEngine, background: AsyncEngine) -> None:
        """`requests` sees one tenant at a time; `background` reads the audit trail."""
        self._requests = requests
        self._background = background
        self._rows = TenantDatabase(requests)

    async def archive(self, who: Identity, at: datetime) -> AsyncIterator[bytes]:
        """The archive, piece by piece. Broken off, it has no end, and no program takes it for whole."""
        async with self._requests.connect() as connection:
            scopes = [Scope(*row) for row in await connection.execute(_TENANTS, {"user": who.user_id})]
        sink = _Sink()
        counts: dict[str, int] = {}
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in BELONGINGS:
                if not each.file:
                    continue
                counts[each.file] = 0
                with archive.open(_entry(f"{each.file}.jsonl", at), "w", force_zip64=True) as file:
                    async for page in self._pages(each, who, scopes):
                        counts[each.file] += len(page)
                        file.write("".join(f"{line}\n" for line in page).encode())
                        yield sink.taken()
            manifest = {"format": FORMAT, "version": VERSION, "made_at": at.isoformat(), "user_id": str(who.user_id)}
            archive.writestr(_entry("manifest.json", at), json.dumps(manifest | {"rows": counts}, indent=2))
        yield sink.taken()

    async def _pages(self, each: Belonging, who: Identity, scopes: list[Scope]) -> AsyncIterator[list[str]]:
        """The rows of one table, as JSON, a page at a time."""
        if each.user and not each.is_walled:
            engine = self._background if each.table.startswith("audit.") else self._requests
            async for page in _read(each, each.user, {"user": who.user_id}, engine.connect):
                yield page
            return
        for scope in scopes:
            opened = self._opener(scope.tenant_id)
            if each.table == _EVENTS:
                pages = _events(scope, who.user_id, opened)
            else:
                where = each.tenant if scope.is_whole else f"tenant_id = :tenant AND ({each.user or 'false'})"
                where = each.tenant if not each.is_walled else where
                pages = _read(each, where, {"user": who.user_id, "tenant": scope.tenant_id}, opened)
            async for page in pages:
                yield page

    def _opener(self, tenant_id: UUID) -> Open:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncConnection]:
            async with self._rows.of(tenant_id) as connection:
                yield connection

        return opened


async def _read(each: Belonging, where: str, values: dict[str, UUID], opened: Open) -> AsyncIterator[list[str]]:
    """Pages of the rows that fit, in the order of the table's key."""
    key = ", ".join(f"t.{column}" for column in each.key)
    marks = ", ".join(f":k{number}" for number in range(len(each.key)))
    used = {name: value for name, value in values.items() if f":{name}" in where}
    last: Row[Any] | None = None
    while True:
        further = f"AND ({key}) > ({marks})" if last is not None else ""
        statement = text(
            f"SELECT (to_jsonb(t) - CAST(:secret AS text[]))::text AS line, {key} FROM {each.table} t"  # noqa: S608  # our own names
            f" WHERE ({where}) {further} ORDER BY {key} LIMIT {_PAGE}"
        )
        place = {f"k{number}": last[number + 1] for number in range(len(each.key))} if last is not None else {}
        async with opened() as connection:
            rows = list(await connection.execute(statement, {**used, **place, "secret": list(each.secret)}))
        if rows:
            yield [row.line for row in rows]
        if len(rows) < _PAGE:
            return
        last = rows[-1]


async def _events(scope: Scope, user_id: UUID, opened: Open) -> AsyncIterator[list[str]]:
    """The events of all streams of a tenant, or what somebody caused in the conversations in which they asked."""
    after = ""
    while True:
        async with opened() as connection:
            values = {"tenant": scope.tenant_id} if scope.is_whole else {"user": user_id}
            listed = _STREAMS if scope.is_whole else _TALKS
            streams = list((await connection.execute(listed, {**values, "after": after, "limit": _PAGE})).scalars())
        for stream in streams:
            async for page in _events_of(stream, None if scope.is_whole else user_id, opened):
                yield page
        if len(streams) < _PAGE:
            return
        after = streams[-1]


async def _events_of(stream_id: str, user_id: UUID | None, opened: Open) -> AsyncIterator[list[str]]:
    version = 0
    while True:
        async with opened() as connection:
            found = await read_stream_in(connection, stream_id, after=version, limit=_PAGE)
        lines = [e.model_dump_json() for e in found if user_id is None or e.user_id == user_id]
        if lines:
            yield lines
        if len(found) < _PAGE:
            return
        version = found[-1].version


def _entry(name: str, at: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, at.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
