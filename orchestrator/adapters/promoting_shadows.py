"""Let what a shadow made take the place of what serves, in one transaction. Nothing else of shadows writes live."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactKind
from events.base import Context, Draft, derived_id
from events.beside import IndexPromotion
from events.log.journal import Journal, WrongExpectedVersion
from events.log.postgres import append_in
from events.log.wake import Wake
from events.processing import Stage, StageCompleted
from events.replay.sandbox import ANSWER
from orchestrator.workflow.evolve import replay
from orchestrator.workflow.shadowed import NotPromotable, promotion
from orchestrator.workflow.state import AnalysisState
from runtime.objects import Objects
from runtime.tenancy import TenantDatabase

WORKFLOW = "workflow"  # the stage that is no stage: what is decided on the whole history
KEPT_IN_THE_LOG = frozenset({WORKFLOW, ANSWER})
_SAID = "What was decided or answered is in the log and stays: only stages' results do not."
RUNS = text("""
SELECT shard, state, code, message, result::text AS result FROM sandbox.runs WHERE shadow_id = :shadow ORDER BY shard
""")
_MADE = text("SELECT content FROM sandbox.artifacts WHERE shadow_id = :shadow AND shard = :shard AND kind = :kind")

_HELD = """
SELECT state, promoted_at, stage, analysis_id, base::text AS base FROM sandbox.shadows WHERE shadow_id = :shadow
"""
_LOOK, _HOLD = text(_HELD), text(f"{_HELD} FOR UPDATE")
_PROMOTED = text("UPDATE sandbox.shadows SET promoted_at = clock_timestamp() WHERE shadow_id = :shadow")


class NotDone(Exception):
    """A shadow that has no result, or was promoted before."""


class Promoting:
    """`journal` reads every tenant's streams; `objects` enters what is promoted in the books.

    `of_index` has an index promoted, by whom it is kept.
    """

    def __init__(
        self,
        rows: TenantDatabase,
        journal: Journal,
        objects: Objects,
        wake: Wake,
        of_index: Callable[[IndexPromotion], Awaitable[None]],
    ) -> None:
        self._rows = rows
        self._journal = journal
        self._objects = objects
        self._wake = wake
        self._of_index = of_index

    async def why_not(self, tenant: UUID, shadow: UUID, at: datetime) -> NotPromotable | None:
        """Why what a shadow made cannot take the place of what serves, as things are now; None where it can, or did.

        None also of one that has no result, or is not there.
        """
        async with self._rows.of(tenant) as connection:
            looked = (await connection.execute(_LOOK, {"shadow": shadow})).first()
            if looked is None or looked.state != "done" or looked.promoted_at is not None:
                return None
            if looked.stage in KEPT_IN_THE_LOG:
                return NotPromotable(_SAID)
            made = await results_of(connection, shadow)
        stage, base = Stage(looked.stage), json.loads(looked.base)
        history = await self._journal.read_stream(f"analysis/{looked.analysis_id}")
        try:
            await asyncio.to_thread(lambda: promotion(replay(history), stage, base, made, at))
        except NotPromotable as refused:
            return refused
        return None

    async def promote(self, who: Context, shadow: UUID, at: datetime) -> bool:
        """Let what a shadow made take the place of what serves, in one transaction; whether there is such a shadow.

        Raises NotDone, NotPromotable; of an index Transient where rag_manager, which has it, is not there.
        """
        async with self._rows.of(who.tenant_id) as connection:
            looked = (await connection.execute(_LOOK, {"shadow": shadow})).first()
        if looked is not None and looked.stage == Stage.INDEX:
            await self._promote_index(who, shadow, looked, at)
            return True
        async with self._rows.of(who.tenant_id) as connection:
            held = (await connection.execute(_HOLD, {"shadow": shadow})).first()
            if held is None:
                return False
            _check(held)
            stream = f"analysis/{held.analysis_id}"
            history = await self._journal.read_stream(stream)
            state, stage = replay(history), Stage(held.stage)
            base, made = json.loads(held.base), await results_of(connection, shadow)
            promotion(state, stage, base, made, at)  # before anything of it is in the live store
            stored = [await self._stored(connection, state, shadow, done) for done in made]
            events = promotion(state, stage, base, stored, at)
            drafts = [
                Draft(
                    event_id=derived_id(shadow, stream, place),
                    occurred_at=at,
                    context=who.model_copy(update={"causation_id": None}),
                    event=event,
                    stage=stage.value,
                )
                for place, event in enumerate(events)
            ]
            try:
                await append_in(connection, stream, drafts, expected=history[-1].version, told=False)
            except WrongExpectedVersion:
                raise NotPromotable("Something happened to the analysis meanwhile: try again.", outdated=True) from None
            await connection.execute(_PROMOTED, {"shadow": shadow})
        self._wake.appended()
        return True

    async def _promote_index(self, who: Context, shadow: UUID, looked: Row[Any], at: datetime) -> None:
        """Have rag_manager do it, whose the rows of an index are: in one transaction with what the history gains."""
        _check(looked)
        stream = f"analysis/{looked.analysis_id}"
        history = await self._journal.read_stream(stream)
        async with self._rows.of(who.tenant_id) as connection:
            made = await results_of(connection, shadow)
        made = [done.model_copy(update={"facts": {}}) for done in made]  # of the collection, which is the shadow's own
        requested, completed = promotion(replay(history), Stage.INDEX, json.loads(looked.base), made, at)
        gained = {"expected": history[-1].version, "requested": requested, "completed": completed, "at": at}
        context = who.model_copy(update={"causation_id": None})
        await self._of_index(
            IndexPromotion.model_validate({"shadow_id": shadow, "stream_id": stream, "context": context, **gained})
        )
        self._wake.appended()

    async def _stored(
        self, connection: AsyncConnection, state: AnalysisState, shadow: UUID, done: StageCompleted
    ) -> StageCompleted:
        """What a run made, with its artifacts in the live store; those that are as they were are there."""
        if state.context is None:
            raise NotPromotable("Nobody knows whose the analysis is.")
        objects, refs = self._objects.of(state.context.tenant_id, state.context.repository_id), []
        slot = state.slots.get((done.stage, done.shard))
        there = {(ref.kind, ref.sha256): ref.key for ref in slot.artifacts} if slot is not None else {}
        for ref in done.artifacts:
            if key := there.get((ref.kind, ref.sha256)):
                refs.append(ref.model_copy(update={"key": key}))
                continue
            content = await content_of(connection, shadow, done.shard, ref.kind)
            stored = await objects.put(ref.kind.value, ".parquet", content)
            refs.append(ref.model_copy(update={"key": stored.key}))
        return done.model_copy(update={"artifacts": tuple(refs)})


def _check(held: Row[Any]) -> None:
    """Raises NotDone, NotPromotable."""
    if held.state != "done" or held.promoted_at is not None:
        raise NotDone
    if held.stage in KEPT_IN_THE_LOG:
        raise NotPromotable(_SAID)


async def content_of(connection: AsyncConnection, shadow: UUID, shard: int, kind: ArtifactKind) -> bytes:
    """What a run of a shadow made of one kind. Raises NotPromotable where it is gone."""
    found = await connection.scalar(_MADE, {"shadow": shadow, "shard": shard, "kind": kind.value})
    if found is None:
        raise NotPromotable("What the shadow made is not there any more: make a new one.", outdated=True)
    return bytes(found)


async def results_of(connection: AsyncConnection, shadow: UUID) -> list[StageCompleted]:
    """What the runs of a shadow said of their ends."""
    rows = await connection.execute(RUNS, {"shadow": shadow})
    return [StageCompleted.model_validate_json(row.result) for row in rows]
