"""Say what a call of a model cost.

In:  prices as the settings have them, and the tokens of a call.
Out: dollars; None where nobody said what the model costs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

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
