"""The log itself, the person, and what the installation offers."""

from typing import Annotated

from fastapi import APIRouter, Query

from orchestrator.api.analyses import history_head
from orchestrator.api.dependencies import EventReader, Limit, Parts, Reader
from orchestrator.api.models import ConfigView, EventPage, UserView
from orchestrator.auth.identity import Proof

router = APIRouter(tags=["events"])


@router.get("/events")
async def events(  # noqa: PLR0913  # one argument for each part of the request
    who: EventReader,
    parts: Parts,
    *,
    stream_id: Annotated[str | None, Query(max_length=100)] = None,
    type: Annotated[str | None, Query(max_length=100)] = None,  # noqa: A002  # the parameter's public name
    after: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    latest: bool = False,
    limit: Limit = 100,
) -> EventPage:
    """Events in their order: of one stream after a version, or of all after a `seq`; with `latest` the newest ones.

    `next` is what to go on after: the place of the last event looked at.
    """
    if stream_id is not None:
        await history_head(parts, who, stream_id)
        journal = parts.journals.of(who.tenant_id)
        items = await journal.read_stream(stream_id, after=after or 0, limit=None if type or latest else limit)
        chosen = [item for item in items if type is None or item.event_type == type]
        shown = chosen[-limit:] if latest else chosen[:limit]
        return EventPage(items=shown, next=shown[-1].version if len(shown) == limit else None)
    found = await parts.read.events(who.tenant_id, event_type=type, after=None if latest else after or 0, limit=limit)
    return EventPage(items=found, next=found[-1].seq if len(found) == limit or (latest and found) else None)


@router.get("/me")
async def me(who: Reader) -> UserView:
    """Who is asking."""
    return UserView(user_id=who.user_id, tenant_id=who.tenant_id, name=who.name, local=who.proof is Proof.LOCAL)


@router.get("/config")
async def config(_who: Reader, parts: Parts) -> ConfigView:
    """What this installation offers."""
    return ConfigView(
        models=list(parts.models),
        hosts=sorted(parts.rules.hosts),
        loopback_repositories=parts.rules.loopback,
    )
