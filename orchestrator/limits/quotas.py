"""What a tenant may have in all: its quotas, its usage, and whether one more fits. Pure.

Unlike a limit, a quota is counted from what is stored and may not be forgotten.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Quota(StrEnum):
    """What is counted for a tenant."""

    RUNNING = "running analyses"
    REPOSITORIES = "stored repositories"
    BYTES = "bytes of stored sources"
    QUESTIONS = "questions today"
    TOKENS = "model tokens today"
    CENTS_DAY = "US cents for models today"
    CENTS_MONTH = "US cents for models this month"


DAILY = frozenset({Quota.QUESTIONS, Quota.TOKENS, Quota.CENTS_DAY})
MONTHLY = frozenset({Quota.CENTS_MONTH})
OF_QUESTIONS = (Quota.QUESTIONS, Quota.TOKENS, Quota.CENTS_DAY, Quota.CENTS_MONTH)
_ANSWER_WAIT = 15  # seconds: most answers are there by then
_RUNNING_WAIT = 30  # seconds: an analysis may have ended by then
Amounts = dict[Quota, int]  # of an allowance, 0: as much as they like


@dataclass(frozen=True)
class Exceeded:
    """A quota that has no room. `wait` is in seconds; None where it takes more than time.

    `is_kept` where it is not used up: what is left of it may be taken by what is on its way.
    """

    quota: Quota
    allowed: int
    wait: int | None
    is_kept: bool = False

    @property
    def words(self) -> str:
        """The sentence for whom it stops."""
        if self.is_kept:
            kept = "What is left of them is kept for questions whose answers are on their way"
            return f"Your team has {self.allowed:,} {self.quota}. {kept}: ask again when one of them is there."
        come_back = {Quota.RUNNING: "Wait until one has ended", Quota.REPOSITORIES: "Delete one first"}
        other = "The day ends at midnight UTC" if self.quota in DAILY else "Delete a repository first"
        other = "The month ends at midnight UTC of its last day" if self.quota in MONTHLY else other
        return f"Your team has its {self.allowed:,} {self.quota}. {come_back.get(self.quota, other)}."


def exceeded(allowed: Amounts, used: Amounts, *, at: datetime) -> Exceeded | None:
    """The first of the quotas in `used` that has no room for one more."""
    for quota, amount in used.items():
        limit = allowed.get(quota, 0)
        if limit and amount >= limit:
            return Exceeded(quota, limit, _wait(quota, at))
    return None


def kept(allowed: Amounts, used: int, open_ones: int, asked: int) -> Exceeded | None:
    """Whether tokens of the day are missing for a question that may take `asked`, beside what `open_ones` may take.

    With nothing on its way it may take what is left, and go over by what it takes itself: several never do together.
    """
    limit = allowed.get(Quota.TOKENS, 0)
    if limit and open_ones and used + open_ones + asked > limit:
        return Exceeded(Quota.TOKENS, limit, _ANSWER_WAIT, is_kept=True)
    return None


def day_of(at: datetime) -> datetime:
    """When the day began, in UTC as `at` is."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def month_of(at: datetime) -> datetime:
    """When the month began, in UTC as `at` is."""
    return day_of(at).replace(day=1)


def _wait(quota: Quota, at: datetime) -> int | None:
    if quota in DAILY:
        return int((day_of(at) + timedelta(days=1) - at).total_seconds()) + 1
    if quota in MONTHLY:
        return int((month_of(month_of(at) + timedelta(days=32)) - at).total_seconds()) + 1
    return _RUNNING_WAIT if quota is Quota.RUNNING else None
