"""An analysis's events as SSE, written to ASGI directly: a third of the memory of a streaming response per viewer.

Subscribe first, then read what was missed, then drain: nothing falls between the two.
"""

import asyncio
from collections.abc import Callable
from random import randrange
from uuid import UUID

from starlette.types import Receive, Send

from events.log.journal import Journal
from orchestrator.progress import frames
from orchestrator.progress.hub import Closed, Hub, Mailbox, Overflow
from orchestrator.progress.stream import Stream

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_PAGE = 500


class AnalysisEvents(Stream):
    """The live events of one analysis, beginning after version `after`. Ends when the client leaves."""

    def __init__(self, analysis_id: UUID, *, after: int, journal: Journal, hub: Hub, heartbeat: float = 5.0) -> None:
        super().__init__()
        self._analysis_id = analysis_id
        self._after = after
        self._journal = journal
        self._hub = hub
        self._heartbeat = heartbeat

    async def serve(self, receive: Receive, send: Send) -> None:
        """Serve one viewer."""
        with self._hub.subscribe(self._analysis_id) as mailbox:
            leaving = asyncio.create_task(when_gone(receive, mailbox.close))
            try:
                await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
                await self._serve(mailbox, send)
            except Closed:
                await send({"type": "http.response.body", "body": b""})
            except Overflow:
                await send({"type": "http.response.body", "body": frames.RESYNC})
            finally:
                leaving.cancel()

    async def _serve(self, mailbox: Mailbox, send: Send) -> None:
        await _write(send, frames.retry_hint(frames.RETRY_MS + randrange(1_000)))  # noqa: S311  # spreads returns
        sent = await self._catch_up(send, self._after)
        while True:
            message = await mailbox.get(self._heartbeat)
            if message is None:
                await _write(send, frames.HEARTBEAT)
            elif message.version is None:
                await _write(send, message.frame)
            elif message.version == sent + 1:
                await _write(send, message.frame)
                sent = message.version
            elif message.version > sent:
                sent = await self._catch_up(send, sent)

    async def _catch_up(self, send: Send, after: int) -> int:
        """Send what the log has after a version; the newest version that was sent."""
        whole = True
        while whole:
            page = await self._journal.read_stream(f"analysis/{self._analysis_id}", after=after, limit=_PAGE)
            whole = len(page) == _PAGE
            if page:
                await _write(send, b"".join(frames.milestone(envelope) for envelope in page))
                after = page[-1].version
        return after


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def when_gone(receive: Receive, then: Callable[[], None]) -> None:
    """Call `then` once the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    then()
