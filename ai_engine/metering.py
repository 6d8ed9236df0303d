"""What the calls of one question take, counted where each of them ends: also of those that no answer came of."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from ai_engine.ports import Finished, LanguageModel, Token
from ai_engine.stages.build_prompt import Prompt, ToolCall
from ai_engine.stages.price import together


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
class Meter:
    """The sum so far."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None

    def add(self, taken: Taken) -> None:
        """Count one more."""
        self.input_tokens += taken.input_tokens
        self.output_tokens += taken.output_tokens
        self.cost_usd = together(self.cost_usd, taken.cost_usd)


class Metered:
    """A model whose calls a meter counts, as soon as the provider says what they took."""

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

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | ToolCall | Finished]:
        """See `LanguageModel.stream`."""
        async for item in self._inner.stream(prompt):
            if isinstance(item, Finished):
                self._meter.add(item)
            yield item
