"""What a team has, in words."""

import pytest

from runtime.client.shapes import QuotaView
from web_ui.usage import dollars, usage_rows


def test_each_quota_is_told_with_its_unit_and_what_is_allowed() -> None:
    quotas = [
        QuotaView(name="running", used=1, allowed=20),
        QuotaView(name="bytes", used=5_000_000, allowed=None),
        QuotaView(name="tokens", used=12_000, allowed=None),
        QuotaView(name="cents_month", used=250, allowed=90_000),
        QuotaView(name="new_one", used=3, allowed=None),
    ]

    assert usage_rows(quotas) == [
        ("Running analyses", "1 of 20"),
        ("Stored sources", "5.0 MB"),
        ("Tokens of models today", "12,000"),
        ("Cost of models this month", "$2.50 of $900.00"),
        ("new_one", "3"),
    ]


@pytest.mark.parametrize(("cents", "told"), [(0, "$0.00"), (0.45, "$0.0045"), (1, "$0.01"), (123_456, "$1,234.56")])
def test_money_is_told_as_people_read_it(cents: float, told: str) -> None:
    assert dollars(cents) == told
