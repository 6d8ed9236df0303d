"""What the calls of one question take: told by the provider, or else estimated, from their beginning on.

A call counts from when it is made, so that it counts however it ends: with its answer, a fault, a stop, or the death of
the worker, whose successor finds it in the note.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ai_engine.ports import Finished, LanguageModel, Token, Used
from ai_engine.stages.build_prompt import Prompt, ToolCall
from ai_engine.stages.fit_history import tokens_of
from ai_engine.stages.price import Noted, Price, Spend, added, tokens_in
from runtime.faults import Fault

_NOTE = 1.0  # seconds between two notes of a call that is going on
# A provider that cannot be asked, or refuses to begin, takes nothing; one that accepted and then fell silent does.
_NOTHING_BEGAN = frozenset(
    {
        "model_circuit_open",
        "model_key_refused",
        "model_rate_limited",
        "model_rejected",
        "model_unavailable",
        "model_unknown",
        "model_unreachable",
    }
)


class Taken(Protocol):
    """What says how many tokens it took, and dollars, where a price is configured."""

    @property
    def input_tokens(self) -> int:
        """Tokens in."""
        ...

    @property
    def output_tokens(self) -> int:
        """Tokens out."""
        ...

    @property
    def cost_usd(self) -> float | None:
        """Dollars."""
        ...


@dataclass
class Call:
    """One call: what it is thought to take, until the provider says it."""

    asked: int
    price: Price | None
    written: int = 0
    told: Used | None = None
    finished: Finished | None = None
    is_free: bool = False

    def hear(self, item: Token | ToolCall | Used | Finished) -> None:
        """Take notice of what the model says."""
        if isinstance(item, Used):
            self.told = item
        elif isinstance(item, Finished):
            self.finished = item
        else:
            self.written += tokens_of(item.text if isinstance(item, Token) else f"{item.name}{item.arguments}")

    @property
    def spend(self) -> Spend:
        """What it takes, as far as is known by now."""
        if self.is_free:
            return Spend()
        told, finished = self.told or Used(0, 0), self.finished
        if finished is not None and finished.input_tokens and finished.output_tokens:
            return Spend(finished.input_tokens, finished.output_tokens, finished.cost_usd)
        sent, received = told.input_tokens or self.asked, max(told.output_tokens, self.written)
        if told.is_all:
            sent, received = told.input_tokens, told.output_tokens
        cost = self.price.of(sent, received) if self.price is not None else None
        return Spend(sent, received, cost, is_estimated=not told.is_all)


@dataclass
class Meter:
    """The calls of one question. `earlier` is what those took of workers that died; `steps` what is recorded of it."""

    keep: Callable[[Noted], Awaitable[None]] | None = None
    earlier: Spend = field(default_factory=Spend)
    calls: list[Call] = field(default_factory=list)
    before: list[Taken] = field(default_factory=list)
    steps: list[Taken] = field(default_factory=list)

    def go_on(self, steps: Sequence[Taken], noted: Noted | None) -> None:
        """Begin where an earlier worker ended: after its steps, and with what it took besides."""
        self.before = list(steps)
        if noted is not None:
            is_recorded = len(steps) > noted.steps
            self.earlier = noted.besides if is_recorded else added(noted.besides, noted.call)

    @property
    def spend(self) -> Spend:
        """All that was taken for the question so far."""
        return added(_recorded(self.before), self.earlier, *(call.spend for call in self.calls))

    async def note(self, call: Call) -> None:
        """Write down, for a successor, what is not in the log: this call and those that no step was made of."""
        if self.keep is None:
            return
        ended = added(self.earlier, *(each.spend for each in self.calls if each is not call))
        taken = _recorded(self.steps)
        cost = None if ended.cost_usd is None else max(0.0, round(ended.cost_usd - (taken.cost_usd or 0.0), 8))
        besides = replace(
            ended,
            input_tokens=max(0, ended.input_tokens - taken.input_tokens),
            output_tokens=max(0, ended.output_tokens - taken.output_tokens),
            cost_usd=cost,
        )
        lost = replace(call.spend, is_estimated=True)
        recorded = added(_recorded(self.before), taken)
        await self.keep(Noted(recorded, besides, lost, len(self.before) + len(self.steps)))


def _recorded(steps: Sequence[Taken]) -> Spend:
    return added(*(Spend(step.input_tokens, step.output_tokens, step.cost_usd) for step in steps))


class Metered:
    """A model whose calls a meter counts. Of one that ended untold, the numbers are estimates."""

    def __init__(self, inner: LanguageModel, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    @property
    def provider(self) -> str:
        """See `LanguageModel.provider`."""
        return self._inner.provider

    @property
    def model(self) -> str:
        """See `LanguageModel.model`."""
        return self._inner.model

    @property
    def most_tokens(self) -> int:
        """See `LanguageModel.most_tokens`."""
        return self._inner.most_tokens

    @property
    def price(self) -> Price | None:
        """See `LanguageModel.price`."""
        return self._inner.price

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | ToolCall | Finished]:
        """See `LanguageModel.stream`; what the provider says on the way of tokens is the meter's."""
        call = Call(tokens_in(prompt), self._inner.price)
        self._meter.calls.append(call)
        await self._meter.note(call)
        noted = time.monotonic()
        try:
            async for item in self._inner.stream(prompt):
                call.hear(item)
                if isinstance(item, Finished):
                    item = self._with_estimate(call, item)  # noqa: PLW2901  # where the provider said nothing
                elif time.monotonic() > noted + _NOTE:
                    await self._meter.note(call)
                    noted = time.monotonic()
                if not isinstance(item, Used):
                    yield item
        except Fault as fault:
            call.is_free = not (call.written or call.told) and fault.code in _NOTHING_BEGAN
            raise

    def _with_estimate(self, call: Call, item: Finished) -> Finished:
        spend = call.spend
        return replace(
            item, input_tokens=spend.input_tokens, output_tokens=spend.output_tokens, cost_usd=spend.cost_usd
        )
