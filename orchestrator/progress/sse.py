"""A stream's events as SSE, written to ASGI directly: a third of the memory of a streaming response per viewer.

Subscribe first, then read what was missed, then send what was put meanwhile: nothing falls between the two.
"""

from random import randrange
from uuid import UUID

from starlette.types import Receive, Send

from events.log.journal import Journal
from orchestrator.progress import frames
from orchestrator.progress.hub import Hub, milestone
from orchestrator.progress.stream import Stream
from orchestrator.progress.viewer import Message, Viewer

_PAGE = 500


class StreamEvents(Stream):
    """The live events of one stream, beginning after version `after`. Ends when the client leaves."""

    def __init__(self, tenant_id: UUID, stream_id: str, *, after: int, journal: Journal, hub: Hub) -> None:
        super().__init__()
        self._tenant_id = tenant_id
        self._stream_id = stream_id
        self._after = after
        self._journal = journal
        self._hub = hub
        self._viewer: Viewer | None = None

    def send_away(self) -> None:
        """As `Stream.send_away`. One that has not begun is looked at again."""
        if self._viewer is not None:
            self._viewer.send_away()

    async def serve(self, receive: Receive, send: Send) -> None:
        """Serve one viewer."""
        self._viewer = viewer = Viewer(send, self._after, self._missed)
        self._hub.subscribe(self._tenant_id, self._stream_id, viewer)
        try:
            await viewer.begin(frames.retry_hint(frames.RETRY_MS + randrange(1_000)))  # noqa: S311  # spreads returns
            for tick in self._hub.ticks(self._stream_id):
                viewer.put(tick)
            await until_gone(receive)
        finally:
            self._hub.unsubscribe(self._stream_id, viewer)
            viewer.stop()

    async def _missed(self, after: int) -> tuple[bytes, int]:
        """What happened after a version, from memory or the log, and the newest version of it."""
        missed = self._hub.since(self._stream_id, after)
        if missed is None:
            missed = await self._read(after)
            self._hub.learn(self._stream_id, missed)
        newest = missed[-1].version if missed else None
        return b"".join(message.frame for message in missed), newest or after

    async def _read(self, after: int) -> list[Message]:
        found: list[Message] = []
        page = _PAGE
        while page == _PAGE:
            begin = found[-1].version if found else None
            envelopes = await self._journal.read_stream(self._stream_id, after=begin or after, limit=_PAGE)
            found += [milestone(envelope) for envelope in envelopes]
            page = len(envelopes)
        return found


async def until_gone(receive: Receive) -> None:
    """Return once the client is gone, or the response has ended."""
    while (await receive())["type"] != "http.disconnect":
        pass
