"""What a shadow made beside what serves: compared once its runs have ended, and kept as a report.

A comparison that ends its process, or takes too long, is begun again behind those that wait, and given up at last.
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.log.journal import Journal
from events.log.wake import Wake
from events.processing import Stage, StageCompleted
from events.replay.difference import difference
from events.replay.fork import BadFork
from events.replay.sandbox import ANSWER, TRIES
from events.replay.tables import Compared, kinds_in
from orchestrator.adapters.promoting_shadows import RUNS, WORKFLOW, content_of
from orchestrator.projections.forks import Fork, fork
from orchestrator.workflow.evolve import replay
from orchestrator.workflow.graph import is_done
from orchestrator.workflow.policy import Policy
from orchestrator.workflow.shadowed import OUTDATED, recorded_by, stands
from orchestrator.workflow.state import AnalysisState
from runtime.faults import Fault, Permanent, Transient
from runtime.objects import Objects

_log = structlog.get_logger(__name__)

_POLL = 1.0  # seconds between two looks at what has ended
_DAYS = 7  # then a shadow goes by itself
_MOST = 200  # lines of decisions, and changes of facts
_MOST_ROWS = 500_000  # of one artifact: about 100 MB of hashes, and a minute of a core
_HELD = 300.0  # seconds that a comparison may take; then another one may begin
_NOT_COMPARED = Permanent("shadow_not_compared", "It could not be compared. The log of the service says why.")
_EXPIRE = text("DELETE FROM sandbox.shadows WHERE asked_at < clock_timestamp() - make_interval(days => :days)")
_PARK = text("""
UPDATE sandbox.runs SET state = 'failed', code = 'parked', message = 'Its worker ended each time.'
WHERE state = 'asked' AND tries >= :tries AND held_until < clock_timestamp()
""")
_GIVE_UP = text("""
UPDATE sandbox.shadows SET state = 'failed', code = :code, message = :message, ended_at = clock_timestamp()
WHERE state = 'asked' AND tries >= :tries AND held_until < clock_timestamp()
""")
_CLAIM = text("""
UPDATE sandbox.shadows s SET tries = s.tries + 1, held_until = clock_timestamp() + make_interval(secs => :held)
FROM (
  SELECT shadow_id FROM sandbox.shadows a
  WHERE state = 'asked' AND tries < :tries AND (held_until IS NULL OR held_until < clock_timestamp())
    AND NOT EXISTS (SELECT FROM sandbox.runs r WHERE r.shadow_id = a.shadow_id AND r.state = 'asked')
  ORDER BY tries, -- then the tenant whose turn was longest ago
    (SELECT max(held_until) FROM sandbox.shadows t WHERE t.tenant_id = a.tenant_id) NULLS FIRST, asked_at
  FOR UPDATE SKIP LOCKED LIMIT 1
) next WHERE s.shadow_id = next.shadow_id
RETURNING s.shadow_id, s.analysis_id, s.stage, s.tries, s.base::text AS base
""")
_SAME = text("DELETE FROM sandbox.artifacts WHERE shadow_id = :shadow AND shard = :shard AND kind = ANY(:kinds)")
_END = text("""
UPDATE sandbox.shadows
SET state = :state, code = :code, message = :message, report = CAST(:report AS jsonb), ended_at = clock_timestamp()
WHERE shadow_id = :shadow AND tries = :tries AND state = 'asked'
""")


class ShadowReports:
    """`engine` is the background's. What is live is only read."""

    def __init__(self, engine: AsyncEngine, journal: Journal, objects: Objects, wake: Wake) -> None:
        self._engine = engine
        self._journal = journal
        self._objects = objects
        self._wake = wake

    async def run(self) -> None:
        """Compare what has ended, for ever."""
        while True:
            if not await self.finish_next():
                await asyncio.sleep(_POLL)

    async def finish_next(self) -> bool:
        """Compare the next shadow all of whose runs have ended; whether there was one.

        No row is locked meanwhile: a shadow that is dropped is gone, and what is found of it is written nowhere.
        """
        given_up = {"code": _NOT_COMPARED.code, "message": _NOT_COMPARED.message, "tries": TRIES}
        async with self._engine.begin() as connection:
            await connection.execute(_EXPIRE, {"days": _DAYS})
            await connection.execute(_PARK, {"tries": TRIES})
            await connection.execute(_GIVE_UP, given_up)
            claimed = (await connection.execute(_CLAIM, {"held": _HELD, "tries": TRIES})).first()
        if claimed is None:
            return False
        try:
            async with asyncio.timeout(_HELD):
                await self._finish(claimed)
        except (OSError, InterfaceError, OperationalError):
            raise  # the database or the store is away, or it took too long: it is begun again
        except Transient as fault:
            if claimed.tries == TRIES:
                await self._end(claimed, fault)
        except Fault as fault:
            await self._end(claimed, fault)
        except Exception as error:  # noqa: BLE001  # what keeps it from being compared is what is told of it
            _log.warning("shadow_not_compared", shadow=str(claimed.shadow_id), error=repr(error)[:500])
            await self._end(claimed, _NOT_COMPARED)
        return True

    async def _finish(self, claimed: Row[Any]) -> None:
        async with self._engine.connect() as connection:
            runs = list(await connection.execute(RUNS, {"shadow": claimed.shadow_id}))
        if claimed.stage == ANSWER:  # both answers are sealed, and are opened for whoever looks
            await self._same_index(claimed)
            await self._end(claimed, None)
            return
        failed = next((run for run in runs if run.state == "failed"), None)
        if failed is not None:
            await self._end(claimed, Permanent(failed.code, failed.message))
        else:
            await self._end(claimed, None, await self._report(claimed, runs))

    async def _same_index(self, claimed: Row[Any]) -> None:
        """Raise Permanent where what was searched for answers is not what served when they were asked for."""
        base = json.loads(claimed.base)
        history = await self._journal.read_stream(f"analysis/{claimed.analysis_id}") if base else []
        if base and not stands(replay(history), Stage.INDEX, base):
            raise Permanent("shadow_outdated", OUTDATED)

    async def _end(
        self, claimed: Row[Any], fault: Fault | None, report: Mapping[str, object] = MappingProxyType({})
    ) -> None:
        values = {
            "shadow": claimed.shadow_id,
            "tries": claimed.tries,
            "state": "failed" if fault is not None else "done",
            "code": fault.code if fault is not None else None,
            "message": fault.message if fault is not None else None,
            "report": json.dumps(as_stored(report), allow_nan=False),
        }
        async with self._engine.begin() as connection:
            await connection.execute(_END, values)
        self._wake.worked()

    async def _report(self, claimed: Row[Any], runs: Sequence[Row[Any]]) -> dict[str, Any]:
        history = await self._journal.read_stream(f"analysis/{claimed.analysis_id}")
        base = json.loads(claimed.base)
        if claimed.stage == WORKFLOW:
            return told_of(await asyncio.to_thread(decided_anew, recorded_by(history, base)))
        state, stage = replay(history), Stage(claimed.stage)
        if not stands(state, stage, base):
            raise Permanent("shadow_outdated", OUTDATED)
        if stage is Stage.INDEX:
            return told_of_index(state, runs)
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
            del changes[_MOST:]

            async def made(kind: ArtifactKind, shard: int = run.shard) -> bytes:
                async with self._engine.connect() as connection:
                    return await content_of(connection, claimed.shadow_id, shard, kind)

            await compare(self._objects, found, slot.artifacts, done.artifacts, made)
            there = {(ref.kind, ref.sha256) for ref in slot.artifacts}
            same = [ref.kind.value for ref in done.artifacts if (ref.kind, ref.sha256) in there]
            async with self._engine.begin() as connection:  # the live store has the same bytes
                await connection.execute(_SAME, {"shadow": claimed.shadow_id, "shard": run.shard, "kinds": same})
        tables = {kind.value: asdict(each) for kind, each in found.items()}
        agrees = not changes and all(each.same == each.live == each.shadow for each in found.values())
        return {"agrees": agrees, "tables": tables, "counts": counts, "facts": changes}


def decided_anew(history: Sequence[Envelope]) -> Fork:
    """What the present code decides on the whole record. Raises Permanent where it cannot go through it."""
    try:
        return fork(history, 1, {}, Policy())
    except BadFork as bad:
        raise Permanent(bad.code, bad.message) from bad


def told_of_index(state: AnalysisState, runs: Sequence[Row[Any]]) -> dict[str, Any]:
    """What was made of an index, as a report has it: what is found in it is looked up when somebody looks at it."""
    [done] = [StageCompleted.model_validate_json(run.result) for run in runs]
    counts = {"live": dict(state.slots[Stage.INDEX, done.shard].counts), "shadow": done.counts}
    return {"counts": {side: {**each, "words_reused": 0} for side, each in counts.items()}, "index": done.facts}


async def compare(
    objects: Objects,
    found: dict[ArtifactKind, Compared],
    live: Sequence[ArtifactRef],
    shadow: Sequence[ArtifactRef],
    made: Callable[[ArtifactKind], Awaitable[bytes]],
) -> None:
    """Add to `found` the artifacts of one shard; what has the same bytes is not read. `made` reads a shadow's.

    Raises Permanent `shadow_too_large` before anything of such an artifact is read.
    """
    sides = [{(ref.kind, ref.shard): ref for ref in refs} for refs in (live, shadow)]
    for key in kinds_in(*sides):
        each, (old, new) = found.setdefault(key[0], Compared()), (sides[0].get(key), sides[1].get(key))
        if old is not None and new is not None and old.sha256 == new.sha256:
            each.equal(old.rows)
            continue
        if max(ref.rows for ref in (old, new) if ref is not None) > _MOST_ROWS:
            raise Permanent(
                "shadow_too_large",
                f"A shard has more than {_MOST_ROWS:,} {key[0].value}: take an analysis of a smaller repository.",
            )
        before = await objects.get(old.key, old.sha256) if old is not None else None
        after = await made(key[0]) if new is not None else None
        await asyncio.to_thread(each.add, key[0], before, after)


def as_stored(value: object) -> object:
    """A value as the database takes it as JSON: without NUL, halves of characters, and numbers that are none."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {as_stored(str(name)): as_stored(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_stored(each) for each in value]
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return as_stored(str(value))


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
