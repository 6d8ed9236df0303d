"""Shadows: a stage of the present code over what was recorded of an analysis, beside what serves.

Services do the runs (`events.replay.sandbox`), `shadow_reports` compares what they made. All of it is in the schema
`sandbox`; promoting alone writes anything live.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text

from events.artifacts import ArtifactRef
from events.base import Context, Envelope
from events.processing import Stage
from events.replay.sandbox import ANSWER
from orchestrator.adapters.promoting_shadows import WORKFLOW, Promoting, results_of
from orchestrator.adapters.shadow_answers import AnsweredAgain, answered_again, requests_to_answer
from orchestrator.api.models import QuestionView
from orchestrator.workflow.evolve import replay
from orchestrator.workflow.policy import Policy
from orchestrator.workflow.shadowed import base_of, base_of_history, is_coming, passages_of, requests
from orchestrator.workflow.state import AnalysisState
from runtime.tenancy import TenantDatabase

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
_LISTED = text(f"""
SELECT {_COLUMNS} FROM sandbox.shadows
WHERE CAST(:at AS timestamptz) IS NULL OR (asked_at, shadow_id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))
ORDER BY asked_at DESC, shadow_id DESC LIMIT :limit
""")  # noqa: S608  # the same
_DROP = text("DELETE FROM sandbox.shadows WHERE shadow_id = :shadow RETURNING shadow_id")


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


@dataclass(frozen=True)
class _Asked:
    """A shadow that is to be kept, with the runs that it asks for."""

    shadow_id: UUID
    analysis_id: UUID
    stage: str
    base: Mapping[str, str]
    requests: Sequence[Envelope]


class NotComplete(Exception):
    """The analysis is still getting the vectors that a shadow of its index would be compared with."""


class NoPassages(Exception):
    """No shadow of parsing the analysis that is done has this id."""


class TooMany(Exception):
    """The tenant has as many shadows as it may."""


class Shadows:
    """What was asked for, and what came of it. `promoting` lets it take the place of what serves.

    `kept` is how many a tenant may have.
    """

    def __init__(self, rows: TenantDatabase, promoting: Promoting, *, kept: int) -> None:
        self._rows = rows
        self.promoting = promoting
        self._kept = kept

    async def ask(
        self, who: Context, history: Sequence[Envelope], stage: str, at: datetime, passages: UUID | None = None
    ) -> Shadow | None:
        """Have a stage, or the workflow, run over the record of an analysis. None where there is nothing to run on.

        An index is made of the passages of the shadow `passages`, where one is named. Raises TooMany, NoPassages,
        NotComplete.
        """
        state, shadow = replay(history), uuid4()
        if stage == Stage.INDEX and is_coming(state, Policy()):
            raise NotComplete
        made = await self._passages(who.tenant_id, state, passages) if passages is not None else []
        wanted = requests(state, Stage(stage), shadow, at, made) if stage != WORKFLOW else []
        if state.analysis_id is None or (stage != WORKFLOW and not wanted):
            return None
        base = base_of_history(history) if stage == WORKFLOW else base_of(state, Stage(stage))
        return await self._keep(who, _Asked(shadow, state.analysis_id, stage, base, wanted))

    async def ask_again(
        self, who: Context, history: Sequence[Envelope], questions: Sequence[QuestionView], at: datetime
    ) -> Shadow | None:
        """Have those of the questions answered again that the analysis answered. None where it answered none of them.

        Raises TooMany.
        """
        state, shadow = replay(history), uuid4()
        if state.analysis_id is None:
            return None
        wanted = requests_to_answer(questions, state.analysis_id, who.tenant_id, shadow, at)
        asked = _Asked(shadow, state.analysis_id, ANSWER, base_of(state, Stage.INDEX), wanted)
        return await self._keep(who, asked) if wanted else None

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
            return passages_of(state, shadow, await results_of(connection, shadow))

    async def one(self, tenant: UUID, shadow: UUID) -> Shadow | None:
        """A shadow of the tenant."""
        async with self._rows.of(tenant) as connection:
            row = (await connection.execute(_ONE, {"shadow": shadow})).first()
        return None if row is None else _shadow(row)

    async def listed(self, tenant: UUID, after: tuple[datetime, UUID] | None, limit: int) -> list[Shadow]:
        """The tenant's, the newest first: those that come `after` one, by when it was asked for and its id."""
        at, id_ = after or (None, None)
        async with self._rows.of(tenant) as connection:
            rows = await connection.execute(_LISTED, {"at": at, "id": id_, "limit": limit})
            return [_shadow(row) for row in rows]

    async def drop(self, tenant: UUID, shadow: UUID) -> bool:
        """Remove a shadow with all that it made; whether there was one."""
        async with self._rows.of(tenant) as connection:
            return (await connection.execute(_DROP, {"shadow": shadow})).first() is not None


def _shadow(row: Row[Any]) -> Shadow:
    return Shadow(**{**row._mapping, "report": json.loads(row.report)})
