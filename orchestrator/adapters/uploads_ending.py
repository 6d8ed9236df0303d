"""The ends of uploads: with their repositories, with their tenant, or by themselves where nothing was made of them."""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.log.ownership import owned, release
from runtime.objects import Objects

_log = structlog.get_logger(__name__)
_SWEEP = 60.0  # seconds
_AT_ONCE = 100
_UNFINISHED = timedelta(hours=2)  # what 100 MB take to come at the slowest that is waited for
_DROP = text("DELETE FROM app.uploads WHERE upload_id = :upload")
_UNUSED = """
repositories = '{}' AND uploaded_at < clock_timestamp() -
  CASE WHEN sha256 IS NULL THEN least(CAST(:kept AS interval), CAST(:unfinished AS interval))
  ELSE CAST(:kept AS interval) END
"""
_OVER = text(f"SELECT upload_id FROM app.uploads WHERE {_UNUSED} LIMIT {_AT_ONCE}")  # noqa: S608  # constants of ours
_DROP_UNUSED = text(f"DELETE FROM app.uploads WHERE upload_id = :upload AND {_UNUSED} RETURNING 1")  # noqa: S608  # the same
_DELETE = text("""
DELETE FROM app.uploads
WHERE upload_id = :upload AND tenant_id = :tenant AND sha256 IS NOT NULL AND repositories = '{}' RETURNING 1
""")
_LET_GO = text("""
UPDATE app.uploads SET repositories = array_remove(repositories, CAST(:repository AS uuid))
WHERE :repository = ANY (repositories)
RETURNING upload_id, repositories = '{}' AND uploaded_at < coalesce(
  (SELECT deleted_at FROM app.deleted_repositories WHERE repository_id = :repository), clock_timestamp()) AS unused
""")
_OF_TENANT = text(f"SELECT upload_id FROM app.uploads WHERE tenant_id = :tenant LIMIT {_AT_ONCE}")  # noqa: S608  # the same


class UploadsEnding:
    """Lets uploads go. Each step may be done again."""

    def __init__(self, engine: AsyncEngine, objects: Objects, kept: timedelta = timedelta(days=1)) -> None:
        """`kept` is for how long one stays that nothing was made of."""
        self._engine = engine
        self.objects = objects
        self._ages = {"kept": kept, "unfinished": _UNFINISHED}

    async def run(self) -> None:
        """Let go of what is over, then wait a minute."""
        gone = await self.sweep()
        if gone:
            _log.info("uploads_let_go", uploads=gone)
        await asyncio.sleep(_SWEEP)

    async def sweep(self) -> int:
        """Let go of what nothing was made of for long; how many."""
        async with self._engine.connect() as connection:
            over = list((await connection.execute(_OVER, self._ages)).scalars())
        gone = 0
        for upload_id in over:
            async with self._engine.begin() as connection:
                if (await connection.execute(_DROP_UNUSED, {"upload": upload_id, **self._ages})).first() is not None:
                    await self._let_go(connection, upload_id)
                    gone += 1
        return gone

    async def delete(self, tenant_id: UUID, upload_id: UUID) -> bool:
        """Let go of a tenant's upload that no repository was made of; whether there was one.

        An analysis that begins at the same moment either has it, or finds it gone.
        """
        async with self._engine.begin() as connection:
            if (await connection.execute(_DELETE, {"tenant": tenant_id, "upload": upload_id})).first() is None:
                return False
            await self._let_go(connection, upload_id)
        return True

    async def discard(self, upload_id: UUID) -> None:
        """Let go of one."""
        async with self._engine.begin() as connection:
            await connection.execute(_DROP, {"upload": upload_id})
            await self._let_go(connection, upload_id)

    async def of_repository(self, repository_id: UUID) -> None:
        """Let go of what a deleted repository was made of, unless another was too, or it came again since."""
        async with self._engine.begin() as connection:
            rows = list(await connection.execute(_LET_GO, {"repository": repository_id}))
        for row in rows:
            if row.unused:
                await self.discard(row.upload_id)

    async def of_tenant(self, tenant_id: UUID) -> None:
        """Let go of all that a deleted tenant uploaded."""
        while True:
            async with self._engine.connect() as connection:
                found = list((await connection.execute(_OF_TENANT, {"tenant": tenant_id})).scalars())
            for upload_id in found:
                await self.discard(upload_id)
            if len(found) < _AT_ONCE:
                return

    async def _let_go(self, connection: AsyncConnection, upload_id: UUID) -> None:
        """Take the upload's claims back; what nobody else refers to is deleted."""
        while keys := await owned(connection, upload_id):
            for key in keys:
                if await release(connection, key, upload_id):
                    await self.objects.delete(key)
