"""The stream of an answer looks at the log when it hears of the end, and when nobody tells it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from starlette.types import Message

from events.base import Event
from events.log.memory import MemoryJournal
from events.question import AnswerRated, QuestionFailed
from orchestrator.api.answers import AnswerStream, Watched
from orchestrator.api.models import QuestionView
from orchestrator.progress.channels import Channels, order_of
from orchestrator.progress.hub import Hub
from runtime.live import WRITTEN, LiveChannels
from tests.support.delivery import until
from tests.support.kernel import a_context, a_draft

QUESTION = uuid4()
CHANNEL = LiveChannels(a_context().tenant_id).answer(QUESTION)
VERSION = 2  # of the conversation when the stream began
FAILED = QuestionFailed(question_id=QUESTION, query="Where?", code="x", message="y")


class Kept(Redis):
    """The channel as Redis keeps it; `entries` are its parts."""

    def __init__(self) -> None:
        self.entries: list[tuple[bytes, dict[bytes, bytes]]] = []
        self.away = False

    async def xrange(self, name: Any, min: Any = "-", max: Any = "+", count: int | None = None) -> Any:  # noqa: A002  # as redis-py has it
        assert (name, max) == (CHANNEL, "+")
        if self.away:
            raise RedisConnectionError
        after = order_of(str(min).removeprefix("("))
        return [entry for entry in self.entries if order_of(entry[0].decode()) > after][:count]


class Viewer:
    """One viewer. `stored` is what the log has; `looks` counts how often it was asked."""

    def __init__(self) -> None:
        self.kept, self.looking = Kept(), asyncio.Event()
        self.looking.set()
        self.channels, self.sent, self.looks = Channels(self.kept), b"", 0
        self.stored = QuestionView(
            question_id=QUESTION, conversation_id=uuid4(), repository_id=uuid4(), query="Where?", state="asked",
            asked_at=datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        watched = Watched(self.stored, VERSION, self._look)
        stream = AnswerStream(CHANNEL, self.channels, watched, Hub(), after=None)
        self.serving = asyncio.create_task(stream.serve(self._receive, self._send))

    def keep(self, *parts: dict[str, object]) -> None:
        """Write parts that the process has not read yet."""
        newest = len(self.kept.entries)
        entries = [(f"{newest + n}-0", {b"part": json.dumps(part).encode()}) for n, part in enumerate(parts, 1)]
        self.kept.entries += [(entry_id.encode(), fields) for entry_id, fields in entries]

    def write(self, *parts: dict[str, object]) -> None:
        """Write parts, and read them."""
        self.keep(*parts)
        [listener] = self.channels._listeners[CHANNEL]
        listener.put((0, 0), [(entry_id.decode(), fields) for entry_id, fields in self.kept.entries])

    @property
    def told(self) -> list[str]:
        """What the parts said, or their types where they have no words."""
        parts = [json.loads(line[6:]) for line in self.sent.split(b"\n") if line.startswith(b"data: ")]
        return [part.get("text", part["type"]) for part in parts]

    async def say(self, event: Event, version: int = VERSION + 2) -> None:
        [envelope] = await MemoryJournal().append(f"conversation/{uuid4()}", [a_draft(event)])
        self.channels.publish(envelope.model_copy(update={"version": version}))

    def record(self) -> None:
        self.stored = self.stored.model_copy(update={"state": "failed", "code": "x", "message": "y"})

    async def _look(self) -> QuestionView:
        self.looks += 1
        await self.looking.wait()
        return self.stored

    async def _receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def _send(self, message: Message) -> None:
        self.sent += message.get("body", b"")


@pytest.fixture
async def viewer() -> AsyncIterator[Viewer]:
    made = Viewer()
    await until(lambda: CHANNEL in made.channels._listeners)
    yield made
    made.serving.cancel()


async def test_an_answer_that_is_heard_of_is_looked_at_once(viewer: Viewer) -> None:
    for word in ("a", "b", "c"):
        viewer.write({"type": "token", "text": word})
        await until(lambda word=word: f'"{word}"'.encode() in viewer.sent)  # type: ignore[misc]
    viewer.write({"type": WRITTEN})
    viewer.record()
    await viewer.say(FAILED)
    async with asyncio.timeout(1):
        await viewer.serving

    assert viewer.looks == 1
    assert viewer.sent.count(b"event: part") == 4
    assert json.loads(viewer.sent.rpartition(b"data: ")[2])["question"]["code"] == "x"


async def test_an_end_that_nobody_tells_of_is_found(viewer: Viewer) -> None:
    viewer.write({"type": WRITTEN})
    await until(lambda: viewer.looks >= 1)
    viewer.record()
    async with asyncio.timeout(2):
        await viewer.serving

    assert b'"failed"' in viewer.sent
    assert viewer.looks < 6


@pytest.mark.parametrize(
    "event", [AnswerRated(question_id=QUESTION, rating=1), FAILED.model_copy(update={"question_id": UUID(int=1)})]
)
async def test_what_else_happens_ends_no_stream(viewer: Viewer, event: Event) -> None:
    [listener] = viewer.channels._listeners[CHANNEL]
    await viewer.say(event)
    elsewhere = listener.end is not None
    await viewer.say(FAILED)

    assert (elsewhere, listener.end is not None) == (False, True)


async def test_words_that_were_not_read_before_the_end_was_heard_of_are_told_before_it(viewer: Viewer) -> None:
    viewer.write({"type": "token", "text": "read"})
    viewer.keep({"type": "token", "text": "not read"}, {"type": WRITTEN})
    viewer.record()
    await viewer.say(FAILED)
    async with asyncio.timeout(1):
        await viewer.serving

    assert viewer.told == ["read", "not read", "failed"]
    assert viewer.looks == 1


async def test_words_that_came_while_the_log_was_looked_at_are_told_before_the_end(viewer: Viewer) -> None:
    viewer.looking.clear()  # a busy database
    viewer.write({"type": WRITTEN})  # by a writer that died
    await until(lambda: viewer.looks == 1)
    viewer.write(*({"type": "token", "text": str(number)} for number in range(1_200)), {"type": WRITTEN})
    viewer.record()
    await viewer.say(FAILED)
    viewer.looking.set()
    async with asyncio.timeout(2):
        await viewer.serving

    assert viewer.told == [*map(str, range(1_200)), "failed"]


async def test_without_redis_the_answer_comes_without_the_words_that_were_not_read(viewer: Viewer) -> None:
    viewer.write({"type": "token", "text": "read"})
    viewer.keep({"type": "token", "text": "not read"})
    viewer.kept.away = True
    viewer.record()
    await viewer.say(FAILED)
    async with asyncio.timeout(1):
        await viewer.serving

    assert viewer.told == ["read", "failed"]


async def test_an_end_that_follows_what_was_read_is_told_without_a_look_at_the_log(viewer: Viewer) -> None:
    viewer.keep({"type": "token", "text": "word"}, {"type": WRITTEN})
    await viewer.say(FAILED, version=VERSION + 1)
    async with asyncio.timeout(1):
        await viewer.serving

    assert viewer.told == ["word", "failed"]
    assert json.loads(viewer.sent.rpartition(b"data: ")[2])["question"]["message"] == "y"
    assert viewer.looks == 0
