"""Whether one more fits, and what is said where it does not."""

from datetime import UTC, datetime

import pytest

from orchestrator.limits.quotas import Quota, exceeded

EVENING = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)


def test_as_much_as_is_allowed_is_full_and_nothing_is_as_much_as_one_likes() -> None:
    assert exceeded({Quota.RUNNING: 3}, {Quota.RUNNING: 2}, at=EVENING) is None
    assert exceeded({Quota.RUNNING: 3}, {Quota.RUNNING: 3}, at=EVENING) is not None
    assert exceeded({Quota.RUNNING: 0}, {Quota.RUNNING: 10**9}, at=EVENING) is None
    assert exceeded({}, {Quota.RUNNING: 10**9}, at=EVENING) is None


@pytest.mark.parametrize(
    ("quota", "wait", "sentence"),
    [
        (Quota.RUNNING, 30, "Your team has its 1,000 running analyses. Wait until one has ended."),
        (Quota.QUESTIONS, 5_401, "Your team has its 1,000 questions today. The day ends at midnight UTC."),
        (Quota.TOKENS, 5_401, "Your team has its 1,000 model tokens today. The day ends at midnight UTC."),
        (Quota.REPOSITORIES, None, "Your team has its 1,000 stored repositories. Delete one first."),
        (Quota.BYTES, None, "Your team has its 1,000 bytes of stored sources. Delete a repository first."),
    ],
)
def test_who_is_stopped_hears_by_what_and_when_it_helps_to_come_back(
    quota: Quota, wait: int | None, sentence: str
) -> None:
    over = exceeded({quota: 1_000}, {quota: 1_001}, at=EVENING)

    assert over is not None
    assert (over.wait, over.words) == (wait, sentence)
