"""What the team has of each thing that is counted, in words. Pure."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from runtime.client.shapes import QuotaView
from web_ui.words import size

_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "running": "Running analyses",
        "repositories": "Stored repositories",
        "bytes": "Stored sources",
        "questions": "Questions today",
        "tokens": "Tokens of models today",
        "cents_day": "Cost of models today",
        "cents_month": "Cost of models this month",
    }
)


def usage_rows(quotas: Iterable[QuotaView]) -> list[tuple[str, str]]:
    """Of each quota its name, and what the team has of it, of what it may have."""
    return [(_TITLES.get(quota.name, quota.name), _told(quota)) for quota in quotas]


def dollars(cents: float) -> str:
    """Money as people read it: to the cent, and below one to the hundredth of a cent."""
    return f"${cents / 100:,.2f}" if cents >= 1 or cents == 0 else f"${cents / 100:.4f}"


def _told(quota: QuotaView) -> str:
    written: Callable[[int], str] = {"bytes": size, "cents_day": dollars, "cents_month": dollars}.get(
        quota.name, "{:,}".format
    )
    used = written(quota.used)
    return used if quota.allowed is None else f"{used} of {written(quota.allowed)}"
