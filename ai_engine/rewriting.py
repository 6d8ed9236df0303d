"""What is searched for where a question goes on with a conversation: rewritten by the model, or else by rules."""

import asyncio
import secrets
from dataclasses import dataclass
from importlib import resources

from ai_engine.ports import Finished, LanguageModel, Token
from ai_engine.stages.build_prompt import quote_turns
from ai_engine.stages.fit_history import Kept
from ai_engine.stages.standalone import may_point_back, one_line, standalone_question
from events.question import QuestionAsked
from runtime.faults import Fault

PROMPT = "standalone-v1"
_SECONDS = 8.0  # of a person's waiting: the rules are at once
_LONGEST_REPLY = 2_000  # characters: whoever writes more does not rewrite a question


@dataclass(frozen=True)
class Meant:
    """A question as it is searched for. `by` says who rewrote it: rules, a model's name, or empty for nobody."""

    query: str
    by: str = ""


async def meant_by(asked: QuestionAsked, kept: Kept, model: LanguageModel | None) -> Meant:
    """The question as it is searched for. Whatever a model does wrong, the rules are the answer."""
    if asked.facts or not asked.history:
        return Meant(asked.query)
    by_rules = standalone_question(asked.query, asked.history)
    if model is not None and kept.turns and may_point_back(asked.query):
        reply = await _rewritten(asked.query, kept, model)
        if reply is not None:
            return Meant(reply, model.model if reply != asked.query else "")
    return Meant(by_rules, "rules" if by_rules != asked.query else "")


async def _rewritten(question: str, kept: Kept, model: LanguageModel) -> str | None:
    """What the model made of it, None where that is no question."""
    rules = resources.files("ai_engine").joinpath(f"prompts/{PROMPT}.md").read_text("utf-8")
    prompt = quote_turns(question, kept.turns, rules=rules, name=PROMPT, boundary=secrets.token_hex(8))
    text = ""
    try:
        async with asyncio.timeout(_SECONDS):
            async for item in model.stream(prompt):
                if isinstance(item, Finished):
                    return one_line(text)
                text += item.text if isinstance(item, Token) else ""
                if len(text) > _LONGEST_REPLY:
                    break
    except (Fault, TimeoutError):
        pass  # it is asked for the answer next, and its failure is told then
    return None
