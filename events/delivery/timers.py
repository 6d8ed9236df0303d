"""Timers: rows that become `timer.fired` events when they are due. Set and fired in transactions, so none is lost."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Context, Draft, derived_id
from events.delivery.work import Timer
from events.log.postgres import append_in
from events.processing import TimerFired

_SET = text("""
INSERT INTO es.timers (timer_id, stream_id, due_at, kind, data, context)
VALUES (:timer_id, :stream_id, :due_at, :kind, CAST(:data AS jsonb), CAST(:context AS jsonb))
ON CONFLICT DO NOTHING
""")
_TAKE_DUE = text("""
DELETE FROM es.timers WHERE timer_id IN (
  SELECT timer_id FROM es.timers WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
RETURNING timer_id, stream_id, due_at, kind, data::text AS data, context::text AS context, clock_timestamp() AS now
""")


async def set_timers(connection: AsyncConnection, timers: Sequence[Timer], context: Context) -> None:
    """Write timers in the caller's transaction; one that is set already stays as it is."""
    if not timers:
        return
    rows = [
        {
            "timer_id": timer.timer_id,
            "stream_id": timer.stream_id,
            "due_at": timer.due_at,
            "kind": timer.kind,
            "data": json.dumps(timer.data),
            "context": context.model_dump_json(),
        }
        for timer in timers
    ]
    await connection.execute(_SET, rows)


async def fire_due(engine: AsyncEngine, *, limit: int = 100) -> int:
    """Append `timer.fired` for what is due by the database's clock; how many. Any number of processes may do so."""
    async with engine.begin() as connection:
        rows = (await connection.execute(_TAKE_DUE, {"limit": limit})).all()
        for row in sorted(rows, key=lambda row: row.stream_id):
            await append_in(connection, row.stream_id, [_fired(row, row.now)])
        return len(rows)


def _fired(row: Row[Any], now: datetime) -> Draft:
    """A timer that is set again after it fired would give the same event id, and so fire once in all."""
    return Draft(
        event_id=derived_id("timer", row.timer_id),
        occurred_at=now,
        context=Context.model_validate_json(row.context),
        event=TimerFired(timer_id=row.timer_id, kind=row.kind, data=json.loads(row.data)),
    )
