"""`/installation`: administrators see services, queues, what each team uses, and what is set."""

import asyncio
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from redis.exceptions import RedisError

from orchestrator.api.dependencies import Admin, Parts
from orchestrator.api.paging import TEAMS, Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.api.usage import QuotaView, quota_views
from runtime.settings_rules import State

router = APIRouter(prefix="/installation", tags=["installation"])


class ServiceView(BaseModel):
    """A service. `reason` says what it lacks, or that it does not answer; empty where it is ready."""

    name: str
    ready: bool
    reason: str


class ServiceList(BaseModel):
    """All services that other services ask; the page server is not among them."""

    items: list[ServiceView]


class QueueView(BaseModel):
    """One group of consumers on one topic.

    `waiting` messages were given to nobody yet (null: the transport cannot say), `held` are at work or were left by a
    worker that ended; `workers` were there within the last minute, each for one message at a time.
    """

    topic: str
    consumer: str
    waiting: int | None
    held: int
    workers: int


class QueueList(BaseModel):
    """All queues. `unplaced` events are committed and not carried on yet, the oldest for `unplaced_seconds`."""

    items: list[QueueView]
    unplaced: int
    unplaced_seconds: float


class TeamUsageView(BaseModel):
    """A team, or one person's own (`personal`), and what it has of each thing that a quota counts."""

    tenant_id: UUID
    name: str
    personal: bool
    created_at: datetime
    people: int
    quotas: list[QuotaView]


class TeamUsagePage(BaseModel):
    """A page of teams. Days and months of the quotas are those of UTC, at `at`."""

    at: datetime
    items: list[TeamUsageView]
    next: str | None = None


class SettingView(BaseModel):
    """One setting: how it is, where its value comes from, and what to do. Never a value."""

    service: str
    setting: str
    state: State
    source: str
    detail: str


class SettingList(BaseModel):
    """What is set for the orchestrator. Other services have settings of their own: `repostream config check`."""

    items: list[SettingView]


@router.get("/services")
async def services(_who: Admin, parts: Parts) -> ServiceList:
    """Ask each service whether it is ready."""
    return ServiceList(items=[ServiceView(**vars(each)) for each in await parts.installation.services()])


@router.get("/queues", responses={503: {}})
async def queues(_who: Admin, parts: Parts) -> QueueList:
    """What waits, what is at work, and how many workers each queue has."""
    try:
        found = await parts.installation.queues()
    except (RedisError, TimeoutError):
        raise ApiProblem("store_unavailable", "The message broker does not answer: try again in a moment.") from None
    unplaced = await parts.installation.backlog()
    return QueueList(
        items=[QueueView(**vars(each)) for each in found],
        unplaced=unplaced.events,
        unplaced_seconds=unplaced.seconds,
    )


@router.get("/teams")
async def teams(who: Admin, parts: Parts, page: Paging) -> TeamUsagePage:
    """What each team uses and what its answers cost, the newest team first."""
    at = parts.clock()
    found = await parts.installation.teams(TEAMS.read(page.cursor), page.limit + 1, at)
    shown, following = TEAMS.cut(found, page.limit, lambda team: (team.created_at, team.tenant_id))
    allowed = parts.usage.allowed(who)
    items = [
        TeamUsageView(
            tenant_id=team.tenant_id,
            name=team.name,
            personal=team.personal,
            created_at=team.created_at,
            people=team.people,
            quotas=quota_views(team.used, allowed),
        )
        for team in shown
    ]
    return TeamUsagePage(at=at, items=items, next=following)


@router.get("/settings")
async def settings(_who: Admin, parts: Parts) -> SettingList:
    """Check what is set for the orchestrator, as `repostream config check` does."""
    found = await asyncio.to_thread(parts.installation.settings)
    return SettingList(items=[SettingView(**vars(each)) for each in found])
