"""Webhooks of a tenant: kept, listed, changed, and their deliveries looked at and asked for again."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestrator.api.problems import ApiProblem
from orchestrator.api.webhook_models import AttemptView, DeliveryView, WebhookSecretView, WebhookView
from orchestrator.auth.identity import Identity
from orchestrator.webhooks.signature import SECRET_BYTES, shown
from runtime.sealing import Sealer
from runtime.tenancy import TenantDatabase

MOST = 20  # of one tenant
_COLUMNS = "webhook_id, url, events, enabled, disabled_reason, failing_since, created_at"
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || :tenant, 0))")
_COUNT = text("SELECT count(*) FROM app.webhooks")
_ADD = text(f"""
INSERT INTO app.webhooks (webhook_id, tenant_id, url, events, secret, enabled, since_seq, created_at, created_by)
SELECT :id, :tenant, :url, :events, :secret, true, seq, :at, :user FROM es.feed_head RETURNING {_COLUMNS}
""")  # noqa: S608  # our own column names
_LIST = text(f"SELECT {_COLUMNS} FROM app.webhooks ORDER BY created_at, webhook_id")  # noqa: S608  # the same
_CHANGE = text(f"""
UPDATE app.webhooks SET url = coalesce(:url, url), events = coalesce(CAST(:events AS text[]), events),
  enabled = coalesce(:enabled, enabled),
  disabled_reason = CASE WHEN :enabled IS NULL THEN disabled_reason END,
  failing_since = CASE WHEN :enabled THEN NULL ELSE failing_since END
WHERE webhook_id = :id RETURNING {_COLUMNS}
""")  # noqa: S608  # the same
_EXISTS = text("SELECT webhook_id FROM app.webhooks WHERE webhook_id = :id")
_REMOVE = text("DELETE FROM app.webhooks WHERE webhook_id = :id RETURNING webhook_id")
_DELIVERIES = text("""
SELECT delivery_id, type, state, attempts, created_at, CASE WHEN state = 'pending' THEN due_at END AS due_at
FROM app.webhook_deliveries
WHERE webhook_id = :id AND (CAST(:at AS timestamptz) IS NULL OR (created_at, delivery_id) < (:at, CAST(:last AS uuid)))
ORDER BY created_at DESC, delivery_id DESC LIMIT :limit
""")
_ATTEMPTS = text("""
SELECT delivery_id, number, at, duration, status, code, answer FROM app.webhook_attempts
WHERE delivery_id = ANY (:ids) ORDER BY number
""")
_AGAIN = text("""
UPDATE app.webhook_deliveries SET state = 'pending', round = 0, due_at = now()
WHERE delivery_id = :delivery AND webhook_id = :id
  AND (state <> 'pending' OR round > 0)
RETURNING delivery_id, type, state, attempts, created_at, due_at
""")
_ONE = text("SELECT state FROM app.webhook_deliveries WHERE delivery_id = :delivery AND webhook_id = :id")


class WebhookTable:
    """The statements of one tenant's requests."""

    def __init__(self, database: TenantDatabase, sealer: Sealer | None) -> None:
        self._database = database
        self._sealer = sealer

    async def add(self, who: Identity, url: str, events: list[str], at: datetime) -> WebhookSecretView:
        """A new webhook with its secret. Raises ApiProblem `too_many_webhooks`, `credentials_not_kept`."""
        if self._sealer is None:
            raise ApiProblem("credentials_not_kept", "Set REPOSTREAM_SECRET_KEY: without it no secret can be stored.")
        secret = secrets.token_bytes(SECRET_BYTES)
        values = {"id": uuid4(), "tenant": who.tenant_id, "user": who.user_id, "url": url, "events": events, "at": at}
        async with self._database.of(who.tenant_id) as connection:
            await connection.execute(_LOCK, {"tenant": str(who.tenant_id)})
            if (await connection.execute(_COUNT)).scalar_one() >= MOST:
                raise ApiProblem("too_many_webhooks", f"Remove one first: a tenant has at most {MOST}.")
            row = (await connection.execute(_ADD, {**values, "secret": self._sealer.seal(secret)})).one()
        return WebhookSecretView(**row._mapping, secret=shown(secret))

    async def all(self, tenant: UUID) -> list[WebhookView]:
        """All of a tenant's."""
        async with self._database.of(tenant) as connection:
            return [WebhookView(**row._mapping) for row in await connection.execute(_LIST)]

    async def change(self, tenant: UUID, webhook_id: UUID, change: Mapping[str, object]) -> WebhookView:
        """Change what `change` names (url, events, enabled). Raises ApiProblem `not_found`."""
        values = {"url": None, "events": None, "enabled": None} | dict(change) | {"id": webhook_id}
        async with self._database.of(tenant) as connection:
            return WebhookView(**await _found(connection, _CHANGE, values))

    async def remove(self, tenant: UUID, webhook_id: UUID) -> None:
        """Remove a webhook and what it was told. Raises ApiProblem `not_found`."""
        async with self._database.of(tenant) as connection:
            await _found(connection, _REMOVE, {"id": webhook_id})

    async def deliveries(
        self, tenant: UUID, webhook_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[DeliveryView]:
        """Deliveries with their attempts, newest first. Raises ApiProblem `not_found`."""
        at, last = after if after is not None else (None, None)
        values = {"id": webhook_id, "at": at, "last": last, "limit": limit}
        async with self._database.of(tenant) as connection:
            await _found(connection, _EXISTS, {"id": webhook_id})
            rows = await connection.execute(_DELIVERIES, values)
            found = {row.delivery_id: DeliveryView(**row._mapping) for row in rows}
            for row in await connection.execute(_ATTEMPTS, {"ids": [*found]}):
                found[row.delivery_id].log.append(AttemptView(**row._mapping))
        return [*found.values()]

    async def again(self, tenant: UUID, webhook_id: UUID, delivery_id: UUID) -> DeliveryView:
        """Have a delivery attempted again at once. Raises ApiProblem `not_found`, `delivery_waiting`."""
        values = {"id": webhook_id, "delivery": delivery_id}
        async with self._database.of(tenant) as connection:
            row = (await connection.execute(_AGAIN, values)).first()
            if row is None:
                await _found(connection, _ONE, values)
                raise ApiProblem("delivery_waiting", "It is about to be sent: look again in a moment.")
            return DeliveryView(**row._mapping)


async def _found(connection: AsyncConnection, statement: Any, values: Mapping[str, object]) -> dict[str, Any]:  # noqa: ANN401  # text()
    row = (await connection.execute(statement, values)).first()
    if row is None:
        raise ApiProblem("not_found", "Check the id: nothing of yours has it.")
    return dict(row._mapping)
