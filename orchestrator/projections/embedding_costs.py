"""What embedding by a provider cost, for a tenant's quota of money.

It stays when the analysis goes: what was spent of a month is spent. What another installation paid for came with a
bundle, whose events end with the one that says so.
"""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from events.processing import ProcessingImported, StageCompleted, StageFailed

_COUNT = text(f"""
INSERT INTO app.embedding_costs (event_id, tenant_id, embedded_at, cost_usd)
SELECT :event_id, :tenant_id, :at, CAST(:cost AS numeric)
WHERE CAST(:at AS timestamptz) > clock_timestamp() - interval '32 days' AND NOT EXISTS (
  SELECT FROM es.events
  WHERE stream_id = :stream AND version > :version AND type = '{ProcessingImported.event_type}'
)
ON CONFLICT DO NOTHING
""")  # noqa: S608  # our own name
# A team that only analyses asks nothing, by which its rows would go, too.
_FORGET = text("""
DELETE FROM app.embedding_costs
WHERE tenant_id = ANY (:tenants) AND embedded_at < clock_timestamp() - interval '32 days'
""")


async def count_embedding(connection: AsyncConnection, envelopes: Iterable[Envelope]) -> None:
    """Put down what the stages among `envelopes` paid; what is too old for any quota is let go."""
    paid = [_paid(envelope, cost) for envelope in envelopes if (cost := cost_of(envelope)) > 0]
    if paid:
        await connection.execute(_COUNT, paid)
        await connection.execute(_FORGET, {"tenants": list({each["tenant_id"] for each in paid})})


def cost_of(envelope: Envelope) -> float:
    """Dollars that a stage paid a provider until it was done or failed; 0 for every other event. Pure."""
    if envelope.event_type == StageFailed.event_type:
        said: object = envelope.data
    else:
        said = envelope.data.get("facts") if envelope.event_type == StageCompleted.event_type else None
    cost = said.get("cost_usd") if isinstance(said, dict) else None
    return float(cost) if isinstance(cost, int | float) else 0.0


def _paid(envelope: Envelope, cost: float) -> dict[str, object]:
    return {
        "event_id": envelope.event_id,
        "tenant_id": envelope.tenant_id,
        "at": envelope.timestamp,
        "cost": cost,
        "stream": envelope.stream_id,
        "version": envelope.version,
    }
