"""Uploaded archives: kept in parts as they come, so that no process ever holds one, and named by their content.

A part is claimed for the upload before it is stored, and for the repository when an analysis begins. Whoever lets go of
an upload takes its row first and its parts then; who was last to refer to a part deletes it.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactKind, ArtifactRef
from events.log.ownership import claim_in
from orchestrator.adapters.uploads_ending import UploadsEnding
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from runtime.archive_kinds import HEAD_BYTES, ArchiveKind, kind_of, title_of
from runtime.objects import Objects
from runtime.tenancy import TenantDatabase
from runtime.upload_url import upload_url

_log = structlog.get_logger(__name__)
_PART = 4 << 20  # bytes: what one upload has in memory, and once more while it is stored
_AT_ONCE = 8  # uploads that one process takes side by side; others wait, and their senders with them
_OF_ONE = 4  # of a tenant: who sends slowly keeps nobody else from uploading
_BEGIN = text("""
INSERT INTO app.uploads (upload_id, tenant_id, name, kind, bytes, parts, uploaded_at)
VALUES (:upload, :tenant, :name, :kind, 0, '[]', :at)
""")
_AGAIN = text("""
UPDATE app.uploads SET uploaded_at = :at WHERE tenant_id = :tenant AND sha256 = :sha256 RETURNING *
""")
_COMPLETE = text("""
UPDATE app.uploads SET sha256 = :sha256, bytes = :bytes, parts = CAST(:parts AS jsonb), uploaded_at = :at
WHERE tenant_id = :tenant AND upload_id = :upload RETURNING *
""")
_ONE = text("SELECT * FROM app.uploads WHERE tenant_id = :tenant AND upload_id = :upload AND sha256 IS NOT NULL")
_LIST = text("""
SELECT * FROM app.uploads WHERE tenant_id = :tenant AND sha256 IS NOT NULL
  AND (CAST(:before AS timestamptz) IS NULL OR (uploaded_at, upload_id) < (:before, CAST(:last AS uuid)))
ORDER BY uploaded_at DESC, upload_id DESC LIMIT :limit
""")
_BY_CONTENT = text("SELECT * FROM app.uploads WHERE tenant_id = :tenant AND sha256 = :sha256")
_USE = text("""
UPDATE app.uploads SET repositories = CASE WHEN :repository = ANY (repositories) THEN repositories
  ELSE array_append(repositories, CAST(:repository AS uuid)) END
WHERE tenant_id = :tenant AND upload_id = :upload RETURNING 1
""")


@dataclass(frozen=True)
class Upload:
    """One upload. `url` is what an analysis of it is asked for by; `repositories` were made of it."""

    upload_id: UUID
    name: str
    kind: ArchiveKind
    sha256: str
    bytes: int
    parts: tuple[ArtifactRef, ...]
    uploaded_at: datetime
    repositories: tuple[UUID, ...] = ()

    @property
    def url(self) -> str:
        """Its address: of its content, and of the name that it first came under."""
        return upload_url(self.sha256, self.name)


@dataclass
class _Coming:
    """What came so far of one upload."""

    upload_id: UUID
    digest: Any
    parts: list[ArtifactRef]
    bytes: int = 0


class Uploads:
    """The table and the parts."""

    def __init__(
        self,
        database: TenantDatabase,
        objects: Objects,
        ending: UploadsEnding,
        clock: Callable[[], datetime],
        *,
        limit: int,
    ) -> None:
        """`objects` enters what it stores in the books; `limit` is the largest upload's size in bytes."""
        self._database = database
        self._objects = objects
        self._ending = ending
        self._clock = clock
        self.limit = limit
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._turns_of: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()  # while somebody has one

    async def receive(self, who: Identity, name: str, pieces: AsyncIterator[bytes]) -> tuple[Upload, bool]:
        """Keep what comes, and say whether it is new: the same content again is the upload that is there.

        Raises ApiProblem `archive_unknown`, `upload_too_large`, and what `pieces` raises; nothing of it is kept then.
        """
        turns_of_one = self._turns_of.setdefault(who.tenant_id, asyncio.Semaphore(_OF_ONE))
        async with turns_of_one, self._turns, aclosing(_begun(pieces)) as begun:
            head = await anext(begun)
            kind = kind_of(head)
            if kind is None:
                raise ApiProblem("archive_unknown", "Upload a zip, or a tar: plain or packed by gzip, bzip2, xz, zstd.")
            coming = _Coming(uuid4(), hashlib.sha256(), [])
            row = {"upload": coming.upload_id, "tenant": who.tenant_id, "name": title_of(name), "kind": kind.value}
            async with self._database.of(who.tenant_id) as connection:
                await connection.execute(_BEGIN, row | {"at": self._clock()})
            try:
                await self._take(who.tenant_id, coming, head, begun)
                kept = await self._complete(who.tenant_id, coming)
            except BaseException:
                await asyncio.shield(self._ending.discard(coming.upload_id))
                raise
        if kept.upload_id != coming.upload_id:
            await self._ending.discard(coming.upload_id)
        return kept, kept.upload_id == coming.upload_id

    async def _take(self, tenant_id: UUID, coming: _Coming, head: bytes, rest: AsyncIterator[bytes]) -> None:
        waiting = bytearray(head)
        objects = self._objects.of(tenant_id, coming.upload_id)
        coming.bytes = len(head)
        async for piece in rest:
            coming.bytes += len(piece)
            if coming.bytes > self.limit:
                raise too_large(self.limit)
            waiting += piece
            while len(waiting) >= _PART:
                await _store(objects, coming, bytes(waiting[:_PART]))
                del waiting[:_PART]
        if waiting:
            await _store(objects, coming, bytes(waiting))

    async def _complete(self, tenant_id: UUID, coming: _Coming) -> Upload:
        """Enter the whole of it; or find it, where it came before or comes at this moment by another request."""
        content = {"tenant": tenant_id, "sha256": coming.digest.hexdigest(), "at": self._clock()}
        parts = json.dumps([part.model_dump(mode="json") for part in coming.parts])
        mine = {**content, "upload": coming.upload_id, "bytes": coming.bytes, "parts": parts}
        while True:
            async with self._database.of(tenant_id) as connection:
                if (known := (await connection.execute(_AGAIN, content)).first()) is not None:
                    return _upload(known)
            try:
                async with self._database.of(tenant_id) as connection:
                    return _upload((await connection.execute(_COMPLETE, mine)).one())
            except IntegrityError:
                continue  # the same content was faster

    async def one(self, who: Identity, upload_id: UUID) -> Upload:
        """An upload. Raises ApiProblem `not_found`."""
        async with self._database.of(who.tenant_id) as connection:
            row = (await connection.execute(_ONE, {"tenant": who.tenant_id, "upload": upload_id})).first()
        if row is None:
            raise ApiProblem("not_found", "Check the id: nothing of yours has it.")
        return _upload(row)

    async def of(
        self, tenant_id: UUID, *, after: tuple[datetime, UUID] | None = None, limit: int = 500
    ) -> list[Upload]:
        """The tenant's uploads, the newest first; those `after` the time and id of one."""
        before, last = after or (None, None)
        values = {"tenant": tenant_id, "before": before, "last": last, "limit": limit}
        async with self._database.of(tenant_id) as connection:
            return [_upload(row) for row in await connection.execute(_LIST, values)]

    async def delete(self, who: Identity, upload_id: UUID) -> None:
        """Let go of an upload by itself. Raises ApiProblem `not_found`; `upload_in_use` where one was made of it."""
        if await self._ending.delete(who.tenant_id, upload_id):
            return
        await self.one(who, upload_id)
        raise ApiProblem("upload_in_use", "A repository was made of it: delete that, and it goes too.")

    async def by_content(self, who: Identity, sha256: str) -> Upload:
        """The upload with that content. Raises ApiProblem `upload_gone`."""
        async with self._database.of(who.tenant_id) as connection:
            row = (await connection.execute(_BY_CONTENT, {"tenant": who.tenant_id, "sha256": sha256})).first()
        if row is None:
            raise _gone()
        return _upload(row)


async def use_in(connection: AsyncConnection, tenant_id: UUID, upload: Upload, repository_id: UUID) -> None:
    """Keep an upload for a repository, in the transaction that begins its analysis. Raises ApiProblem `upload_gone`."""
    values = {"tenant": tenant_id, "upload": upload.upload_id, "repository": repository_id}
    if (await connection.execute(_USE, values)).first() is None:
        raise _gone()
    for key in sorted({part.key for part in upload.parts}):
        await claim_in(connection, key, repository_id)


def too_large(limit: int) -> ApiProblem:
    """That more came than is taken."""
    return ApiProblem("upload_too_large", f"Upload at most {limit / 1_000_000:,.0f} MB: leave out what is no source.")


def _gone() -> ApiProblem:
    return ApiProblem("upload_gone", "It is kept for a day where it is not analysed: upload the file again.")


async def _begun(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes, of which the first piece is long enough to tell what they are."""
    head = b""
    async for piece in pieces:
        head += piece
        if len(head) >= HEAD_BYTES:
            break
    yield head
    async for piece in pieces:
        yield piece


async def _store(objects: Objects, coming: _Coming, content: bytes) -> None:
    stored, _ = await asyncio.gather(
        objects.put("upload", ".part", content), asyncio.to_thread(coming.digest.update, content)
    )
    coming.parts.append(
        ArtifactRef(
            kind=ArtifactKind.UPLOAD,
            key=stored.key,
            sha256=stored.sha256,
            rows=0,
            bytes=stored.bytes,
            shard=len(coming.parts),
        )
    )


def _upload(row: Row[Any]) -> Upload:
    parts = tuple(ArtifactRef.model_validate(part) for part in row.parts)
    return Upload(
        upload_id=row.upload_id,
        name=row.name,
        kind=ArchiveKind(row.kind),
        sha256=row.sha256,
        bytes=row.bytes,
        parts=parts,
        uploaded_at=row.uploaded_at,
        repositories=tuple(row.repositories),
    )
