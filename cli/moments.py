"""Moments as the commands print them: in UTC, and saying so."""

from datetime import UTC, datetime


def minute(at: datetime) -> str:
    """`2026-03-01 12:00 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def precise(at: datetime) -> str:
    """`2026-03-01 12:00:07.123 UTC`."""
    return f"{at.astimezone(UTC).isoformat(' ', 'milliseconds')[:23]} UTC"
