"""One connection pool to the API. Every error is an `ApiError` that carries a `Problem` fit to be shown."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from runtime.client.operations import Operations
from runtime.client.shapes import Problem
from runtime.client.stream import ServerSent, read_events

__all__ = ["ApiError", "Client", "ServerSent"]

T = TypeVar("T")
Parameters = Mapping[str, str | int | bool | None]
_SILENCE = 20.0  # seconds; heartbeats of a stream come every five
_PATIENCE, _PAUSE = 20, 1.0  # times, seconds: what a request may take at most, and a little
_LONGEST_SILENCE = 60.0  # seconds between two pieces of a download
_WORK = 620.0  # seconds until a bundle is made, or a file that was sent is looked through
_PIECE = 1 << 16
_HINT = "It may be starting: try again in a few seconds."


class ApiError(Exception):
    """A request that did not succeed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.detail}")
        self.problem = problem


class Client(Operations):
    """Calls the API at `url`, in any thread.

    `authorization` is asked before each request for the `Authorization` header, `on_behalf` for the headers that say
    for whom it asks, where that is not whoever owns this process; `hint` says what to do where nobody answers.
    Not `compressed`: over a wire that is faster than the work of packing.
    """

    def __init__(
        self,
        url: str,
        transport: httpx.BaseTransport | None = None,
        *,
        authorization: Callable[[], str | None] = lambda: None,
        on_behalf: Callable[[], Mapping[str, str]] = dict,
        hint: str = _HINT,
        compressed: bool = True,
    ) -> None:
        self.url = url
        self._authorization = authorization
        self._on_behalf = on_behalf
        self._hint = hint
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(_SILENCE, connect=3.0),
            trust_env=False,
            follow_redirects=False,
            headers=None if compressed else {"Accept-Encoding": "identity"},
            transport=transport,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _call(
        self,
        shape: type[T],
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        headers: Parameters | None = None,
        body: BaseModel | BinaryIO | None = None,
    ) -> T:
        reply = self._send(method, path, params=params, headers=headers, body=body)
        try:
            return TypeAdapter(shape).validate_json(reply.content or b"null")
        except ValidationError as error:
            raise ApiError(_not_understood(reply)) from error

    def _content(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        headers: Parameters | None = None,
        body: BaseModel | BinaryIO | None = None,
    ) -> bytes:
        return self._send(method, path, params=params, headers=headers, body=body).content

    def download(self, path: str, pieces: Callable[[bytes], object]) -> None:
        """Hand each piece of what `path` answers to `pieces`, as it comes. Raises ApiError; broken off, too."""
        silence = _WORK if urlsplit(path).path.endswith("/bundle") else _LONGEST_SILENCE
        timeout = httpx.Timeout(silence, connect=3.0)
        try:
            with self._http.stream("GET", path, headers=self._headers(None), timeout=timeout) as reply:
                if not reply.is_success:
                    reply.read()
                    raise ApiError(read_problem(reply))
                for piece in reply.iter_bytes():
                    pieces(piece)
        except httpx.HTTPError as error:
            raise ApiError(self._unreachable()) from error

    @contextmanager
    def _stream(
        self, path: str, *, params: Parameters | None = None, headers: Parameters | None = None
    ) -> Iterator[Iterator[ServerSent]]:
        sent = self._headers(headers) | {"Accept": "text/event-stream"}
        timeout = httpx.Timeout(_SILENCE, connect=3.0)
        try:
            with self._http.stream("GET", path, params=_known(params), headers=sent, timeout=timeout) as reply:
                if not reply.is_success:
                    reply.read()
                    raise ApiError(read_problem(reply))
                yield read_events(reply.iter_lines())
        except httpx.HTTPError as error:
            raise ApiError(self._unreachable()) from error

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None,
        headers: Parameters | None,
        body: BaseModel | BinaryIO | None,
    ) -> httpx.Response:
        sent = self._headers(headers)
        if "Idempotency-Key" in (headers or {}):
            sent.setdefault("Idempotency-Key", str(uuid4()))
        if body is not None:
            sent["Content-Type"] = "application/json" if isinstance(body, BaseModel) else "application/octet-stream"
        if body is not None and not isinstance(body, BaseModel):
            sent["Content-Length"] = str(body.seek(0, 2))

        def asked() -> httpx.Request:
            content = body.model_dump_json(exclude_unset=True) if isinstance(body, BaseModel) else _pieces(body)
            is_long = not isinstance(content, str | None) or path.endswith("/bundle")
            patience = httpx.Timeout(_SILENCE, connect=3.0, read=_WORK if is_long else _SILENCE)
            return self._http.build_request(
                method, path, params=_known(params), headers=sent, content=content, timeout=patience
            )

        try:
            repeatable = method == "GET" or "Idempotency-Key" in sent
            reply = self._settled(asked) if repeatable else self._http.send(asked())
        except httpx.HTTPError as error:
            raise ApiError(self._unreachable()) from error
        if not reply.is_success:
            raise ApiError(read_problem(reply))
        return reply

    def _settled(self, asked: Callable[[], httpx.Request]) -> httpx.Response:
        """The reply to a request that may be sent again: what the first of two came to, not that it is at work."""
        reply = self._twice(asked)
        for _ in range(_PATIENCE):
            if reply.status_code != 409 or read_problem(reply).code != "idempotency_in_flight":
                break
            time.sleep(_PAUSE)
            reply = self._twice(asked)
        return reply

    def _twice(self, asked: Callable[[], httpx.Request]) -> httpx.Response:
        """The reply; asked for again where a connection that had been kept was closed under the request."""
        try:
            return self._http.send(asked())
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            return self._http.send(asked())

    def _headers(self, headers: Parameters | None) -> dict[str, str]:
        authorization = self._authorization()
        shown = {"Authorization": authorization} if authorization else {}
        return _known(headers) | dict(self._on_behalf()) | shown

    def _unreachable(self) -> Problem:
        return local_problem("orchestrator_unreachable", "The analysis service does not answer", self._hint, 502)


def local_problem(code: str, title: str, detail: str, status: int) -> Problem:
    """A problem that the client itself has to tell."""
    return Problem(
        type=f"urn:repostream:problem:{code}", title=title, detail=detail, code=code, status=status, correlation_id=""
    )


def read_problem(reply: httpx.Response) -> Problem:
    """The problem that an unsuccessful reply describes, or one that says how it answered instead."""
    try:
        return Problem.model_validate_json(reply.content)
    except ValidationError:
        return _not_understood(reply)


def _not_understood(reply: httpx.Response) -> Problem:
    title = "The analysis service gave an answer that is not understood here"
    detail = f"It answered with HTTP status {reply.status_code}."
    return local_problem("unexpected_reply", title, detail, reply.status_code)


def _pieces(file: BinaryIO | None) -> Iterator[bytes] | None:
    """A file from its beginning, piece by piece."""
    if file is None:
        return None
    file.seek(0)
    return iter(lambda: file.read(_PIECE), b"")


def _known(params: Parameters | None) -> dict[str, str]:
    return {name: _text(value) for name, value in (params or {}).items() if value is not None}


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
