from typing import Any

from fastapi import Request
from starlette.types import Message, Receive, Scope, Send

from orchestrator.api.description import create_api
from orchestrator.api.guard import Guard
from orchestrator.progress.stream import Stream


class Words(Stream):
    """Says two words; notes what its request has left by then."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope
        self.left: set[str] = set()

    def send_away(self) -> None:
        raise NotImplementedError

    async def serve(self, receive: Receive, send: Send) -> None:
        self.left = set(self._scope)
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})


async def _never() -> Message:
    raise AssertionError("nothing more is to be read")


async def test_a_stream_begins_inside_of_what_a_request_passes_and_goes_on_without_it() -> None:
    app, streams, ended, passed, sent = create_api([]), [], [], [], []  # type: ignore[var-annotated]  # filled below

    async def note_end() -> None:
        ended.append(True)

    @app.get("/words")
    async def words(request: Request) -> Any:
        stream = Words(request.scope)
        stream.ended = note_end
        streams.append(stream)
        return stream

    inner = app.build_middleware_stack()

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        async def passing(message: Message) -> None:
            passed.append(message["type"])
            await send(message)

        await Guard(inner, hosts=frozenset(), origins=frozenset())(scope, receive, passing)
        assert not ended

    async def send(message: Message) -> None:
        sent.append(message)

    app.middleware_stack = layer
    received = [(b"host", b"localhost"), (b"cookie", b"c")]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/words",
        "raw_path": b"/words",
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "headers": received,
    }
    await app(scope, _never, send)

    assert passed == ["http.response.start"]
    assert dict(sent[0]["headers"])[b"x-content-type-options"] == b"nosniff"
    assert dict(sent[0]["headers"])[b"content-type"].startswith(b"text/event-stream")
    assert [message["body"] for message in sent[1:]] == [b"one", b"two"]
    assert streams[0].left == {"type", "method", "path", "http_version"}
    assert received == []
    assert ended == [True]


async def test_a_stream_that_comes_after_the_answer_is_over_at_once() -> None:
    ended, sent = [], []

    async def note_end() -> None:
        ended.append(True)

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        stream = Words(scope)
        stream.ended = note_end
        await stream(scope, receive, send)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Message) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "method": "GET", "path": "/x", "headers": [(b"host", b"localhost")]}
    await Guard(late, hosts=frozenset(), origins=frozenset())(scope, _never, send)

    assert sent == ["http.response.start", "http.response.body"]
    assert ended == [True]
    assert "waiting_stream" not in scope["state"]
