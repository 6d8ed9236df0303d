"""The log itself, the person, and what the installation offers."""

from typing import Annotated

from fastapi import APIRouter, Query

from events.log.journal import Journal
from orchestrator.api.analyses import Version, history_head, stream_page
from orchestrator.api.dependencies import EventReader, Parts, Reader
from orchestrator.api.models import ConfigView, UserView
from orchestrator.api.pages import EventPage
from orchestrator.api.paging import FEED, STREAM, Page, Paging
from orchestrator.auth.identity import Proof
from orchestrator.progress.frames import LAST

router = APIRouter()


@router.get("/events", tags=["events"])
async def listed(  # noqa: PLR0913  # one argument for each part of the request
    who: EventReader,
    parts: Parts,
    page: Paging,
    *,
    stream_id: Annotated[str | None, Query(max_length=100)] = None,
    type: Annotated[str | None, Query(max_length=100)] = None,  # noqa: A002  # the parameter's public name
    after: Version = 0,
    latest: bool = False,
) -> EventPage:
    """Events in their order: of one stream after a version, or of all after a `seq`.

    With `latest`, the newest ones, without a page after them: go on with the `seq` of the last as `after`.
    """
    if stream_id is not None:
        await history_head(parts, who, stream_id)
        journal = parts.journals.of(who.tenant_id)
        if type is None and not latest:
            return await stream_page(journal, stream_id, page, after)
        return await _chosen(journal, stream_id, type, page, after=after, latest=latest)
    if latest:
        return EventPage(items=await parts.read.events(who.tenant_id, event_type=type, after=None, limit=page.limit))
    [begin] = FEED.read(page.cursor) or (0,)
    begin = max(begin, after)
    found = await parts.read.events(who.tenant_id, event_type=type, after=begin, limit=page.limit + 1)
    shown = found[: page.limit]
    return EventPage(items=shown, next=FEED.write((shown[-1].seq or 0,)) if len(found) > page.limit else None)


async def _chosen(
    journal: Journal, stream_id: str, event_type: str | None, page: Page, *, after: int, latest: bool
) -> EventPage:
    """Of one stream the events of one type, or the newest ones. A stream is read whole: it is one analysis'."""
    [begin] = STREAM.read(page.cursor) or (after,)
    items = await journal.read_stream(stream_id, after=min(max(begin, after), LAST))
    chosen = [item for item in items if event_type is None or item.event_type == event_type]
    if latest:
        return EventPage(items=chosen[-page.limit :])
    shown = chosen[: page.limit]
    return EventPage(items=shown, next=STREAM.write((shown[-1].version,)) if len(chosen) > page.limit else None)


@router.get("/me", tags=["installation"])
async def me(who: Reader) -> UserView:
    """Who is asking."""
    return UserView(
        user_id=who.user_id,
        tenant_id=who.tenant_id,
        name=who.name,
        local=who.proof is Proof.LOCAL,
        role=who.role.value,
        scopes=sorted(who.scopes),
    )


@router.get("/config", tags=["installation"])
async def config(_who: Reader, parts: Parts) -> ConfigView:
    """What this installation offers."""
    return ConfigView(
        models=list(parts.models),
        hosts=sorted(parts.rules.hosts),
        loopback_repositories=parts.rules.loopback,
    )
