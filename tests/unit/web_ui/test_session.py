"""What a session remembers, and for how long."""

import pytest

from web_ui import session


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The state of one browser's session."""
    state: dict[str, object] = {}
    monkeypatch.setattr(session.st, "session_state", state)
    return state


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(session.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.usefixtures("kept")
def test_what_changes_seldom_is_asked_for_once_a_minute(clock: list[float]) -> None:
    answers = iter("abc")

    def told() -> str:
        return session.remembered("letter", lambda: next(answers))

    assert (told(), told()) == ("a", "a")
    clock[0] += 59.9
    assert told() == "a"
    clock[0] += 0.2
    assert (told(), told()) == ("b", "b")
    assert session.remembered("another", lambda: "x") == "x"
    assert told() == "b"


def test_what_is_over_is_not_kept(kept: dict[str, object], clock: list[float]) -> None:
    for number in range(100):
        assert session.remembered(str(number), lambda number=number: number) == number  # type: ignore[misc]  # bound now
        clock[0] += 30

    assert len(kept["remembered"]) <= 3  # type: ignore[arg-type]  # a mapping


@pytest.mark.usefixtures("clock")
def test_a_failure_is_not_remembered_and_whoever_changed_starts_anew(kept: dict[str, object]) -> None:
    with pytest.raises(ZeroDivisionError):
        session.remembered("share", lambda: 1 / 0)
    assert session.remembered("share", lambda: 1.0) == 1.0

    session.renew()

    assert kept == {}
    assert session.remembered("share", lambda: 2.0) == 2.0
