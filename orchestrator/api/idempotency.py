"""The one seam of idempotency keys: a POST that comes twice under the same `Idempotency-Key` is done once.

`begin` stands where every route learns who asks, so that no route can be without it. What the request came to is kept
by the middleware, before it is sent.
"""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from uuid import UUID

import structlog
from fastapi import Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.adapters.commits import Done, follow
from orchestrator.adapters.idempotency import Answer, Answers, Asked, Claim
from orchestrator.api.guard import is_streamed
from orchestrator.api.problems import ApiProblem
from orchestrator.audit.note import note_of
from orchestrator.auth.identity import Identity

_log = structlog.get_logger(__name__)
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
PARAMETER: Mapping[str, object] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Sent again with the same request within a day, it is not done again, and the first answer comes.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$", "title": HEADER},
}
_KEY = re.compile(r"[!-~]{1,200}")
_CLAIM = "idempotency_claim"
_DONE = "idempotency_done"
_TOLD = ("content-type", "location", "retry-after")
_NOT_DONE = frozenset({401, 403, 429})  # and what failed before it wrote: a later request may fare better
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Replayed(Exception):
    """The request was answered before."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


async def begin(request: Request, who: Identity, answers: Answers, content: bytes | None = None) -> None:
    """Claim what a POST under a key asks for. Raises Replayed where it was done, ApiProblem as `Answers.claim`.

    A body that nobody holds is waited for: its route says by `content`, once it is there, what it was.
    """
    keys = request.headers.getlist(HEADER)
    if not keys or request.method != "POST" or (content is None and is_streamed(request.scope)):
        return
    if len(keys) > 1 or _KEY.fullmatch(keys[0]) is None:
        raise ApiProblem("invalid_request", f"{HEADER}: send one, of 1 to 200 visible ASCII characters.")
    route = request.scope["route"]
    name = ".".join([*(str(tag) for tag in route.tags[:1]), route.name])
    body = await request.body() if content is None else content
    found = await answers.claim(who, Asked(name, keys[0], _fingerprint(request, who, body)))
    if isinstance(found, Answer):
        note_of(request).action = f"{name}.repeated"
        raise Replayed(found)
    request.scope["state"][_CLAIM] = found
    done: Done = request.scope["state"][_DONE]
    done.may_stand = False  # what was written before is no part of what is asked for


def _fingerprint(request: Request, who: Identity, body: bytes) -> bytes:
    """Of what is asked for, and by which proof: a key or a program is not shown what only a person may see."""
    asked = hashlib.sha256()
    for part in (
        who.proof.value.encode(),
        str(who.proof_id).encode(),
        request.url.path.encode(),
        request.scope.get("query_string", b""),
    ):
        asked.update(len(part).to_bytes(4) + part)
    asked.update(body)
    return asked.digest()


async def on_replayed(_request: Request, error: Exception) -> Response:
    """The first answer again."""
    assert isinstance(error, Replayed)  # noqa: S101  # registered for it
    answer = error.answer
    return Response(answer.body, answer.status, {**answer.headers, REPLAYED: "true"})


class KeepAnswers:
    """ASGI middleware next to the routes: what a claimed request came to is kept before it is sent."""

    def __init__(self, app: ASGIApp, *, answers: Answers) -> None:
        self._app = app
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        held: list[Message] = []
        scope.setdefault("state", {})[_DONE] = follow()

        async def keeping(message: Message) -> None:
            if _CLAIM not in scope["state"]:
                await send(message)
                return
            held.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                await self._settle(scope, held)
                for each in held:
                    await send(each)

        try:
            await self._app(scope, receive, keeping)
        finally:
            if (claim := scope["state"].pop(_CLAIM, None)) is not None:  # it was cut off, or failed
                await asyncio.shield(self._end(scope, claim))

    async def _settle(self, scope: Scope, held: list[Message]) -> None:
        """Keep the answer, or end the claim. Where that fails, the client gets its answer all the same."""
        claim: Claim = scope["state"].pop(_CLAIM)
        status = held[0]["status"]
        if status >= 500 or status in _NOT_DONE:
            await self._end(scope, claim)
            return
        headers = Headers(raw=held[0]["headers"])
        body = b"".join(message.get("body", b"") for message in held[1:]).decode()
        told = {name: headers[name] for name in _TOLD if name in headers}
        try:
            await self._answers.keep(claim, Answer(status, told, body), _ids(scope["path"] + body))
        except Exception as error:  # noqa: BLE001  # it is done: a repeat will be told that nobody knows
            _log.error("answer_not_kept", error=repr(error)[:300])

    async def _end(self, scope: Scope, claim: Claim) -> None:
        """Give the claim up where nothing was done by it, else let a repeat hear that nobody knows."""
        done: Done = scope["state"][_DONE]
        try:
            await (self._answers.lose(claim) if done.may_stand else self._answers.release(claim))
        except Exception as error:  # noqa: BLE001  # the request's own failure is what is to be told
            _log.warning("claim_not_ended", error=repr(error)[:300])


def _ids(words: str) -> list[UUID]:
    return sorted({UUID(found) for found in _ID.findall(words.lower())})
