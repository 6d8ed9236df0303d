"""When a failed run is tried again, and after how long. A value computed from the run's id, never from chance."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from events.processing import FaultKind
from orchestrator.workflow.state import Slot, SlotStatus


@dataclass(frozen=True)
class Pace:
    """What earlier analyses took from the end of their clone until they were ready; `analyses` 0 means none."""

    analyses: int = 0
    seconds: float = 0.0
    bytes: int = 0


@dataclass(frozen=True)
class Thresholds:
    """Over which an analysis waits for somebody to confirm it; 0 is none. `price` is for a million tokens embedded."""

    files: int = 0
    bytes: int = 0
    minutes: float = 0.0
    cost: float = 0.0
    price: float = 0.0
    currency: str = "USD"
    hours: float = 24.0


@dataclass(frozen=True)
class Policy:
    """Seconds and counts of the retry rule; `asked` is for how long it waits at most where a host asks for it."""

    base: float = 2.0
    cap: float = 60.0
    attempts: int = 5
    thresholds: Thresholds = Thresholds()
    asked: float = 3_600.0


def jitter(run_id: UUID) -> float:
    """A number in [0.5, 1.5) that depends on the run alone, so that runs that fail together do not return together."""
    return 0.5 + int.from_bytes(run_id.bytes[:6], "big") / 2**48


def retry_delay(policy: Policy, tries: int, run_id: UUID, asked: float = 0.0) -> timedelta:
    """How long to wait after the `tries`-th failed attempt (from 1), where the host asked for so many seconds."""
    own = min(policy.cap, policy.base * 2.0 ** (tries - 1)) * jitter(run_id)
    return timedelta(seconds=max(own, min(policy.asked, asked)))


def tries(slot: Slot) -> int:
    """How many attempts the slot has used of its present budget."""
    return slot.attempt - slot.since + 1


def is_lost(policy: Policy, slot: Slot) -> bool:
    """Whether the slot failed and is not tried again by itself, as it is where what it was made of changed."""
    if slot.status is not SlotStatus.FAILED or slot.failure is None or slot.stale:
        return False
    return slot.failure.kind is not FaultKind.TRANSIENT or tries(slot) >= policy.attempts
