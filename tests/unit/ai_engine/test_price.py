"""What calls cost, by the prices of the settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_engine.stages.price import Price, read_prices, together


def test_prices_are_dollars_for_a_million_tokens() -> None:
    prices = read_prices("openai:gpt-x=2.5/10, anthropic:some-model=3/15,")

    assert prices == {"openai:gpt-x": Price(2.5, 10.0), "anthropic:some-model": Price(3.0, 15.0)}
    assert prices["openai:gpt-x"].of(1_000, 200) == pytest.approx(0.0045)


@pytest.mark.parametrize(
    "text", ["gpt=1/2", "openai:x", "openai:x=1", "openai:x=1/-2", "openai:x=a/b", "openai:x=1e9/1"]
)
def test_a_price_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="REPOSTREAM_AI_PRICES"):
        read_prices(text)


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=8))
def test_what_has_no_price_costs_nothing_that_is_known(costs: list[float | None]) -> None:
    known = [cost for cost in costs if cost is not None]

    assert together(*costs) == (pytest.approx(sum(known), abs=1e-6) if known else None)
