"""Change something of a tenant and say so in its log, in one transaction."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Context, Draft, Event
from events.log.postgres import append_in
from events.log.wake import Wake
from runtime.tenancy import TenantDatabase


class Facts:
    """Transactions of tenants, and the events that they end with."""

    def __init__(self, engine: AsyncEngine, wake: Wake, clock: Callable[[], datetime]) -> None:
        self.rows = TenantDatabase(engine)
        self._wake = wake
        self._clock = clock

    @asynccontextmanager
    async def of(self, tenant_id: UUID) -> AsyncIterator[AsyncConnection]:
        """A transaction of the tenant; the pump is woken once it is committed."""
        async with self.rows.of(tenant_id) as connection:
            yield connection
        self._wake.appended()

    async def say(self, connection: AsyncConnection, stream_id: str, event: Event, context: Context) -> None:
        """Append `event` to a stream of the transaction's tenant."""
        draft = Draft(event_id=uuid4(), occurred_at=self._clock(), context=context, event=event)
        await append_in(connection, stream_id, [draft])

    async def say_of_tenant(self, connection: AsyncConnection, event: Event, context: Context) -> None:
        """Append `event` to the stream of the tenant that `context` names."""
        await self.say(connection, f"tenant/{context.tenant_id}", event, context)
