"""What a shadow made beside what serves: compared once its runs have ended, and kept as a report."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.log.journal import Journal
from events.processing import Stage, StageCompleted
from events.replay.difference import difference
from events.replay.sandbox import TRIES
from events.replay.tables import Compared, kinds_in
from orchestrator.adapters.shadows import RUNS, WORKFLOW, content_of
from orchestrator.projections.forks import Fork, fork
from orchestrator.workflow.evolve import replay
from orchestrator.workflow.graph import is_done
from orchestrator.workflow.policy import Policy
from runtime.faults import Fault
from runtime.objects import Objects
from runtime.parquet import read_table

_log = structlog.get_logger(__name__)

_POLL = 1.0  # seconds between two looks at what has ended
_DAYS = 7  # then a shadow goes by itself
_MOST = 200  # lines of decisions, and changes of facts
_EXPIRE = text("DELETE FROM sandbox.shadows WHERE asked_at < clock_timestamp() - make_interval(days => :days)")
_PARK = text("""
UPDATE sandbox.runs SET state = 'failed', code = 'parked', message = 'Its worker ended each time.'
WHERE state = 'asked' AND tries >= :tries AND held_until < clock_timestamp()
""")
_ENDED = text("""
SELECT shadow_id, analysis_id, stage FROM sandbox.shadows s
WHERE state = 'asked' AND NOT EXISTS (SELECT FROM sandbox.runs r WHERE r.shadow_id = s.shadow_id AND r.state = 'asked')
ORDER BY asked_at FOR UPDATE SKIP LOCKED LIMIT 1
""")
_END = text("""
UPDATE sandbox.shadows
SET state = :state, code = :code, message = :message, report = CAST(:report AS jsonb), ended_at = clock_timestamp()
WHERE shadow_id = :shadow
""")


class ShadowReports:
    """`engine` is the background's. What is live is only read."""

    def __init__(self, engine: AsyncEngine, journal: Journal, objects: Objects) -> None:
        self._engine = engine
        self._journal = journal
        self._objects = objects

    async def run(self) -> None:
        """Compare what has ended, for ever."""
        while True:
            if not await self.finish_next():
                await asyncio.sleep(_POLL)

    async def finish_next(self) -> bool:
        """Compare the next shadow all of whose runs have ended; whether there was one."""
        async with self._engine.begin() as connection:
            await connection.execute(_EXPIRE, {"days": _DAYS})
            await connection.execute(_PARK, {"tries": TRIES})
        async with self._engine.begin() as connection:
            ended = (await connection.execute(_ENDED)).first()
            if ended is None:
                return False
            await self._finish(connection, ended)
        return True

    async def _finish(self, connection: AsyncConnection, ended: Row[Any]) -> None:
        runs = list(await connection.execute(RUNS, {"shadow": ended.shadow_id}))
        failed = next((run for run in runs if run.state == "failed"), None)
        code, message = (failed.code, failed.message) if failed is not None else (None, None)
        report: dict[str, Any] = {}
        try:
            if failed is None:
                report = await self._report(connection, ended, runs)
        except (SQLAlchemyError, OSError, TimeoutError):
            raise  # the database is away: it still waits to be compared
        except Fault as fault:
            code, message = fault.code, fault.message
        except Exception as error:  # noqa: BLE001  # what keeps it from being compared is what is told of it
            _log.warning("shadow_not_compared", shadow=str(ended.shadow_id), error=repr(error)[:500])
            code, message = "internal_error", "It could not be compared. The log of the service says why."
        values = {"state": "failed" if code else "done", "code": code, "message": message}
        await connection.execute(_END, values | {"shadow": ended.shadow_id, "report": json.dumps(report)})

    async def _report(self, connection: AsyncConnection, ended: Row[Any], runs: Sequence[Row[Any]]) -> dict[str, Any]:
        history = await self._journal.read_stream(f"analysis/{ended.analysis_id}")
        if ended.stage == WORKFLOW:
            return told_of(await asyncio.to_thread(fork, history, 1, {}, Policy()))
        state, stage = replay(history), Stage(ended.stage)
        live = {slot.shard: slot for slot in state.of(stage) if is_done(slot)}
        found: dict[ArtifactKind, Compared] = {}
        changes: list[dict[str, object]] = []
        counts: dict[str, dict[str, int]] = {"live": {}, "shadow": {}}
        extracted = _extracted(history, stage)
        for run in runs:
            done = StageCompleted.model_validate_json(run.result)
            slot = live[run.shard]
            for side, numbers in (("live", slot.counts), ("shadow", done.counts)):
                for name, number in numbers.items():
                    counts[side][name] = counts[side].get(name, 0) + number
            before = {"facts": dict(slot.facts), "metadata_extracted": extracted.get(run.shard, {})}
            after = {"facts": done.facts, "metadata_extracted": done.metadata_extracted}
            changes += [{"shard": run.shard, **one._asdict()} for one in difference(before, after)]

            async def made(kind: ArtifactKind, shard: int = run.shard) -> bytes:
                return await content_of(connection, ended.shadow_id, shard, kind)

            await self._compare(found, slot.artifacts, done.artifacts, made)
        tables = {kind.value: asdict(each) for kind, each in found.items()}
        agrees = not changes and all(each.same == each.live == each.shadow for each in found.values())
        return {"agrees": agrees, "tables": tables, "counts": counts, "facts": changes[:_MOST]}

    async def _compare(
        self,
        found: dict[ArtifactKind, Compared],
        live: Sequence[ArtifactRef],
        shadow: Sequence[ArtifactRef],
        made: Callable[[ArtifactKind], Awaitable[bytes]],
    ) -> None:
        """Compare the artifacts of one shard; what has the same bytes is not read."""
        sides = [{(ref.kind, ref.shard): ref for ref in refs} for refs in (live, shadow)]
        for key in kinds_in(*sides):
            each, (old, new) = found.setdefault(key[0], Compared()), (sides[0].get(key), sides[1].get(key))
            if old is not None and new is not None and old.sha256 == new.sha256:
                each.equal(old.rows)
                continue
            before = await self._objects.get(old.key, old.sha256) if old is not None else None
            after = await made(key[0]) if new is not None else None
            await asyncio.to_thread(_add, each, key[0], before, after)


def _add(compared: Compared, kind: ArtifactKind, before: bytes | None, after: bytes | None) -> None:
    live = read_table(before) if before is not None else None
    compared.add(kind, live, read_table(after) if after is not None else None)


def _extracted(history: Sequence[Envelope], stage: Stage) -> Mapping[int, Mapping[str, object]]:
    """What the newest result of each shard extracted, which the workflow does not keep."""
    found = {}
    for envelope in history:
        if envelope.event_type == StageCompleted.event_type and envelope.stage == stage.value:
            event = StageCompleted.model_validate(envelope.data)
            found[event.shard] = event.metadata_extracted
    return found


def told_of(made: Fork) -> dict[str, Any]:
    """What the present code decides on the whole record, as a report has it."""
    differing = [asdict(each) for each in made.decisions if not each.agrees]
    return {
        "agrees": made.agrees,
        "decided": len(made.decisions),
        "decisions": differing[:_MOST],
        "not_recorded": [asdict(each) for each in made.not_recorded[:_MOST]],
    }
