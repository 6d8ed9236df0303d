from pathlib import Path

import pytest

from runtime.embedded import supervisor as module
from runtime.embedded.child import StartError, reason_in, remembered_secret, text_since
from runtime.embedded.process import Managed
from runtime.embedded.supervisor import Supervisor, rotate, stop_in_order


class _Fake(Managed):
    def __init__(self, name: str, told: list[str] | None = None) -> None:
        super().__init__()
        self.name, self.log = name, Path(f"/nowhere/{name}.log")
        self.up, self.ready, self.spawned, self.refuses = False, False, 0, ""
        self._told = told if told is not None else []

    def spawn(self) -> None:
        if self.up:
            return
        self.spawned += 1
        if self.refuses:
            raise StartError(self.refuses)
        self.up = True

    @property
    def running(self) -> bool:
        return self.up

    def answers(self) -> bool:
        return self.up and self.ready

    def ask_to_stop(self) -> None:
        self._told.append(f"ask {self.name}")

    def wait_stopped(self, timeout: float) -> None:
        assert timeout > 0
        self._told.append(f"wait {self.name}")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def _supervised(*fakes: _Fake) -> tuple[Supervisor, list[str]]:
    said: list[str] = []
    supervisor = Supervisor(fakes, said.append)
    supervisor.begin()
    return supervisor, said


def test_waits_for_those_that_are_not_ready(clock: list[float]) -> None:
    ready, slow = _Fake("ready"), _Fake("slow")
    ready.ready = True
    supervisor, _ = _supervised(ready, slow)

    supervisor.tick()

    assert supervisor.waiting_for == ["slow"]


def test_one_that_died_is_started_again_after_a_pause_that_doubles(clock: list[float]) -> None:
    fake = _Fake("server")
    supervisor, _ = _supervised(fake)
    pauses = []
    for _ in range(4):
        fake.up = False
        supervisor.tick()
        started, spawned = clock[0], fake.spawned
        while fake.spawned == spawned:
            clock[0] += 0.1
            supervisor.tick()
        pauses.append(round(clock[0] - started, 1))

    assert pauses == [0.2, 0.4, 0.8, 1.6]


def test_a_pause_is_never_longer_than_half_a_minute(clock: list[float]) -> None:
    fake = _Fake("server")
    supervisor, said = _supervised(fake)
    fake.refuses = "no space left"
    fake.up = False
    for _ in range(5_000):
        clock[0] += 0.1
        supervisor.tick()

    assert "starting it again in 30 s" in said[-1] + said[-2]
    assert fake.spawned > 15
    assert "no space left" in said


def test_a_start_that_fails_for_days_is_still_tried_again(clock: list[float]) -> None:
    fake = _Fake("server")
    supervisor, _ = _supervised(fake)
    fake.refuses = "its port is taken"
    fake.up = False
    for _ in range(3_000):
        clock[0] += 31.0
        supervisor.tick()

    assert fake.spawned > 1_100


def test_its_return_is_said_once(clock: list[float]) -> None:
    fake = _Fake("server")
    fake.ready = True
    supervisor, said = _supervised(fake)
    supervisor.tick()
    fake.up = False
    for _ in range(20):
        clock[0] += 0.3
        supervisor.tick()

    assert said.count("server is back.") == 1


def test_what_never_became_ready_is_given_up_and_what_once_was_is_not(clock: list[float]) -> None:
    broken, sound = _Fake("broken"), _Fake("sound")
    sound.ready = True
    supervisor, _ = _supervised(broken, sound)
    supervisor.tick()
    for _ in range(200):
        broken.up = sound.up = False
        clock[0] += 0.5
        supervisor.tick()

    hopeless = supervisor.failing(4)
    assert hopeless is not None
    assert hopeless.name == "broken"


def test_failures_are_forgotten_after_a_steady_minute(clock: list[float]) -> None:
    fake = _Fake("server")
    fake.ready = True
    supervisor, said = _supervised(fake)
    for _ in range(3):
        fake.up = False
        supervisor.tick()
        clock[0] += 40
        supervisor.tick()
        for _ in range(70):
            clock[0] += 1
            supervisor.tick()

    assert [line for line in said if "starting it again" in line][-1].count("in 0.2 s") == 1


def test_a_group_is_asked_together_and_waited_for_before_the_next() -> None:
    told: list[str] = []
    pages, first, second = _Fake("pages", told), _Fake("a", told), _Fake("b", told)

    stop_in_order([[pages], [first, second]], 5.0)

    assert told == ["ask pages", "wait pages", "ask a", "ask b", "wait a", "wait b"]


def test_a_log_that_grew_is_kept_once_and_goes_on_empty(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    log.write_text("old\n" * 100)
    with log.open("a") as writer:
        rotate(log, most=100)
        writer.write("new\n")

    assert log.read_text() == "new\n"
    assert (tmp_path / "service.log.1").read_text() == "old\n" * 100


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    log.write_text("short")

    rotate(log, most=100)

    assert [path.name for path in tmp_path.iterdir()] == ["service.log"]


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("FATAL: could not write: No space left on device", "there is no space left on the disk"),
        ("x\nbind: Address already in use\n", "its port is taken"),
        ("one\n\nModuleNotFoundError: gone\n", "its log ends with “ModuleNotFoundError: gone”"),
        ("", "it said nothing"),
    ],
)
def test_the_reason_of_an_end_is_read_from_the_log(log: str, reason: str) -> None:
    assert reason_in(log) == reason


def test_only_what_the_last_start_said_counts(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old trouble\nnew trouble\n")

    assert text_since(log, 12) == "new trouble\n"
    assert text_since(log, -100) == "old trouble\nnew trouble\n"
    assert text_since(log, 9_999) == "old trouble\nnew trouble\n"
    assert text_since(tmp_path / "none", 0) == ""


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    secret = remembered_secret(tmp_path / "token")

    assert len(secret) >= 32
    assert remembered_secret(tmp_path / "token") == secret
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
