"""What administrators decide on parked messages: done again, or not. Each decision is an event of its stream."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Draft, Envelope, Event, derived_id
from events.catalog import QUESTIONS, WORKFLOW
from events.delivery import dead_letters
from events.delivery.dead_letters import DeadLetter
from events.letters import MessageDiscarded, MessageEdited, MessageRetried
from events.log.postgres import append_in, read_stream_in
from events.log.wake import Wake
from events.processing import RetryRequested, StageRequested
from events.question import QuestionAsked
from orchestrator.adapters.deletion_of_parts import is_hidden
from orchestrator.adapters.journals import accepted_as
from orchestrator.adapters.usage import accept_in
from orchestrator.limits.reserving import AnswerLimits
from orchestrator.workflow import replay
from orchestrator.workflow.asked_again import asked_again
from orchestrator.workflow.edited import edit, next_attempt
from orchestrator.workflow.retrying import again_of

RETRIED, DISCARDED, EDITED = "retried", "discarded", "edited"
_STAGE = "stage."


class Settled(Exception):
    """Something else was decided before: `resolution`."""

    def __init__(self, resolution: str) -> None:
        super().__init__(resolution)
        self.resolution = resolution


class NotRepeatable(Exception):
    """It cannot be done again from here: it is no event of a stream that is there, or has another way back."""


class NotWaiting(Exception):
    """Nothing would run by it: the run does not wait for anybody, or nothing of its analysis goes on."""


def is_repeatable(letter: DeadLetter) -> bool:
    """Whether it can be done again: a message to the workflow, a run of an analysis, or a question."""
    is_known = letter.topic in {WORKFLOW, QUESTIONS} or letter.topic.startswith(_STAGE)
    return letter.stream_id is not None and is_known


class NotEditable(Exception):
    """It is no run of a stage, whose values alone can be changed; or its event cannot be read."""


class Letters:
    """`engine` is the background's: parked messages are the installation's, whoever's event each is."""

    def __init__(self, engine: AsyncEngine, wake: Wake, clock: Callable[[], datetime], limits: AnswerLimits) -> None:
        self._engine = engine
        self._wake = wake
        self._clock = clock
        self._limits = limits

    async def listed(self, *, settled: bool, after: tuple[datetime, UUID] | None, limit: int) -> list[DeadLetter]:
        """Newest first."""
        async with self._engine.connect() as connection:
            return await dead_letters.listed(connection, settled=settled, after=after, limit=limit)

    async def one(self, letter_id: UUID) -> DeadLetter | None:
        """The letter with this id."""
        async with self._engine.connect() as connection:
            return await dead_letters.one(connection, letter_id)

    async def run_again(self, letter_id: UUID, by: UUID) -> DeadLetter | None:
        """Have it done again, once. None where there is no such letter. Raises NotRepeatable, NotWaiting, Settled.

        The workflow decides anew on its stream as that is by now; a run that was parked is asked for as by a retry of
        its shard, a question in the name of whoever asked it. The message itself is not sent again: what it said is in
        the stream.
        """
        async with self._engine.begin() as connection:
            letter = await self._settle(connection, letter_id, RETRIED, only=is_repeatable)
            if letter is not None:
                said: list[Event] = [MessageRetried(letter_id=letter_id, consumer=letter.consumer)]
                said += [await _retry_of(connection, letter)] if letter.topic.startswith(_STAGE) else []
                for event in said:
                    await dead_letters.say(connection, letter, event, by=by, at=self._clock())
                if letter.topic == QUESTIONS:
                    await self._ask_again(connection, letter)
        self._wake.appended()
        return await self.one(letter_id)

    async def request_of(self, letter_id: UUID) -> StageRequested | None:
        """The run that a letter asked for. None where there is no such letter. Raises NotEditable."""
        async with self._engine.connect() as connection:
            letter = await dead_letters.one(connection, letter_id)
            if letter is None:
                return None
            parked, _ = await _parked_run(connection, letter)
            return StageRequested.model_validate(parked.data)

    async def edit(self, letter_id: UUID, changes: Mapping[str, object], by: UUID) -> DeadLetter | None:
        """Have its run done with other values, once, as a new attempt. None where there is no such letter.

        Raises NotEditable, Settled, and ValueError with a sentence where the values cannot be.
        """
        async with self._engine.begin() as connection:
            letter = await self._settle(connection, letter_id, EDITED)
            if letter is not None:
                await self._append_edited(connection, letter, changes, by)
        self._wake.appended()
        return await self.one(letter_id)

    async def discard(self, letter_id: UUID, by: UUID) -> DeadLetter | None:
        """Have it not done, for good. None where there is no such letter. Raises Settled."""
        async with self._engine.begin() as connection:
            letter = await self._settle(connection, letter_id, DISCARDED)
            if letter is not None:
                event = MessageDiscarded(letter_id=letter_id, consumer=letter.consumer)
                await dead_letters.say(connection, letter, event, by=by, at=self._clock())
        self._wake.appended()
        return await self.one(letter_id)

    async def _ask_again(self, connection: AsyncConnection, letter: DeadLetter) -> None:
        """Another attempt at a question. Raises NotRepeatable, NotWaiting."""
        try:
            parked, history = await _parked(connection, letter, QuestionAsked)
            again = asked_again(history, parked, derived_id("asked again", letter.letter_id))
        except (NotEditable, ValidationError):
            raise NotRepeatable from None
        if again is None:
            raise NotWaiting
        id_, at = again.question_id, self._clock()
        await accept_in(connection, parked.tenant_id, id_, at, self._limits.tokens_of(again))
        draft = Draft(event_id=accepted_as(id_), occurred_at=at, context=parked.context, event=again)
        await append_in(connection, parked.stream_id, [draft])
        if await is_hidden(connection, parked.stream_id):
            raise NotWaiting  # it was deleted meanwhile

    async def _append_edited(
        self, connection: AsyncConnection, letter: DeadLetter, changes: Mapping[str, object], by: UUID
    ) -> None:
        parked, history = await _parked_run(connection, letter)
        edited = edit(StageRequested.model_validate(parked.data), changes)
        retry, again = next_attempt(edited.request, replay(history))
        whose = {"letter_id": letter.letter_id, "consumer": letter.consumer}
        told = MessageEdited(**whose, fields=tuple(edited.after), before=edited.before, after=edited.after)
        for event in (told, retry):
            await dead_letters.say(connection, letter, event, by=by, at=self._clock())
        draft = Draft(
            event_id=derived_id(parked.stream_id, again.event_type, again.run_id),
            occurred_at=self._clock(),
            context=parked.context,
            event=again,
            stage=again.stage.value,
        )
        await append_in(connection, parked.stream_id, [draft])

    async def _settle(
        self,
        connection: AsyncConnection,
        letter_id: UUID,
        resolution: str,
        only: Callable[[DeadLetter], bool] | None = None,
    ) -> DeadLetter | None:
        """The letter, where this call decided on it; None where there is none, or the same was decided before."""
        letter = await dead_letters.one(connection, letter_id)
        if letter is None or letter.resolution == resolution:
            return None
        if only is not None and not only(letter):
            raise NotRepeatable
        if await dead_letters.settle(connection, letter_id, resolution):
            return letter
        now = await dead_letters.one(connection, letter_id)
        if now is not None and now.resolution not in {None, resolution}:
            raise Settled(now.resolution or "")
        return None


async def _retry_of(connection: AsyncConnection, letter: DeadLetter) -> RetryRequested:
    """What has its run done again, as its analysis is by now. Raises NotRepeatable, NotWaiting."""
    try:
        parked, history = await _parked_run(connection, letter)
    except NotEditable:
        raise NotRepeatable from None
    retry = again_of(replay(history), StageRequested.model_validate(parked.data))
    if retry is None:
        raise NotWaiting
    return retry


async def _parked_run(connection: AsyncConnection, letter: DeadLetter) -> tuple[Envelope, list[Envelope]]:
    """The event of a letter that asked for a run, opened, and its stream. Raises NotEditable."""
    return await _parked(connection, letter, StageRequested)


async def _parked(
    connection: AsyncConnection, letter: DeadLetter, kind: type[Event]
) -> tuple[Envelope, list[Envelope]]:
    """The event of a letter, opened, and its stream. Raises NotEditable where it is no such event, or was erased."""
    if letter.stream_id is None or letter.event_type != kind.event_type:
        raise NotEditable
    history = await read_stream_in(connection, letter.stream_id)
    parked = next((each for each in history if each.event_id == letter.event_id), None)
    if parked is None or parked.erased:
        raise NotEditable
    return parked, history
