"""The orchestrator's API, as the commands need it. Every error is an `ApiError`: one sentence and an exit code."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from cli.exits import UNREACHABLE, USAGE
from cli.home import Home
from runtime.settings import HomeSettings, InternalSettings

Json = dict[str, Any]  # a reply, in the shapes of orchestrator/api/models.py
_SILENCE = 20.0  # seconds; heartbeats come every five


class ApiError(Exception):
    """The API refused, or does not answer."""

    def __init__(self, code: str, detail: str, exit_code: int) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.exit_code = code, detail, exit_code


@dataclass(frozen=True)
class ServerSent:
    """One message of a stream of server-sent events; `data` is its JSON."""

    event: str
    data: Json
    id: str | None


def api_url() -> str:
    """Where the orchestrator answers: as configured, else where the running `up` says, else its usual port."""
    if os.environ.get("REPOSTREAM_INTERNAL_ORCHESTRATOR_URL"):
        return InternalSettings().orchestrator_url
    running = Home(HomeSettings().home).running()
    return running.api if running and running.api else InternalSettings().orchestrator_url


class Api:
    """One connection to the orchestrator at `url`."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            timeout=httpx.Timeout(15.0, connect=3.0),
            trust_env=False,
            transport=transport,
        )

    def get(self, path: str, **params: str | int | None) -> Json:
        """The JSON at `path`; a list comes as `{"items": […]}`. Raises ApiError."""
        return self._json("GET", path, params={name: value for name, value in params.items() if value is not None})

    def post(self, path: str, body: Json | None = None) -> Json:
        """The reply to `body`. Raises ApiError."""
        return self._json("POST", path, json=body)

    @contextmanager
    def stream(self, path: str, after: str | None = None) -> Iterator[Iterator[ServerSent]]:
        """Server-sent events from `path`, after the event `after`. Raises ApiError where refused or broken off."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        timeout = httpx.Timeout(_SILENCE, connect=3.0)
        try:
            with self._http.stream("GET", path, headers=headers, timeout=timeout) as reply:
                if not reply.is_success:
                    reply.read()
                    raise _refusal(reply)
                yield read_events(reply.iter_lines())
        except httpx.HTTPError as error:
            raise _unreachable(self.url) from error

    def _json(self, method: str, path: str, **options: Any) -> Json:  # noqa: ANN401  # httpx's own options
        try:
            reply = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise _unreachable(self.url) from error
        if not reply.is_success:
            raise _refusal(reply)
        try:
            body = reply.json() if reply.content else {}
        except ValueError as error:
            raise _unexpected(reply) from error
        return body if isinstance(body, dict) else {"items": body}


def part(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")


def read_events(lines: Iterator[str]) -> Iterator[ServerSent]:
    """Messages out of the lines of a `text/event-stream`; comments and what is no JSON object are left out."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            text = value.removeprefix(" ")
            if name == "data" and "data" in fields:
                text = f"{fields['data']}\n{text}"
            fields[name] = text
            continue
        data = _object(fields.get("data", ""))
        if data is not None:
            yield ServerSent(fields.get("event", "message"), data, fields.get("id"))
        fields = {}


def _object(text: str) -> Json | None:
    if not text:
        return None
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _refusal(reply: httpx.Response) -> ApiError:
    try:
        problem = reply.json()
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return _unexpected(reply)
    return ApiError(code, detail, USAGE if reply.status_code < 500 else UNREACHABLE)


def _unexpected(reply: httpx.Response) -> ApiError:
    detail = f"{reply.url} answered with HTTP status {reply.status_code} and nothing this command understands."
    return ApiError("unexpected_reply", detail, UNREACHABLE)


def _unreachable(url: str) -> ApiError:
    detail = f"Nothing answers at {url}: start it with `repostream up`, or add --up where the command has it."
    return ApiError("orchestrator_unreachable", detail, UNREACHABLE)
