"""The workflow's consumer: load, fold, decide, record; delivered twice, it records once."""

from typing import Any

from events.base import Envelope
from events.delivery.work import Result, ShortHandler
from events.log.memory import MemoryJournal
from events.processing import FaultKind, Stage
from orchestrator.subscribers import workflow_handler
from orchestrator.workflow import AnalysisState, Policy, replay
from tests.support.analyses import CONTEXT, STREAM, cloned, completed, failed, requested
from tests.support.kernel import a_draft

NOBODY: Any = None  # the journal is read without a connection


def handler(journal: MemoryJournal) -> ShortHandler:
    async def read(_connection: object, stream_id: str, after: int) -> list[Envelope]:
        return await journal.read_stream(stream_id, after=after)

    return workflow_handler(read, Policy())


async def test_the_first_decision_goes_on_from_the_state_that_is_kept() -> None:
    journal, read = MemoryJournal(), list[int]()
    history = await journal.append(
        STREAM, [a_draft(event).model_copy(update={"context": CONTEXT}) for event in (requested(), cloned())]
    )

    async def read_stream(_connection: object, stream_id: str, after: int) -> list[Envelope]:
        read.append(after)
        return await journal.read_stream(stream_id, after=after)

    async def kept(_connection: object, _stream_id: str) -> tuple[AnalysisState, int]:
        return replay(history[:1]), 1

    from_kept = workflow_handler(read_stream, Policy(), read_kept=kept)
    results = [await decide(history[1], NOBODY) for decide in (handler(journal), from_kept, from_kept)]

    assert results[0] == results[1] == results[2]
    assert read == [1, 2]  # then what was read is remembered


async def _hear(journal: MemoryJournal, event: Any) -> Result:
    draft = a_draft(event).model_copy(update={"context": CONTEXT})
    [envelope] = await journal.append(STREAM, [draft])
    return await handler(journal)(envelope, NOBODY)


async def _record(journal: MemoryJournal, result: Result) -> None:
    for append in result.appends:
        await journal.append(append.stream_id, append.drafts, expected=append.expected)


async def test_a_request_is_answered_with_a_run_at_the_version_it_was_decided_on() -> None:
    result = await _hear(MemoryJournal(), requested())

    [append] = result.appends
    assert (append.stream_id, append.expected, len(append.drafts)) == (STREAM, 1, 1)
    assert append.drafts[0].stage == "clone"


async def test_a_transient_fault_sets_the_timer_with_the_fact() -> None:
    journal = MemoryJournal()
    await _record(journal, await _hear(journal, requested()))
    result = await _hear(journal, failed(Stage.CLONE, kind=FaultKind.TRANSIENT))

    [timer] = result.timers
    assert (timer.stream_id, timer.kind, timer.data["attempt"]) == (STREAM, "retry", 1)


async def test_the_same_message_twice_records_once() -> None:
    journal = MemoryJournal()
    [envelope] = await journal.append(STREAM, [a_draft(requested())])
    handle = handler(journal)
    first = await handle(envelope, NOBODY)
    twin = await handle(envelope, NOBODY)
    await _record(journal, first)

    assert twin.appends[0].drafts[0].event_id == first.appends[0].drafts[0].event_id
    assert await handle(envelope, NOBODY) == Result()


async def test_what_decides_nothing_records_nothing() -> None:
    journal = MemoryJournal()
    await _record(journal, await _hear(journal, requested()))
    await _record(journal, await _hear(journal, cloned(1)))

    assert await _hear(journal, completed(Stage.METADATA)) == Result()


async def test_what_was_read_before_is_not_read_again_and_decides_the_same() -> None:
    """A handler that saw the stream grow says what one says that sees all of it for the first time."""
    journal, asked = MemoryJournal(), list[int]()

    async def read(_connection: object, stream_id: str, after: int) -> list[Envelope]:
        asked.append(after)
        return await journal.read_stream(stream_id, after=after)

    handle = workflow_handler(read, Policy())
    for event in (requested(), cloned(), completed(Stage.PARSE), completed(Stage.PARSE, 1)):
        [envelope] = await journal.append(STREAM, [a_draft(event).model_copy(update={"context": CONTEXT})])
        said, anew = await handle(envelope, NOBODY), await handler(journal)(envelope, NOBODY)
        assert said == anew
        await _record(journal, said)

    assert asked[0] == 0
    assert asked == sorted(set(asked))


async def test_an_append_that_did_not_come_to_pass_is_read_for_what_it_is() -> None:
    """What is kept is what was read, never what was decided: a decision may be rolled back."""
    journal = MemoryJournal()
    handle = handler(journal)
    [first] = await journal.append(STREAM, [a_draft(requested()).model_copy(update={"context": CONTEXT})])
    lost = await handle(first, NOBODY)
    again = await handle(first, NOBODY)

    assert again == lost
    assert again.appends[0].expected == 1
