"""A stream of which each viewer is told by a task of their own, for as long as they stay."""

import asyncio
from abc import abstractmethod

from starlette.types import Receive, Send

from orchestrator.progress import frames
from orchestrator.progress.hub import Hub
from orchestrator.progress.sse import until_gone
from orchestrator.progress.stream import Stream


class Telling(Stream):
    """Ends with `tell`, with its viewer, with the right by which it is open, and with the process (`hub`)."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self._hub = hub
        self._over = asyncio.Event()

    def send_away(self) -> None:
        """As `Stream.send_away`."""
        self._over.set()

    async def serve(self, receive: Receive, send: Send) -> None:
        """Serve one viewer."""
        telling = asyncio.create_task(self.tell(send))
        leaving = asyncio.create_task(until_gone(receive))
        closing = [asyncio.create_task(event.wait()) for event in (self._hub.closing, self._over)]
        try:
            await asyncio.wait({telling, leaving, *closing}, return_when=asyncio.FIRST_COMPLETED)
            if telling.done() and not telling.cancelled():
                telling.result()
        finally:
            for task in (telling, leaving, *closing):
                task.cancel()
        if self._hub.closing.is_set() and not telling.done():
            await asyncio.wait({telling})  # cancelled: or two would write
            await write(send, frames.RESYNC)
        await send({"type": "http.response.body", "body": b""})

    @abstractmethod
    async def tell(self, send: Send) -> None:
        """Tell one viewer all there is, to the end."""


async def write(send: Send, body: bytes) -> None:
    """Send one piece of a body that goes on."""
    await send({"type": "http.response.body", "body": body, "more_body": True})
