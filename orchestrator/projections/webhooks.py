"""Puts down what is to be delivered, in the transaction of the cursor: each event once for each webhook."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from orchestrator.projections.deleted import without_deleted
from orchestrator.projections.runner import Step, nothing
from orchestrator.webhooks.messages import body_of, told_of

_PUT = text("""
INSERT INTO app.webhook_deliveries
  (delivery_id, webhook_id, tenant_id, type, payload, state, attempts, round, created_at, due_at)
SELECT md5(webhook_id || :event)::uuid, webhook_id, tenant_id, :type, :payload, 'pending', 0, 0, now(), now()
FROM app.webhooks
WHERE tenant_id = :tenant AND enabled AND :type = ANY (events) AND since_seq < :seq ON CONFLICT DO NOTHING
""")


class Webhooks:
    """The projection `webhooks`. Its rows are not derived alone (they were sent), so they are never cleared."""

    name = "webhooks"
    version = 1
    batch = 500

    async def prepare(self, envelopes: Sequence[Envelope]) -> Step:
        """All of them are taken; most are told to nobody."""
        told = {envelope.event_id: kind for envelope in envelopes if (kind := told_of(envelope)) is not None}
        if not told:
            return Step(len(envelopes), nothing)

        async def write(connection: AsyncConnection) -> None:
            present = [envelope for envelope in envelopes if envelope.event_id in told]
            for envelope in await without_deleted(connection, present):
                kind = told[envelope.event_id]
                values = {"tenant": envelope.tenant_id, "event": str(envelope.event_id), "seq": envelope.seq}
                await connection.execute(_PUT, {**values, "type": kind.value, "payload": body_of(envelope, kind)})

        return Step(len(envelopes), write)

    async def clear(self, connection: AsyncConnection) -> None:
        """Keep the rows: projected again, each is there already."""
