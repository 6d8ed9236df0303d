"""ETags: whoever asks again for what has not changed gets a 304 and no body.

A route that knows the version of what it shows says so before it reads anything (`Known`). For all others the
middleware makes a tag of the body: the work was done, but nothing is sent.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.audit.note import note_of

CACHING = "private, no-cache"  # the reader's own cache alone, and never without asking
_VARY = "Authorization, Cookie"
_PATHS = "/api/v1/"
_CODE = hashlib.blake2b(digest_size=8)  # the same version is told otherwise by other code
for _file in sorted(Path(__file__).parents[1].rglob("*.py")):
    _CODE.update(_file.read_bytes())


class NotModified(Exception):
    """The client has it already."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


def tag_of(parts: Collection[object], *, strong: bool = False) -> str:
    """The entity tag of what the parts determine; a strong one where they determine every byte."""
    made = _CODE.copy()
    for part in parts:
        said = str(part).encode("utf-8", "surrogatepass")
        made.update(len(said).to_bytes(4) + said)
    return f'{"" if strong else "W/"}"{made.hexdigest()}"'


def matches(tag: str, wanted: str) -> bool:
    """Whether `If-None-Match` names the tag, compared weakly (RFC 9110, 13.1.2)."""
    bare = tag.removeprefix("W/")
    return any(each.strip().removeprefix("W/") == bare for each in wanted.split(","))


class Known:
    """What a route says of the version of its answer."""

    def __init__(self, request: Request, response: Response) -> None:
        self._request = request
        self._response = response

    def as_of(self, *version: object, strong: bool = False) -> None:
        """The answer is determined by the address and `version`. Raises NotModified where the client has it."""
        url = self._request.url
        tag = tag_of((url.path, url.query, *version), strong=strong)
        if matches(tag, self._request.headers.get("if-none-match", "")):
            raise NotModified(tag)
        self._response.headers["ETag"] = tag


async def _known(request: Request, response: Response) -> Known:
    return Known(request, response)


Freshness = Annotated[Known, Depends(_known)]


async def on_not_modified(_request: Request, error: Exception) -> Response:
    """304, with the tag."""
    assert isinstance(error, NotModified)  # noqa: S101  # registered for it
    return Response(status_code=304, headers={"ETag": error.tag})


class ConditionalReads:
    """ASGI middleware next to the routes: tags, and what caches may do with an answer. Streams pass it by."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(_PATHS):
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def tagging(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_kept(scope, message):
                start = message
                return
            if start is not None:
                held, start = start, None
                message = _tagged(scope, held, message)
                await send(held)
            await send(message)

        await self._app(scope, receive, tagging)


def _is_kept(scope: Scope, start: Message) -> bool:
    """Whether a client may keep the answer: JSON of a reader's own, but nothing of the audit trail."""
    if start["status"] == 304:
        return True
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] == 200 and kind.startswith("application/json") and not note_of(Request(scope)).sensitive


def _tagged(scope: Scope, start: Message, body: Message) -> Message:
    """The body that is sent, with the headers in `start` that say so; none where the client has it."""
    headers = MutableHeaders(scope=start)
    headers["Cache-Control"] = CACHING
    headers.add_vary_header(_VARY)
    if start["status"] == 304 or body.get("more_body", False):
        return body
    if "etag" not in headers:
        headers["ETag"] = tag_of([body.get("body", b"")])
        if matches(headers["ETag"], Headers(scope=scope).get("if-none-match", "")):
            start["status"] = 304
            for name in ("content-length", "content-type"):
                del headers[name]
            return {"type": "http.response.body", "body": b""}
    return body
