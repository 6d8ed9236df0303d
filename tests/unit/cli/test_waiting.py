"""A command that waits outlives a restart of the orchestrator, and does not wait for one that stays away."""

from dataclasses import dataclass

import pytest

from cli import waiting
from cli.api import broken_off, refusal
from cli.waiting import Patience, until_ended
from runtime.client import ApiError


@dataclass(frozen=True)
class Work:
    state: str


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Now, in seconds; each pause is over at once, and takes what it says."""
    now = [100.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_a_restart_in_the_middle_is_borne_and_the_id_is_said_first(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    away = iter([broken_off("gone")] * 10)
    found = iter(["asked", "done"])

    def look() -> Work:
        for error in away:
            raise error
        return Work(next(found))

    assert until_ended(Work("asked"), look, named="Rebuild 7 is being done.") == Work("done")
    assert capsys.readouterr().err == "Rebuild 7 is being done.\n"
    assert clock[0] == 100.0 + 12 * 0.5


def test_an_orchestrator_that_stays_away_is_said_after_a_minute(clock: list[float]) -> None:
    def look() -> Work:
        raise broken_off("gone")

    with pytest.raises(ApiError, match="gone"):
        until_ended(Work("asked"), look)
    assert 60.0 < clock[0] - 100.0 < 61.0


def test_a_refusal_is_never_borne_nor_is_nobody_from_the_start(clock: list[float]) -> None:
    patience = Patience()
    with pytest.raises(ApiError, match="gone"), patience:
        raise broken_off("gone")

    patience.seen()
    with patience:
        raise broken_off("gone")
    with pytest.raises(ApiError, match="no"), patience:
        raise refusal("not_found", "no")


def test_who_waits_for_so_long_gets_it_as_it_is(clock: list[float]) -> None:
    assert until_ended(Work("asked"), lambda: Work("asked"), 3.0) == Work("asked")
    assert clock[0] == 103.0
