"""Webhooks: who is told when an analysis is ready, refined or failed. For owners of a tenant."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from orchestrator.api.dependencies import Parts, Services
from orchestrator.api.paging import DELIVERIES, Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.api.roles import OwnerChanging, OwnerLooking
from orchestrator.api.webhook_models import (
    DeliveryPage,
    DeliveryView,
    WebhookChange,
    WebhookPage,
    WebhookRequest,
    WebhookSecretView,
    WebhookView,
)
from orchestrator.limits.rules import Resource
from orchestrator.webhooks.target import read_target

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


def _checked(parts: Services, url: str) -> str:
    return read_target(url, loopback=parts.webhooks_loopback).url


@router.post("", status_code=201)
async def create(body: WebhookRequest, who: OwnerChanging, parts: Parts, response: Response) -> WebhookSecretView:
    """Add a webhook. The answer holds the secret that its messages are signed with; keep it, it is not shown again."""
    events = [event.value for event in dict.fromkeys(body.events)]
    made = await parts.webhooks.add(who, _checked(parts, body.url), events, parts.clock())
    response.headers["Location"] = f"/api/v1/webhooks/{made.webhook_id}"
    return made


@router.get("")
async def webhooks(who: OwnerLooking, parts: Parts) -> WebhookPage:
    """The tenant's webhooks, oldest first; never more than one page of them."""
    return WebhookPage(items=await parts.webhooks.all(who.tenant_id))


@router.patch("/{webhook_id}")
async def change(webhook_id: UUID, body: WebhookChange, who: OwnerChanging, parts: Parts) -> WebhookView:
    """Change a webhook, switch it off, or on again; what waits for it is then sent."""
    if body.events is not None and not body.events:
        raise ApiProblem("invalid_request", "Name an event, or switch the webhook off.")
    wanted = body.model_dump(mode="json", exclude_none=True)
    if body.url is not None:
        wanted["url"] = _checked(parts, body.url)
    return await parts.webhooks.change(who.tenant_id, webhook_id, wanted)


@router.delete("/{webhook_id}", status_code=204)
async def remove(webhook_id: UUID, who: OwnerChanging, parts: Parts) -> None:
    """Remove a webhook with all that it was told."""
    await parts.webhooks.remove(who.tenant_id, webhook_id)


@router.get("/{webhook_id}/deliveries")
async def deliveries(webhook_id: UUID, who: OwnerLooking, parts: Parts, page: Paging) -> DeliveryPage:
    """What it was told, newest first, with every attempt."""
    place = DELIVERIES.read(page.cursor)
    items = await parts.webhooks.deliveries(who.tenant_id, webhook_id, after=place, limit=page.limit)
    last = items[-1] if len(items) == page.limit else None
    return DeliveryPage(items=items, next=DELIVERIES.write((last.created_at, last.delivery_id)) if last else None)


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202)
async def redeliver(
    webhook_id: UUID, delivery_id: UUID, who: OwnerChanging, parts: Parts, request: Request
) -> DeliveryView:
    """Send one again, with the same `webhook-id`."""
    await parts.gate.take(request, who, Resource.REDELIVERIES)
    return await parts.webhooks.again(who.tenant_id, webhook_id, delivery_id)
