"""What the tenant has, and how much of it is allowed."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.api.dependencies import Parts, Reader
from orchestrator.limits.quotas import Amounts

router = APIRouter(tags=["usage"])


class QuotaView(BaseModel):
    """One quota of the tenant: what it has, and how much it may have; null is as much as it likes."""

    name: str
    used: int
    allowed: int | None = None


class UsageView(BaseModel):
    """What the tenant has of each thing that a quota counts: running, repositories, bytes, questions, tokens, money."""

    at: datetime
    quotas: list[QuotaView]


@router.get("/usage")
async def usage(who: Reader, parts: Parts) -> UsageView:
    """What your tenant has at this moment of each thing that a quota counts. Days are those of UTC."""
    at = parts.clock()
    return UsageView(at=at, quotas=quota_views(await parts.usage.of(who.tenant_id, at), parts.usage.allowed(who)))


def quota_views(used: Amounts, allowed: Amounts) -> list[QuotaView]:
    """What is used of each quota, beside what is allowed. Pure."""
    return [
        QuotaView(name=quota.name.lower(), used=amount, allowed=allowed.get(quota) or None)
        for quota, amount in used.items()
    ]
