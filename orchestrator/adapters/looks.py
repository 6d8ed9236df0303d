"""Remember when somebody last looked at a repository, to the hour: one write an hour and process, not one a request."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from runtime.tenancy import TenantDatabase

EVERY = timedelta(hours=1)
_MOST = 20_000  # repositories that a process remembers; then it begins anew
_LOOK = text("""
INSERT INTO app.looks AS l (repository_id, tenant_id, looked_at) VALUES (:repository, :tenant, :at)
ON CONFLICT (repository_id) DO UPDATE SET looked_at = greatest(l.looked_at, excluded.looked_at)
""")
_OF_ANALYSIS = text("SELECT repository_id FROM app.analyses WHERE analysis_id = :analysis AND tenant_id = :tenant")


class Looks:
    """The table `app.looks`."""

    def __init__(self, database: TenantDatabase, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[UUID, datetime] = {}

    async def note_analysis(self, tenant_id: UUID, analysis_id: UUID) -> None:
        """The same by an analysis of it; one that the read model does not know yet was just asked for anyway."""
        now = self._clock()
        before = self._noted.get(analysis_id)
        if before is not None and now - before < EVERY:
            return
        async with self._database.of(tenant_id) as connection:
            values = {"analysis": analysis_id, "tenant": tenant_id}
            found = (await connection.execute(_OF_ANALYSIS, values)).scalar_one_or_none()
        if found is not None:
            await self.note(tenant_id, found)
            self._noted[analysis_id] = now

    async def note(self, tenant_id: UUID, repository_id: UUID) -> None:
        """Somebody of the tenant, whose repository it is, looks at it."""
        now = self._clock()
        before = self._noted.get(repository_id)
        if before is not None and now - before < EVERY:
            return
        async with self._database.of(tenant_id) as connection:
            values = {"repository": repository_id, "tenant": tenant_id, "at": now}
            await connection.execute(_LOOK, values)
        if len(self._noted) >= _MOST:
            self._noted.clear()
        self._noted[repository_id] = now
