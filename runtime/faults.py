"""Faults: what may go wrong in a stage, by whether trying again can help.

A stage raises one of these and nothing else on purpose. The delivery wrapper turns it into a fact. `code` is stable
and listed in docs/errors.md; `message` is one sentence for a person, without secrets, that says what to do.
"""

from runtime.redaction import redact


class Fault(Exception):
    """A named failure. Use one of the subclasses."""

    kind = "permanent"
    retry_after: float | None = None

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = redact(message)  # it goes into events, problems and logs
        super().__init__(f"{code}: {self.message}")


class Transient(Fault):
    """The same attempt may succeed later (a host is down, a server restarts).

    `retry_after` is for how many seconds a host asked to be left alone, None where it did not say.
    """

    kind = "transient"

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class Permanent(Fault):
    """The same input fails again (no such repository, nothing to index)."""

    kind = "permanent"


class ResourceExhausted(Fault):
    """It can only succeed with more of something (disk, memory, quota)."""

    kind = "resource"


class Cancelled(Exception):
    """The work was told to stop because a person asked; not a failure."""
