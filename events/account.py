"""What happens to an account. The audit log is these events."""

from typing import ClassVar

from events.base import Event


class SignedIn(Event):
    """Somebody began a session."""

    event_type: ClassVar[str] = "account.signed_in"
    login: str
    provider: str
