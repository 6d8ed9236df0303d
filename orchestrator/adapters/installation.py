"""How the installation does, for its administrators: services, queues, what each team uses, and its settings."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.catalog import CONSUMERS
from events.delivery.queues import Backlog, Queue, backlog, queues
from orchestrator.adapters.usage import Usage
from orchestrator.limits.quotas import Amounts
from runtime.health import lacking
from runtime.settings_check import ALL, check, classes_of
from runtime.settings_rules import Finding

_SECONDS = 4.0  # a service's own checks take two at the most
_TEAMS = text("""
    SELECT t.tenant_id, t.name, t.personal, t.created_at,
      (SELECT count(*) FROM auth.members m WHERE m.tenant_id = t.tenant_id) AS people
    FROM auth.tenants t WHERE t.deleted_at IS NULL
      AND (CAST(:at AS timestamptz) IS NULL OR (t.created_at, t.tenant_id) < (:at, CAST(:last AS uuid)))
    ORDER BY t.created_at DESC, t.tenant_id DESC LIMIT :limit
""")


@dataclass(frozen=True)
class ServiceState:
    """Whether a service is ready, by its own `/readyz`; `reason` says why not."""

    name: str
    ready: bool
    reason: str


@dataclass(frozen=True)
class TeamUse:
    """A team, and what it has of each thing that is counted."""

    tenant_id: UUID
    name: str
    personal: bool
    created_at: datetime
    people: int
    used: Amounts


class Installation:
    """Looks at what serves. Holds nothing of any team but numbers and its name."""

    def __init__(self, engine: AsyncEngine, redis: Redis, usage: Usage, urls: Mapping[str, str]) -> None:
        """`urls` has the address of each service that can be asked, by its name."""
        self._engine = engine
        self._redis = redis
        self._usage = usage
        self._urls = urls

    async def services(self) -> list[ServiceState]:
        """Each service as it answers now, all asked at once."""
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False, follow_redirects=False) as client:
            return list(await asyncio.gather(*(_asked(client, name, url) for name, url in self._urls.items())))

    async def queues(self) -> list[Queue]:
        """Every queue of work. Raises RedisError where the transport does not answer."""
        return await queues(self._redis, CONSUMERS)

    async def backlog(self) -> Backlog:
        """What is committed and waits for its place in the feed."""
        return await backlog(self._engine)

    async def teams(self, after: tuple[datetime, UUID] | None, limit: int, at: datetime) -> list[TeamUse]:
        """Teams, the newest first, with what they have at `at`."""
        place, last = after or (None, None)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_TEAMS, {"at": place, "last": last, "limit": limit})).all()
        return [TeamUse(**row._mapping, used=await self._usage.of(row.tenant_id, at)) for row in rows]

    def settings(self) -> list[Finding]:
        """What is set for this service, and what is wrong with it; never a secret's value."""
        every = [(ALL, cls) for cls in classes_of("runtime")]
        return list(check([*every, *(("orchestrator", cls) for cls in classes_of("orchestrator"))]))


async def _asked(client: httpx.AsyncClient, name: str, url: str) -> ServiceState:
    try:
        reply = await client.get(f"{url}/readyz")
        said: Any = reply.json()
    except httpx.TimeoutException:
        return ServiceState(name, ready=False, reason=f"does not answer within {_SECONDS:g} s")
    except (httpx.HTTPError, ValueError) as error:
        return ServiceState(name, ready=False, reason=f"does not answer: {type(error).__name__}")
    missing = lacking(reply.status_code, said)
    return ServiceState(name, ready=not missing, reason=missing)
