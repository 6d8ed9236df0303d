"""A transport that keeps what was read with its entity tag, and has the API say each time whether it still holds."""

import time
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

import httpx

KEPT = 32 << 20  # bytes
_LIFE = 600.0  # seconds
_SWEEP = 60.0  # seconds between two looks for what is too old
_NOT_MODIFIED = 304

Asked = tuple[str, httpx.URL]  # by whom, and what


class Answer(NamedTuple):
    """A body of JSON and its entity tag; `until` is by the monotonic clock."""

    tag: str
    body: bytes
    until: float


class Answers:
    """The newest ones, up to `most` bytes and for eleven minutes. For several threads."""

    def __init__(self, most: int = KEPT, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._size = 0
        self._sweep_at = 0.0
        self._kept: dict[Asked, Answer] = {}
        self._lock = Lock()

    def get(self, asked: Asked) -> Answer | None:
        """What is kept, which now is the newest."""
        now = self._clock()
        with self._lock:
            self._sweep(now)
            found = self._kept.get(asked)
            if found is not None and found.until <= now:
                self._drop([asked])
                return None
            if found is not None:
                self._kept[asked] = self._kept.pop(asked)
            return found

    def put(self, asked: Asked, tag: str, body: bytes) -> None:
        """Keep an answer in place of the one of before; a large one is not worth it. What is too old goes."""
        now = self._clock()
        with self._lock:
            self._sweep(now)
            self._drop([asked] if asked in self._kept else [])
            if len(body) > self._most // 16:
                return
            self._kept[asked] = Answer(tag, body, now + _LIFE)
            self._size += len(body)
            while self._size > self._most:
                self._drop([next(iter(self._kept))])

    def _sweep(self, now: float) -> None:
        if now >= self._sweep_at:
            self._sweep_at = now + _SWEEP
            self._drop([place for place, kept in self._kept.items() if kept.until <= now])

    def _drop(self, places: list[Asked]) -> None:
        for place in places:
            self._size -= len(self._kept.pop(place).body)


class Keeping(httpx.BaseTransport):
    """Sends by `inner`. What was read is kept for whoever asks for it again, and for nobody else.

    `whose` says who is asking at the moment: one word for each of them. A reply is shown only after the API, which
    looks at the credential of the request first, has said that it holds.
    """

    def __init__(
        self, whose: Callable[[], str], inner: httpx.BaseTransport | None = None, answers: Answers | None = None
    ) -> None:
        self._whose = whose
        self._inner = inner or httpx.HTTPTransport(trust_env=False)
        self._answers = answers or Answers()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """As `httpx.BaseTransport.handle_request`."""
        if request.method != "GET":
            return self._inner.handle_request(request)
        asked = (self._whose(), request.url)
        known = self._answers.get(asked)
        if known is not None:
            request.headers["If-None-Match"] = known.tag
        reply = self._inner.handle_request(request)
        if known is not None and reply.status_code == _NOT_MODIFIED:
            reply.read()  # or its connection is not free
            reply.close()
            return httpx.Response(200, headers={"ETag": known.tag}, content=known.body)
        tag = reply.headers.get("ETag")
        if tag is not None and reply.status_code == httpx.codes.OK and _is_json(reply):
            self._answers.put(asked, tag, reply.read())
        return reply

    def close(self) -> None:
        """Give the connections back."""
        self._inner.close()


def _is_json(reply: httpx.Response) -> bool:
    """Whether it is read whole anyway: no stream, no download."""
    return str(reply.headers.get("Content-Type", "")).startswith("application/json")
