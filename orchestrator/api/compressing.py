"""Brotli or gzip for the JSON of readers, by starlette-compress.

Answers to POST are left alone: some show a secret beside text that the sender chose, which is what BREACH needs. No
answer to GET shows a secret, and no cookie reaches an answer's body. Event streams never come through here: they are
served outside of the application (`progress/stream.py`). The export's lines are flushed one by one.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette_compress import CompressMiddleware, add_compress_type

_LEAST = 1_000  # bytes
add_compress_type("application/x-ndjson", streaming=True)


class CompressReads:
    """ASGI middleware around what tags answers; a compressed answer's tag is a weak one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = CompressMiddleware(app, minimum_size=_LEAST, zstd=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return

        async def weakening(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                tag = headers.get("etag", "")
                if tag.startswith('"') and "content-encoding" in headers:
                    headers["etag"] = f"W/{tag}"
            await send(message)

        await self._compressed(scope, receive, weakening)
