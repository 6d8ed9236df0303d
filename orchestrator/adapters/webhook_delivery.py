"""Delivers: claims what is due, sends it, records how it went. Any number of processes; at least once.

An attempt that a process did not live to record is made again when its claim runs out.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.adapters.webhook_post import SECONDS, Answer, WebhookPost
from orchestrator.webhooks.policy import next_delay, why_disabled
from orchestrator.webhooks.signature import signed_headers
from orchestrator.webhooks.target import read_target
from runtime.faults import Permanent
from runtime.sealing import Sealer

_log = structlog.get_logger(__name__)
_SIDE_BY_SIDE = 16
_OF_ONE = 2  # attempts at one webhook at a time: a slow one holds up no other
_OF_TENANT = 3  # attempts of one tenant that are under way, and none more is taken up: the others' go on
_CLAIM = SECONDS + 5  # seconds after which an attempt that nobody recorded is made again
_POLL = 1.0
_SWEEP_EVERY = 3_600.0
_SWEEP = text("""
DELETE FROM app.webhook_deliveries d USING app.webhooks w
WHERE w.webhook_id = d.webhook_id AND d.created_at < now() - interval '30 days'
  AND (d.state <> 'pending' OR NOT w.enabled)
""")
_TAKE = text("""
WITH due AS (
  SELECT d.delivery_id FROM app.webhook_deliveries d JOIN app.webhooks w USING (webhook_id)
  WHERE d.state = 'pending' AND d.due_at <= now() AND w.enabled AND NOT (w.webhook_id = ANY (:busy))
    AND NOT (w.tenant_id = ANY (:busy_tenants))
  ORDER BY d.due_at LIMIT 1 FOR UPDATE OF d SKIP LOCKED
)
UPDATE app.webhook_deliveries d SET due_at = now() + make_interval(secs => :claim), attempts = d.attempts + 1,
  round = d.round + 1
FROM due, app.webhooks w WHERE d.delivery_id = due.delivery_id AND w.webhook_id = d.webhook_id
RETURNING d.delivery_id, d.webhook_id, d.tenant_id, d.payload, d.attempts, d.round, w.url, w.secret
""")
_RECORD = text("""
INSERT INTO app.webhook_attempts (delivery_id, number, tenant_id, at, duration, status, code, answer)
SELECT :delivery, :number, :tenant, :at, :duration, :status, :code, :answer
WHERE EXISTS (SELECT FROM app.webhook_deliveries WHERE delivery_id = :delivery) ON CONFLICT DO NOTHING
""")
_SETTLE = text("""
UPDATE app.webhook_deliveries SET state = :state, due_at = now() + make_interval(secs => :delay)
WHERE delivery_id = :delivery AND attempts = :number AND round > 0
""")
_WELL = text("UPDATE app.webhooks SET failing_since = NULL WHERE webhook_id = :webhook AND failing_since IS NOT NULL")
_ILL = text("""
UPDATE app.webhooks SET failing_since = coalesce(failing_since, :at) WHERE webhook_id = :webhook RETURNING failing_since
""")
_DISABLE = text("UPDATE app.webhooks SET enabled = false, disabled_reason = :reason WHERE webhook_id = :webhook")


class WebhookDelivery:
    """Runs in the background of each orchestrator."""

    def __init__(self, engine: AsyncEngine, sealer: Sealer | None, *, loopback: bool) -> None:
        """`engine` is one of a role that works for all tenants."""
        self._engine = engine
        self._sealer = sealer
        self._loopback = loopback
        self._running: dict[asyncio.Task[None], Row[Any]] = {}

    async def run(self) -> None:
        """Deliver until cancelled or the database is away: then call it again."""
        post = WebhookPost()
        try:
            swept = -_SWEEP_EVERY
            while True:
                if time.monotonic() - swept >= _SWEEP_EVERY:
                    await self._sweep()
                    swept = time.monotonic()
                row = await self._take() if len(self._running) < _SIDE_BY_SIDE else None
                if row is None:
                    await asyncio.sleep(_POLL)
                    continue
                task = asyncio.create_task(self._deliver(row, post), name=f"webhook {row.delivery_id}")
                self._running[task] = row
                task.add_done_callback(self._running.pop)
        finally:
            for task in [*self._running]:
                task.cancel()  # its claim runs out, and it is sent again
            await asyncio.gather(*self._running, return_exceptions=True)
            await post.close()

    async def _sweep(self) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(_SWEEP)

    async def _take(self) -> Row[Any] | None:
        """One that is due. More at once could be more of one webhook, or of one tenant, than may be under way."""
        at_work = [*self._running.values()]
        keys = {
            "busy": _busy([row.webhook_id for row in at_work], _OF_ONE),
            "busy_tenants": _busy([row.tenant_id for row in at_work], _OF_TENANT),
        }
        async with self._engine.begin() as connection:
            return (await connection.execute(_TAKE, {**keys, "claim": _CLAIM})).one_or_none()

    async def _deliver(self, row: Row[Any], post: WebhookPost) -> None:
        try:
            at = datetime.now(UTC)
            answer, duration = await self._attempt(row, at, post)
            await self._settle(row, at, answer, duration)
        except Exception as error:  # noqa: BLE001  # whatever it was, the claim runs out and it is tried again
            _log.warning("webhook_attempt_lost", delivery=str(row.delivery_id), error=repr(error)[:500])

    async def _attempt(self, row: Row[Any], at: datetime, post: WebhookPost) -> tuple[Answer, float]:
        try:
            target = read_target(row.url, loopback=self._loopback)
        except Permanent as error:  # allowed when it was made, and not any more
            return Answer(None, error.code), 0.0
        try:
            secret = self._sealer.open(row.secret) if self._sealer is not None else None
        except ValueError:
            secret = None
        if secret is None:
            return Answer(None, "webhook_secret_lost"), 0.0
        body = row.payload.encode()
        return await post.send(target, signed_headers(secret, row.delivery_id, int(at.timestamp()), body), body)

    async def _settle(self, row: Row[Any], at: datetime, answer: Answer, duration: float) -> None:
        delay = next_delay(row.round, random.random()) if answer.code else None  # noqa: S311  # jitter
        state = "delivered" if not answer.code else ("pending" if delay is not None else "failed")
        key = {"delivery": row.delivery_id, "number": row.attempts, "webhook": row.webhook_id}
        how = {"tenant": row.tenant_id, "at": at, "duration": duration, "status": answer.status}
        async with self._engine.begin() as connection:
            await connection.execute(_RECORD, {**key, **how, "code": answer.code, "answer": answer.text})
            await connection.execute(_SETTLE, {**key, "state": state, "delay": delay or 0.0})
            if not answer.code:
                await connection.execute(_WELL, key)
                return
            failing_since = (await connection.execute(_ILL, {**key, "at": at})).scalar_one_or_none()
            reason = (
                why_disabled(answer.status, over=delay is None, failing_since=failing_since, now=at)
                if failing_since is not None
                else None
            )
            if reason is not None:
                await connection.execute(_DISABLE, {**key, "reason": reason})
                _log.warning("webhook_disabled", webhook=str(row.webhook_id), reason=reason)


def _busy(at_work: Sequence[UUID], limit: int) -> list[UUID]:
    return [one for one, count in Counter(at_work).items() if count >= limit]
