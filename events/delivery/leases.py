"""Leases: who works on a long run, for how long, and with which fencing token. All time is the database's."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope, derived_id
from events.catalog import CONSUMERS

_ACQUIRE = text("SELECT es.acquire_lease(:run_id, :worker, :seconds)")
_EXTEND = text("""
WITH kept AS (
  UPDATE es.leases SET expires_at = clock_timestamp() + make_interval(secs => :seconds)
  WHERE run_id = :run_id AND token = :token
  RETURNING token
)
SELECT EXISTS (SELECT FROM kept)
""")
_IS_HELD = text("SELECT EXISTS (SELECT FROM es.leases WHERE run_id = :run_id AND expires_at >= clock_timestamp())")
_SHARING = frozenset(name for names in CONSUMERS.values() if len(names) > 1 for name in names)
_RELEASE = text("DELETE FROM es.leases WHERE run_id = :run_id AND token = :token RETURNING token")


class LeaseLost(Exception):
    """Another worker has the run now; what this one did must not be recorded."""


def run_id_of(envelope: Envelope, consumer: str) -> UUID:
    """What the lease of a message is for: the run that it names, else the message itself.

    Where several consumers work on the same messages, each has a lease of its own: none waits for another's.
    """
    run_id = envelope.data.get("run_id")
    if run_id:
        return UUID(str(run_id))
    return derived_id("lease", consumer, envelope.event_id) if consumer in _SHARING else envelope.event_id


async def acquire(connection: AsyncConnection, run_id: UUID, worker: str, seconds: float) -> int | None:
    """The new, larger token; None while somebody else's lease runs."""
    values = {"run_id": run_id, "worker": worker, "seconds": seconds}
    token: int | None = (await connection.execute(_ACQUIRE, values)).scalar_one_or_none()
    return token


async def extend(connection: AsyncConnection, run_id: UUID, token: int, seconds: float) -> bool:
    """Whether the lease is still ours; then it runs for another `seconds`."""
    values = {"run_id": run_id, "token": token, "seconds": seconds}
    return bool((await connection.execute(_EXTEND, values)).scalar_one())


async def is_held(connection: AsyncConnection, run_id: UUID) -> bool:
    """Whether somebody's lease of the run has not run out."""
    return bool((await connection.execute(_IS_HELD, {"run_id": run_id})).scalar_one())


async def release(connection: AsyncConnection, run_id: UUID, token: int) -> None:
    """Give the lease up. Raises LeaseLost where it is not ours: whatever else the transaction did must not commit."""
    values = {"run_id": run_id, "token": token}
    if (await connection.execute(_RELEASE, values)).scalar_one_or_none() is None:
        raise LeaseLost(f"run {run_id}: token {token} is not the newest")
