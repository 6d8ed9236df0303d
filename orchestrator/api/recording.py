"""The one seam of the audit trail: every request that changes something or is refused leaves an entry.

An allowed change is durable in the trail before its answer is sent; where that fails, the answer is a 503 instead.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.api.problems import MEDIA_TYPE, RETRY_AFTER, body_of
from orchestrator.audit.entry import Entry, Outcome, clean, created_by, target_of
from orchestrator.audit.note import Note, begin_note
from orchestrator.audit.rules import CHANGING, is_recorded, outcome_of
from orchestrator.audit.trail import NotRecorded, Trail
from orchestrator.auth.identity import NOBODY

_CODES = {401: "not_signed_in", 403: "forbidden", 404: "not_found", 429: "rate_limited"}
_LONGEST_PROBLEM = 4_096


class RecordRequests:
    """ASGI middleware around the guard, whose refusals are recorded too."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        trail: Trail,
        address_of: Callable[[HTTPConnection], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._app = app
        self._trail = trail
        self._address_of = address_of
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; only HTTP is recorded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._trail.full and scope["method"] in CHANGING:
            await _send_problem(send, "Nothing was done, for it could not be put on record.", str(uuid4()), [])
            return
        connection = HTTPConnection(scope)
        request = _Request(connection, begin_note(connection), self._address_of(connection), self._clock())
        answer = _Answer(request, self._trail, send)
        try:
            await self._app(scope, receive, answer)
        finally:
            answer.over()


class _Request:
    """What is known of a request."""

    __slots__ = ("address", "at", "note", "scope")

    def __init__(self, connection: HTTPConnection, note: Note, address: str, at: datetime) -> None:
        self.scope = connection.scope
        self.note = note
        self.at = at
        self.address = address

    def is_recorded(self, status: int | None) -> bool:
        if self.note.idle and outcome_of(status) is Outcome.ALLOWED:
            return False
        route = self.scope.get("route")
        return is_recorded(
            self.scope["method"],
            status,
            route=getattr(route, "name", None),
            known=self.note.identity is not None,
            sensitive=self.note.sensitive,
            scopes=self.note.scopes,
        )

    def entry(self, status: int | None, code: str, location: str | None = None) -> Entry:
        route: Any = self.scope.get("route")
        who = self.note.identity
        tags = [str(getattr(tag, "value", tag)) for tag in getattr(route, "tags", ())]
        name = ".".join([*tags[:1], route.name]) if route is not None else "request"
        path = getattr(route, "path", "")
        target = self.note.target or target_of(path, self.scope.get("path_params", {})) or created_by(location)
        code = self.note.code or code
        return Entry(
            entry_id=uuid4(),
            at=self.at,
            action=clean(self.note.action or name),
            outcome=Outcome.REFUSED if self.note.code and outcome_of(status) is Outcome.ALLOWED else outcome_of(status),
            target=target,
            status=status,
            code=clean(code),
            tenant_id=who.tenant_id if who else None,
            user_id=who.user_id if who and who.user_id != NOBODY else None,
            proof=who.proof.value if who else "",
            proof_id=who.proof_id if who else None,
            address=clean(self.address),
            agent=clean(Headers(scope=self.scope).get("user-agent", "")),
            correlation_id=_uuid(self.scope.get("state", {}).get("correlation_id")),
        )


class _Answer:
    """`send`, which lets an allowed change's answer go only once it is on record."""

    __slots__ = ("_problem", "_replaced", "_request", "_send", "_settled", "_status", "_trail")

    def __init__(self, request: _Request, trail: Trail, send: Send) -> None:
        self._request = request
        self._trail = trail
        self._send = send
        self._status: int | None = None
        self._settled = False
        self._replaced = False
        self._problem = b""

    async def __call__(self, message: Message) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            self._status = message["status"]
            allowed = message["status"] < 400 and not self._request.note.code
            if allowed and not await self._recorded(Headers(raw=message["headers"])):
                await self._refuse(message)
                return
        elif self._status is not None and self._status >= 400 and len(self._problem) < _LONGEST_PROBLEM:
            self._problem += message.get("body", b"")
        await self._send(message)

    async def _recorded(self, headers: Headers) -> bool:
        self._settled = True
        if not self._request.is_recorded(self._status):
            return True
        try:
            await self._trail.record(self._request.entry(self._status, "", headers.get("location")))
        except NotRecorded:
            return False
        return True

    async def _refuse(self, start: Message) -> None:
        """The change is done and its entry in line, but not durable: the client must not hear that all is well."""
        self._replaced = True
        headers = MutableHeaders(raw=list(start["headers"]))
        for name in ("content-length", "content-encoding", "location", "etag", "set-cookie"):
            del headers[name]
        detail = "It may have been done, but is not on record yet: look again in a moment."
        correlation_id = str(self._request.scope["state"].get("correlation_id", ""))
        await _send_problem(self._send, detail, correlation_id, headers.raw)

    def over(self) -> None:
        """The request has ended: record it where that was not done before the answer."""
        if not self._settled and self._request.is_recorded(self._status):
            self._trail.note(self._request.entry(self._status, self._code()))

    def _code(self) -> str:
        if self._status is None:
            return "no_answer"
        try:
            code = json.loads(self._problem[:_LONGEST_PROBLEM]).get("code")
        except (ValueError, AttributeError):
            code = None
        return code if isinstance(code, str) else _CODES.get(self._status, "")


async def _send_problem(send: Send, detail: str, correlation_id: str, raw: list[tuple[bytes, bytes]]) -> None:
    headers = MutableHeaders(raw=raw)
    headers["content-type"] = MEDIA_TYPE
    headers["retry-after"] = RETRY_AFTER["Retry-After"]
    body = body_of("audit_unavailable", detail, correlation_id)
    await send({"type": "http.response.start", "status": body.status, "headers": headers.raw})
    await send({"type": "http.response.body", "body": body.model_dump_json().encode()})


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
