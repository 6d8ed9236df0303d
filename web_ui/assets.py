"""Streamlit's own scripts and styles, packed once and kept: they are two thirds smaller to whoever comes anew.

Streamlit sends them as they are, since packing them for each request would cost more than it saves.
"""

import asyncio
import gzip
import re

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ASSET = re.compile(r"/static/(?:js|css)/[\w.-]+\.(?:js|css)")  # one spelling of each: what is kept is finite

_TOLD = ("content-type", "cache-control", "etag", "last-modified")  # nothing that is for one reader


class PackedAssets:
    """ASGI middleware. Whatever else is asked for, and whoever takes no packed answer, passes it by."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[str, Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if not _takes_packed(scope):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path not in self._kept:
            whole = await _whole(self._app, scope, receive)
            if whole.status_code != 200:
                await whole(scope, receive, send)
                return
            self._kept[path] = await asyncio.to_thread(_packed, whole)
        await self._kept[path](scope, receive, send)


def _takes_packed(scope: Scope) -> bool:
    """Whether it is an asset that is asked for, whole, by who unpacks it."""
    if scope["type"] != "http" or scope["method"] != "GET" or not _ASSET.fullmatch(scope["path"]):
        return False
    headers = Headers(scope=scope)
    taken = {each.strip() for each in headers.get("accept-encoding", "").split(",")}
    return "gzip" in taken and "range" not in headers


async def _whole(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """What the application answers, once all of it is there."""
    answer, body = Response(), bytearray()

    async def hear(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status_code, answer.raw_headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    await app(scope, receive, hear)
    answer.body = bytes(body)
    return answer


def _packed(whole: Response) -> Response:
    told = {name: value for name in _TOLD if (value := whole.headers.get(name)) is not None}
    tag = {"etag": f"W/{told['etag'].removeprefix('W/')}"} if "etag" in told else {}  # of other bytes by now
    packed = {"content-encoding": "gzip", "vary": "Accept-Encoding"}
    return Response(gzip.compress(bytes(whole.body), mtime=0), headers=told | tag | packed)
