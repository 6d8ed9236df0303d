"""Build what a model is given between its steps, and say whether it may take another.

In:  the prompt of an answer, the steps so far with what they gave, and the budget.
Out: the next prompt, and all that an answer may cite.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ai_engine.stages.build_prompt import Grounded, ToolCall, Turn
from ai_engine.stages.read_call import OFFERED
from ai_engine.stages.show_result import OK, Seen
from events.question import Passage

_ANSWER_NOW = "You have no steps left: answer now from what you were given, without any tool."


@dataclass(frozen=True)
class Budget:
    """What one answer may take: steps, tokens of all model calls, characters of all results, seconds of all steps."""

    steps: int = 8
    tokens: int = 80_000
    characters: int = 60_000
    seconds: float = 150.0


@dataclass(frozen=True)
class Step:
    """One step that was taken: the call as it is told back, what the model said of it, and what came of it."""

    call: ToolCall
    said: str
    seen: Seen


@dataclass(frozen=True)
class Spent:
    """What an answer took so far."""

    tokens: int = 0
    seconds: float = 0.0


def steps_left(steps: Sequence[Step], spent: Spent, budget: Budget) -> int:
    """How many steps a model may still take: none where any part of the budget is used up. Pure."""
    characters = sum(len(step.seen.text) for step in steps)
    over = characters >= budget.characters or spent.tokens >= budget.tokens or spent.seconds >= budget.seconds
    return 0 if over else max(0, budget.steps - len(steps))


def plan_steps(begun: Grounded, steps: Sequence[Step], left: int) -> Grounded:
    """The prompt with all steps, and the passages of all of them: an answer may cite these and nothing else. Pure."""
    turns = [*begun.prompt.turns]
    for number, step in enumerate(steps, 1):
        turns += [Turn("assistant", step.said, step.call), _result(step, last=number == len(steps), left=left)]
    if left == 0 and not steps:
        turns[-1] = replace(turns[-1], content=f"{turns[-1].content}\n\n{_ANSWER_NOW}")
    given: dict[tuple[str, int, int], Passage] = {}
    for passage in (*begun.passages, *(one for step in steps for one in step.seen.passages)):
        given.setdefault((passage.path, passage.first_line, passage.last_line), passage)
    prompt = replace(begun.prompt, turns=tuple(turns), tools=OFFERED, must_answer=left == 0)
    return Grounded(prompt, tuple(given.values()))


def _result(step: Step, *, last: bool, left: int) -> Turn:
    text = step.seen.text
    if last:
        text += f"\n\n{_ANSWER_NOW}" if left == 0 else f"\n\n(Steps left: {left}.)"
    return Turn("tool", text, step.call, failed=step.seen.outcome != OK)
