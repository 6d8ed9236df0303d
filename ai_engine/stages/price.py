"""Say what a call of a model cost.

In:  prices as the settings have them, and the tokens of a call.
Out: dollars; None where nobody said what the model costs.

A prompt's tokens are estimated as history's are: a few more than most tokenizers make of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ai_engine.stages.build_prompt import Prompt
from ai_engine.stages.fit_history import tokens_of

_ENTRY = re.compile(
    r"(?P<model>[a-z]+:[^=\s]{1,200})=(?P<input>\d{1,6}(?:\.\d{1,6})?)/(?P<output>\d{1,6}(?:\.\d{1,6})?)"
)
_MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """Dollars for a million tokens, in and out."""

    input: float
    output: float

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """Dollars of one call. Pure."""
        return (self.input * input_tokens + self.output * output_tokens) / _MILLION


@dataclass(frozen=True)
class Spend:
    """What calls took. An estimate is of tokens that no provider told."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    is_estimated: bool = False


NOTHING = Spend()


@dataclass(frozen=True)
class Noted:
    """What a worker took that is in no event yet: the `call` that goes on, and what `besides` was no step's.

    `recorded` is what its so many `steps` took: those are in the log.
    """

    recorded: Spend = field(default_factory=Spend)
    besides: Spend = field(default_factory=Spend)
    call: Spend = field(default_factory=Spend)
    steps: int = 0


def added(*spends: Spend) -> Spend:
    """All of them in one; an estimate where one of them is. Pure."""
    return Spend(
        sum(each.input_tokens for each in spends),
        sum(each.output_tokens for each in spends),
        together(*(each.cost_usd for each in spends)),
        any(each.is_estimated for each in spends),
    )


def tokens_in(prompt: Prompt) -> int:
    """About how many tokens a prompt is, its tools included. Pure."""
    turns = sum(tokens_of(turn.content) + (tokens_of(turn.call.arguments) if turn.call else 0) for turn in prompt.turns)
    tools = sum(tokens_of(f"{tool.name}{tool.description}{dict(tool.takes)}") for tool in prompt.tools)
    return tokens_of(prompt.system) + turns + tools


def read_prices(text: str) -> Mapping[str, Price]:
    """Prices by a model's full name: `openai:name=2.5/10,anthropic:name=3/15`. Raises ValueError. Pure."""
    found: dict[str, Price] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise ValueError(f"REPOSTREAM_AI_PRICES: {entry[:80]!r} is not provider:model=input/output")
        found[match["model"]] = Price(float(match["input"]), float(match["output"]))
    return found


def together(*costs: float | None) -> float | None:
    """What several calls cost; None where none of them has a price. Pure."""
    known = [cost for cost in costs if cost is not None]
    return round(sum(known), 8) if known else None
