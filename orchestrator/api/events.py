"""The log itself, the person, and what the installation offers."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from events.log.journal import Journal
from events.replay.choosing import Chosen, wants
from orchestrator.api.analyses import LastEventId, Version, history_head, live_stream, stream_page
from orchestrator.api.dependencies import EventReader, HeldStream, Parts, Reader
from orchestrator.api.models import ConfigView, UserView
from orchestrator.api.pages import EventPage
from orchestrator.api.paging import FEED, STREAM, Moment, Page, Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Proof
from orchestrator.progress.frames import LAST, last_event_id

router = APIRouter()
Text = Annotated[str, Query(max_length=200)]


@router.get("/events", tags=["events"])
async def listed(  # noqa: PLR0913  # one argument for each part of the request
    who: EventReader,
    parts: Parts,
    page: Paging,
    *,
    stream_id: Annotated[str | None, Query(max_length=100)] = None,
    type: Annotated[str | None, Query(max_length=100)] = None,  # noqa: A002  # the parameter's public name
    stage: Annotated[str | None, Query(max_length=100)] = None,
    since: Moment | None = None,
    until: Moment | None = None,
    text: Text = "",
    after: Version = 0,
    latest: bool = False,
) -> EventPage:
    """Events in their order: of one stream after a version, or of all after a `seq`.

    `since` and `until` (exclusive) are times. `text` are words that all stand in an event; it takes a `stream_id`.
    With `latest`, the newest ones, without a page after them: go on with the `seq` of the last as `after`.
    """
    chosen = Chosen((type,) if type else (), (stage,) if stage else (), since, until, text.strip())
    if stream_id is not None:
        await history_head(parts, who, stream_id)
        journal = parts.journals.of(who.tenant_id)
        if chosen.is_all and not latest:
            return await stream_page(journal, stream_id, page, after)
        return await _chosen(journal, stream_id, chosen, page, after=after, latest=latest)
    if chosen.text:
        raise ApiProblem("invalid_request", "Name the stream (stream_id) in which the words of text are looked for.")
    if latest:
        return EventPage(items=await parts.read.events(who.tenant_id, chosen, after=None, limit=page.limit))
    [begin] = FEED.read(page.cursor) or (0,)
    begin = max(begin, after)
    found = await parts.read.events(who.tenant_id, chosen, after=begin, limit=page.limit + 1)
    shown = found[: page.limit]
    return EventPage(items=shown, next=FEED.write((shown[-1].seq or 0,)) if len(found) > page.limit else None)


@router.get(
    "/events/live",
    tags=["events"],
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "milestone, tick, grown, heartbeat, resync"}},
)
async def live(
    who: EventReader,
    parts: Parts,
    _held: HeldStream,
    stream_id: Annotated[str, Query(max_length=100)],
    last_event_id_header: LastEventId = None,
    after: Version = 0,
) -> Response:
    """The events of any stream as they happen, after those that were missed (SSE)."""
    return await live_stream(parts, who, stream_id, last_event_id(last_event_id_header, after))


async def _chosen(
    journal: Journal, stream_id: str, wanted: Chosen, page: Page, *, after: int, latest: bool
) -> EventPage:
    """Of one stream the events that are wanted, or the newest ones. A stream is read whole: it is one analysis'."""
    [begin] = STREAM.read(page.cursor) or (after,)
    items = await journal.read_stream(stream_id, after=min(max(begin, after), LAST))
    chosen = [item for item in items if wants(wanted, item)]
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
        modes=list(parts.modes),
        hosts=sorted(parts.rules.hosts),
        loopback_repositories=parts.rules.loopback,
    )
