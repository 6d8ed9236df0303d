"""The shapes of the webhooks' routes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from orchestrator.api.strict import Body
from orchestrator.webhooks.messages import Told

_Url = Annotated[str, Field(max_length=2_000)]


class WebhookRequest(Body):
    """Tell `url` of `events`; of all where they are left out."""

    url: _Url
    events: list[Told] = Field(default_factory=lambda: [*Told], min_length=1, max_length=len(Told))


class WebhookChange(Body):
    """What is left out stays as it is. `enabled` true also begins anew with one that was disabled."""

    url: _Url | None = None
    events: list[Told] | None = None
    enabled: bool | None = None


class WebhookView(BaseModel):
    """A webhook. `disabled_reason` is `gone` (it answered 410) or `failing`; a success ends `failing_since`."""

    webhook_id: UUID
    url: str
    events: list[Told]
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime


class WebhookSecretView(WebhookView):
    """A new webhook with its secret (`whsec_…`), which is never shown again."""

    secret: str


class AttemptView(BaseModel):
    """One attempt: seconds, HTTP status (null: no answer), why it failed, and the first bytes of the answer."""

    number: int
    at: datetime
    duration: float
    status: int | None
    code: str
    answer: str


class DeliveryView(BaseModel):
    """One message to one webhook. Its id is the `webhook-id` header. `due_at` is when a pending one is sent."""

    delivery_id: UUID
    type: Told
    state: Literal["pending", "delivered", "failed"]
    attempts: int
    created_at: datetime
    due_at: datetime | None
    log: list[AttemptView] = Field(default_factory=list)


class WebhookPage(BaseModel):
    """All webhooks of a tenant."""

    items: list[WebhookView]
    next: str | None = None


class DeliveryPage(BaseModel):
    """A page of deliveries."""

    items: list[DeliveryView]
    next: str | None = None
