"""Let a model look for an answer in steps: it asks a tool and is shown what came of it, until it answers.

Each step is an event as soon as it was taken. A worker that dies is followed by one that goes on after the last of
them: what the model asked is in the log, and what came of it is looked up again, which costs nothing.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ai_engine.looking import Looking
from ai_engine.metering import Meter
from ai_engine.ports import Facts, LanguageModel, Place, Retriever
from ai_engine.recording import append
from ai_engine.stages.build_prompt import Grounded, ToolCall, clean
from ai_engine.stages.plan_steps import Budget, Spent, Step, plan_steps, steps_left
from ai_engine.stages.read_call import read_call, shown_call, told_back
from ai_engine.stages.show_result import OK, Seen
from ai_engine.writing import Live, Writer, Written, watched
from events.base import Envelope
from events.catalog import decode
from events.delivery.work import Run
from events.question import Citation, Passage, PassedOver, QuestionAsked, StepTaken
from runtime.redaction import redact

DEEP = "deep"
_LONGEST_SAID = 600  # characters


@dataclass(frozen=True)
class Deep:
    """A question that is answered in steps: its first prompt, its boundary, and the steps of an earlier worker."""

    envelope: Envelope
    asked: QuestionAsked
    place: Place
    channel: str
    begun: Grounded
    boundary: str
    before: tuple[StepTaken, ...]
    took: Meter


async def steps_of(envelope: Envelope, asked: QuestionAsked, run: Run) -> tuple[StepTaken, ...]:
    """The steps that an earlier worker took; none where the question is answered in another mode."""
    if asked.mode != DEEP:
        return ()
    found = [decode(one) for one in await run.recorded(envelope) if one.event_type == StepTaken.event_type]
    return tuple(one for one in found if isinstance(one, StepTaken) and one.question_id == asked.question_id)


class Stepper:
    """Answers in steps, within a budget."""

    def __init__(self, writer: Writer, live: Live, retriever: Retriever, facts: Facts, budget: Budget) -> None:
        self._writer = writer
        self._live = live
        self._retriever = retriever
        self._facts = facts
        self._budget = budget

    async def write(self, deep: Deep, models: Sequence[LanguageModel], run: Run) -> tuple[Written, tuple[Passage, ...]]:
        """The answer, with all that was taken for it, and the passages that it may cite. Raises as `Writer.write`."""
        looking = Looking(self._retriever, self._facts, deep.place, deep.asked.repository_id, deep.boundary)
        steps = [await self._again(deep, looking, step, run) for step in deep.before]
        spent = _spent(deep.before)
        passed: tuple[PassedOver, ...] = ()
        while True:
            left = steps_left(steps, spent, self._budget)
            grounded = plan_steps(deep.begun, steps, left)
            began = time.monotonic()
            written = await self._writer.write(deep.channel, grounded, models[len(passed) :], run)
            passed += written.passed_over
            used = spent.tokens + written.input_tokens + written.output_tokens
            if not written.calls:
                return replace(written, mode=DEEP, passed_over=passed), grounded.passages
            await self._live.say(deep.channel, {"type": "reset"})
            for place, call in enumerate(written.calls[:left]):
                asking = replace(written, input_tokens=0, output_tokens=0, cost_usd=None) if place else written
                step, taken = await self._step(deep, looking, call, (len(steps) + 1, began, asking), run)
                began = time.monotonic()
                steps.append(step)
                spent = Spent(used, spent.seconds + taken.seconds)

    async def _step(
        self, deep: Deep, looking: Looking, call: ToolCall, at: tuple[int, float, Written], run: Run
    ) -> tuple[Step, StepTaken]:
        """Do what the model asks, and record it. `at`: the step's number, when it began, and the reply that asks."""
        number, began, written = at
        tool, asked = shown_call(call)
        looked_for = {"type": "status", "step": "looking", "number": number, "tool": tool, "asked": asked}
        await self._live.say(deep.channel, looked_for)
        seen = await watched(looking.look(read_call(call)), run)
        said = redact(clean(written.text, deep.boundary).strip())[:_LONGEST_SAID]
        taken = StepTaken(
            question_id=deep.asked.question_id,
            analysis_id=deep.place.analysis_id,
            number=number,
            tool=tool,
            asked=asked,
            said=said,
            outcome=seen.outcome,
            found=seen.found,
            characters=len(seen.text),
            places=tuple(_place(passage) for passage in seen.passages),
            seconds=round(time.monotonic() - began, 3),
            provider=written.provider,
            model=written.model,
            input_tokens=written.input_tokens,
            output_tokens=written.output_tokens,
            cost_usd=written.cost_usd,
        )
        await run.record(append(deep.envelope, taken, ordinal=number))
        deep.took.steps.append(taken)
        await self._show(deep, taken)
        return Step(told_back(call, number), said, seen), taken

    async def _again(self, deep: Deep, looking: Looking, taken: StepTaken, run: Run) -> Step:
        """A step that was taken before, as the model saw it; nobody is asked for it once more."""
        call = ToolCall(f"step_{taken.number}", taken.tool, taken.asked)
        await self._show(deep, taken)
        if taken.outcome != OK:
            return Step(told_back(call, taken.number), taken.said, Seen(taken.outcome, taken.outcome))
        seen = await watched(looking.look(read_call(call)), run)
        return Step(told_back(call, taken.number), taken.said, seen)

    async def _show(self, deep: Deep, taken: StepTaken) -> None:
        shown = taken.model_dump(mode="json", exclude={"question_id", "analysis_id"})
        await self._live.say(deep.channel, {"type": "step", **shown})


def _spent(before: Sequence[StepTaken]) -> Spent:
    tokens = sum(step.input_tokens + step.output_tokens for step in before)
    return Spent(tokens, sum(step.seconds for step in before))


def _place(passage: Passage) -> Citation:
    return Citation(
        path=passage.path,
        first_line=passage.first_line,
        last_line=passage.last_line,
        chunk_id=passage.chunk_id or None,
    )
