"""Shadows: a stage of the present code over what was recorded of an analysis, beside what serves.

Services do the runs (`events.replay.sandbox`), `shadow_reports` compares what they made. All of it is in the schema
`sandbox`; promoting alone writes anything live.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Context, Draft, Envelope, derived_id
from events.beside import IndexPromotion
from events.log.journal import Journal, WrongExpectedVersion
from events.log.postgres import append_in
from events.log.wake import Wake
from events.processing import Stage, StageCompleted
from events.replay.sandbox import ANSWER
from orchestrator.adapters.shadow_answers import AnsweredAgain, answered_again, requests_to_answer
from orchestrator.api.models import QuestionView
from orchestrator.workflow.evolve import replay
from orchestrator.workflow.shadowed import NotPromotable, base_of, passages_of, promotion, requests
from orchestrator.workflow.state import AnalysisState
from runtime.objects import Objects
from runtime.tenancy import TenantDatabase

WORKFLOW = "workflow"  # the stage that is no stage: what is decided on the whole history
_DECIDED = "What is decided is not replaced: it is in the log. Only results of stages are."
_COLUMNS = """shadow_id, repository_id, analysis_id, stage, asked_at, state, ended_at, promoted_at, code, message,
  report::text AS report,
  (SELECT count(*) FROM sandbox.runs r WHERE r.shadow_id = shadows.shadow_id) AS runs,
  (SELECT count(*) FROM sandbox.runs r WHERE r.shadow_id = shadows.shadow_id AND r.state <> 'asked') AS runs_ended"""
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('shadows ' || :tenant, 0))")
_KEPT = text("SELECT count(*) FROM sandbox.shadows WHERE tenant_id = :tenant")
_ASK = text("""
INSERT INTO sandbox.shadows (shadow_id, tenant_id, repository_id, analysis_id, stage, asked_by, base)
SELECT CAST(:shadow AS uuid), CAST(:tenant AS uuid), CAST(:repository AS uuid), CAST(:analysis AS uuid),
  CAST(:stage AS text), CAST(:user AS uuid), CAST(:base AS jsonb)
WHERE NOT EXISTS (SELECT FROM app.deleted_repositories WHERE repository_id = CAST(:repository AS uuid))
RETURNING shadow_id
""")
_RUN = text("""
INSERT INTO sandbox.runs (shadow_id, shard, tenant_id, stage, request)
VALUES (:shadow, :shard, :tenant, :stage, CAST(:request AS jsonb))
""")
_ONE = text(f"SELECT {_COLUMNS} FROM sandbox.shadows WHERE shadow_id = :shadow")  # noqa: S608  # our own names
_LISTED = text(f"SELECT {_COLUMNS} FROM sandbox.shadows ORDER BY asked_at DESC, shadow_id LIMIT :limit")  # noqa: S608  # the same
_DROP = text("DELETE FROM sandbox.shadows WHERE shadow_id = :shadow RETURNING shadow_id")


RUNS = text("""
SELECT shard, state, code, message, result::text AS result FROM sandbox.runs WHERE shadow_id = :shadow ORDER BY shard
""")
_MADE = text("SELECT content FROM sandbox.artifacts WHERE shadow_id = :shadow AND shard = :shard AND kind = :kind")

_HELD = """
SELECT state, promoted_at, stage, analysis_id, base::text AS base FROM sandbox.shadows WHERE shadow_id = :shadow
"""
_LOOK, _HOLD = text(_HELD), text(f"{_HELD} FOR UPDATE")
_BASE = text("SELECT base::text FROM sandbox.shadows WHERE shadow_id = :shadow")
_PROMOTED = text("UPDATE sandbox.shadows SET promoted_at = clock_timestamp() WHERE shadow_id = :shadow")


@dataclass(frozen=True)
class Shadow:
    """One of them: `runs_ended` of its `runs` are over. `report` has what was found once the state is `done`."""

    shadow_id: UUID
    repository_id: UUID
    analysis_id: UUID
    stage: str
    asked_at: datetime
    state: str
    ended_at: datetime | None
    promoted_at: datetime | None
    code: str | None
    message: str | None
    report: dict[str, Any]
    runs: int
    runs_ended: int


class NotDone(Exception):
    """A shadow that has no result, or was promoted before."""


@dataclass(frozen=True)
class _Asked:
    """A shadow that is to be kept, with the runs that it asks for."""

    shadow_id: UUID
    analysis_id: UUID
    stage: str
    base: Mapping[str, str]
    requests: Sequence[Envelope]


class NoPassages(Exception):
    """No shadow of parsing the analysis that is done has this id."""


class TooMany(Exception):
    """The tenant has as many shadows as it may."""


class Shadows:
    """`journal` reads every tenant's streams; `objects` enters what is promoted in the books.

    `promoting` has an index promoted; `kept` is how many a tenant may have.
    """

    def __init__(  # the parts that it is made of
        self,
        rows: TenantDatabase,
        journal: Journal,
        objects: Objects,
        wake: Wake,
        promoting: Callable[[IndexPromotion], Awaitable[None]],
        *,
        kept: int,
    ) -> None:
        self._rows = rows
        self._promoting = promoting
        self._journal = journal
        self._objects = objects
        self._wake = wake
        self._kept = kept

    async def ask(
        self, who: Context, history: Sequence[Envelope], stage: str, at: datetime, passages: UUID | None = None
    ) -> Shadow | None:
        """Have a stage, or the workflow, run over the record of an analysis. None where there is nothing to run on.

        An index is made of the passages of the shadow `passages`, where one is named. Raises TooMany, NoPassages.
        """
        state, shadow = replay(history), uuid4()
        made = await self._passages(who.tenant_id, state, passages) if passages is not None else []
        wanted = requests(state, Stage(stage), shadow, at, made) if stage != WORKFLOW else []
        if state.analysis_id is None or (stage != WORKFLOW and not wanted):
            return None
        base = base_of(state, Stage(stage)) if wanted else {}
        return await self._keep(who, _Asked(shadow, state.analysis_id, stage, base, wanted))

    async def ask_again(
        self, who: Context, analysis: UUID, questions: Sequence[QuestionView], at: datetime
    ) -> Shadow | None:
        """Have those of the questions answered again that the analysis answered. None where it answered none of them.

        Raises TooMany.
        """
        shadow = uuid4()
        wanted = requests_to_answer(questions, analysis, who.tenant_id, shadow, at)
        return await self._keep(who, _Asked(shadow, analysis, ANSWER, {}, wanted)) if wanted else None

    async def answers(self, tenant: UUID, shadow: UUID) -> list[AnsweredAgain]:
        """What came of the questions of a shadow of the tenant."""
        async with self._rows.of(tenant) as connection:
            return await answered_again(connection, shadow)

    async def _keep(self, who: Context, asked: "_Asked") -> Shadow | None:
        whose = {"tenant": who.tenant_id, "repository": who.repository_id, "user": who.user_id}
        values = {"shadow": asked.shadow_id, "stage": asked.stage, "analysis": asked.analysis_id, **whose}
        async with self._rows.of(who.tenant_id) as connection:
            await connection.execute(_LOCK, {"tenant": str(who.tenant_id)})
            if int(await connection.scalar(_KEPT, {"tenant": who.tenant_id}) or 0) >= self._kept:
                raise TooMany
            if (await connection.execute(_ASK, values | {"base": json.dumps(asked.base)})).first() is None:
                return None
            for envelope in asked.requests:
                run = {"shadow": asked.shadow_id, "shard": envelope.data["shard"], "tenant": who.tenant_id}
                await connection.execute(_RUN, run | {"stage": asked.stage, "request": envelope.model_dump_json()})
        return await self.one(who.tenant_id, asked.shadow_id)

    async def _passages(self, tenant: UUID, state: AnalysisState, shadow: UUID) -> list[ArtifactRef]:
        """What a shadow of parsing the same analysis made. Raises NoPassages."""
        found = await self.one(tenant, shadow)
        if found is None or (found.stage, found.state) != (Stage.PARSE, "done"):
            raise NoPassages
        if found.analysis_id != state.analysis_id or found.promoted_at is not None:
            raise NoPassages
        async with self._rows.of(tenant) as connection:
            return passages_of(state, shadow, await self._done(connection, shadow))

    async def one(self, tenant: UUID, shadow: UUID) -> Shadow | None:
        """A shadow of the tenant."""
        async with self._rows.of(tenant) as connection:
            row = (await connection.execute(_ONE, {"shadow": shadow})).first()
        return None if row is None else _shadow(row)

    async def listed(self, tenant: UUID, limit: int) -> list[Shadow]:
        """The tenant's, the newest first."""
        async with self._rows.of(tenant) as connection:
            return [_shadow(row) for row in await connection.execute(_LISTED, {"limit": limit})]

    async def drop(self, tenant: UUID, shadow: UUID) -> bool:
        """Remove a shadow with all that it made; whether there was one."""
        async with self._rows.of(tenant) as connection:
            return (await connection.execute(_DROP, {"shadow": shadow})).first() is not None

    async def why_not(self, tenant: UUID, shadow: Shadow, at: datetime) -> str | None:
        """Why what a shadow made cannot take the place of what serves, as things are now; None where it can, or did.

        None also of one that has no result.
        """
        if shadow.state != "done" or shadow.promoted_at is not None:
            return None
        if shadow.stage == WORKFLOW:
            return _DECIDED
        async with self._rows.of(tenant) as connection:
            made = await self._done(connection, shadow.shadow_id)
            base = json.loads(await connection.scalar(_BASE, {"shadow": shadow.shadow_id}) or "{}")
        history = await self._journal.read_stream(f"analysis/{shadow.analysis_id}")
        try:
            await asyncio.to_thread(lambda: promotion(replay(history), Stage(shadow.stage), base, made, at))
        except NotPromotable as refused:
            return refused.message
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
            made = [await self._stored(connection, state, shadow, row) for row in await self._done(connection, shadow)]
            events = promotion(state, stage, json.loads(held.base), made, at)
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
            made = await self._done(connection, shadow)
        made = [done.model_copy(update={"facts": {}}) for done in made]  # of the collection, which is the shadow's own
        requested, completed = promotion(replay(history), Stage.INDEX, json.loads(looked.base), made, at)
        gained = {"expected": history[-1].version, "requested": requested, "completed": completed, "at": at}
        context = who.model_copy(update={"causation_id": None})
        await self._promoting(
            IndexPromotion.model_validate({"shadow_id": shadow, "stream_id": stream, "context": context, **gained})
        )
        self._wake.appended()

    async def _done(self, connection: AsyncConnection, shadow: UUID) -> list[StageCompleted]:
        rows = await connection.execute(RUNS, {"shadow": shadow})
        return [StageCompleted.model_validate_json(row.result) for row in rows]

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
    if held.stage in {WORKFLOW, ANSWER}:
        raise NotPromotable("What was decided or answered is in the log and stays: only stages' results do not.")


async def content_of(connection: AsyncConnection, shadow: UUID, shard: int, kind: ArtifactKind) -> bytes:
    """What a run of a shadow made of one kind. Raises NotPromotable where it is gone."""
    found = await connection.scalar(_MADE, {"shadow": shadow, "shard": shard, "kind": kind.value})
    if found is None:
        raise NotPromotable("What the shadow made is not there any more: make a new one.", outdated=True)
    return bytes(found)


def _shadow(row: Row[Any]) -> Shadow:
    return Shadow(**{**row._mapping, "report": json.loads(row.report)})
