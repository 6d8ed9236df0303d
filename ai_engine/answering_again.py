"""Answer a recorded question again by the present code: what was found now, with what its model replied then.

Nobody else's model is asked: a reply that is not in the record is `effect_not_recorded`. The recorded reply is the
answer as it was kept, so without the citations and quotations that fell when it was checked; the steps of an answer in
steps are those that were taken.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from ai_engine.ports import Facts, Finished, LanguageModel, Retriever, Token, Used
from ai_engine.rewriting import PROMPT as REWRITING
from ai_engine.stages.build_prompt import Prompt
from ai_engine.stages.plan_steps import Budget
from ai_engine.stages.refuse import BY_MODEL, SIGN
from ai_engine.subscribers import Answerer, Deadlines
from events.base import ERASED, Envelope
from events.delivery.work import Append, Result, Run
from events.log.journal import Journal
from events.looking import LinesReply, LinesRequest
from events.question import QuestionAnswered, QuestionAsked, SearchReply, SearchRequest, StepTaken
from events.replay.sandbox import Nobody, not_recorded

_NOBODY = "none"  # the provider of an answer that no model wrote


class RecordedModel:
    """A `LanguageModel` that says what was recorded of one question, whatever it is given."""

    def __init__(self, asked: QuestionAsked, answered: QuestionAnswered) -> None:
        self.provider = answered.provider
        self.model = answered.model
        self.most_tokens = 0  # it says nothing new
        self.price = None
        self._asked = asked
        self._answered = answered

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | Used | Finished]:
        """The reply, and no tool. Raises Permanent `effect_not_recorded`."""
        yield Token(self._rewritten() if prompt.name == REWRITING else self._reply())
        yield Used(0, 0, is_all=True)
        yield Finished(self.model, 0, 0)

    def _rewritten(self) -> str:
        if self._answered.standalone_by == "rules":
            return ""  # what the model said was no question, if it said anything
        return self._answered.standalone or self._asked.query

    def _reply(self) -> str:
        if self._answered.provider == _NOBODY:
            raise not_recorded("What a model would reply to a question that was refused without one")
        return SIGN if self._answered.refused == BY_MODEL else self._answered.answer


def recorded_models(asked: QuestionAsked, answered: QuestionAnswered, *, configured: bool) -> dict[str, LanguageModel]:
    """What answers for the models of a question; none where it was answered without one, and is again.

    `configured`: there are models here that would be asked. Pure.
    """
    without = answered.provider == _NOBODY and not (configured and answered.refused)
    if asked.mode == "extractive" or without:
        return {}
    return {asked.model or "recorded": RecordedModel(asked, answered)}


class AnswerAgain:
    """The handler of the questions of a shadow. The search is of this code; so are prompts, checks and refusals."""

    def __init__(  # the parts of an Answerer, and the record
        self,
        journal: Journal,
        retriever: Retriever,
        facts: Facts,
        *,
        configured: bool,
        deadlines: Deadlines,
        budget: Budget,
    ) -> None:
        self._journal = journal
        self._retriever = _Offline(retriever)
        self._facts = facts
        self._configured = configured
        self._deadlines = deadlines
        self._budget = budget

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Answer the question that the request names. Raises as `Answerer.answer`, Permanent `effect_not_recorded`."""
        recorded = await self._recorded(envelope.stream_id, UUID(str(envelope.data["question_id"])))
        answerer = Answerer(
            retriever=self._retriever,
            facts=self._facts,
            models=recorded_models(recorded.asked, recorded.answered, configured=self._configured),
            redis=Nobody(),
            deadlines=self._deadlines,
            budget=self._budget,
        )
        data = {**recorded.envelope.data, "analysis_id": str(recorded.answered.analysis_id)}
        return await answerer.answer(
            recorded.envelope.model_copy(update={"data": data}), _Recalled(run, recorded.steps)
        )

    async def _recorded(self, stream: str, question: UUID) -> "_Recorded":
        every = [one for one in await self._journal.read_stream(stream) if one.data.get("question_id") == str(question)]
        found: Mapping[str, Envelope] = {one.event_type: one for one in every}
        asked, answered = (found.get(kind.event_type) for kind in (QuestionAsked, QuestionAnswered))
        if asked is None or answered is None or asked.data["query"] == ERASED or answered.data["answer"] == ERASED:
            raise not_recorded("A question and its answer")
        return _Recorded(
            asked,
            QuestionAsked.model_validate(asked.data),
            QuestionAnswered.model_validate(answered.data),
            [one for one in every if one.event_type == StepTaken.event_type],
        )


@dataclass(frozen=True)
class _Recorded:
    """A question of the log, its answer, and the steps that were taken for it."""

    envelope: Envelope
    asked: QuestionAsked
    answered: QuestionAnswered
    steps: Sequence[Envelope]


class _Offline:
    """A retriever whose searches ask nobody else's model for the vector of a question."""

    def __init__(self, inner: Retriever) -> None:
        self._inner = inner

    async def search(self, request: SearchRequest) -> SearchReply:
        """See `Retriever.search`."""
        return await self._inner.search(request.model_copy(update={"offline": True}))

    async def lines(self, request: LinesRequest) -> LinesReply | None:
        """See `Retriever.lines`."""
        return await self._inner.lines(request)


class _Recalled:
    """A run before which these steps were recorded; none is recorded in it."""

    def __init__(self, run: Run, steps: Sequence[Envelope]) -> None:
        self.worker, self.token = run.worker, run.token
        self._run = run
        self._steps = steps

    @property
    def cancelled(self) -> bool:
        """As `Run.cancelled`."""
        return self._run.cancelled

    def check(self) -> None:
        """As `Run.check`."""
        self._run.check()

    async def record(self, append: Append) -> None:
        """As `Run.record`."""
        await self._run.record(append)

    async def recorded(self, envelope: Envelope) -> list[Envelope]:
        """The steps."""
        return list(self._steps)
