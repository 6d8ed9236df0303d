from collections import namedtuple
from pathlib import Path

import pytest

from cli import home as module
from cli.home import AlreadyRunningError, Home, Running
from runtime.embedded.child import StartError

_RUNNING = Running(pid=7, page="http://127.0.0.1:8501", api="http://127.0.0.1:8001")


def test_one_at_a_time_holds_a_home_and_the_other_learns_where(home: Path) -> None:
    first, second = Home(home), Home(home)
    first.take()
    first.announce(_RUNNING)

    with pytest.raises(AlreadyRunningError) as refusal:
        second.take()
    assert refusal.value.running == _RUNNING
    assert second.running() == _RUNNING

    first.release()
    assert second.running() is None
    second.take()
    second.release()


def test_a_note_that_a_killed_holder_left_is_not_believed(home: Path) -> None:
    home.mkdir()
    (home / "running.json").write_text('{"pid": 7, "page": "", "api": ""}')

    assert Home(home).running() is None


def test_a_full_disk_is_refused_and_the_home_let_go(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")  # stands in for shutil's own
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _path: usage(10**9, 10**9, 12_000_000))
    full = Home(home)

    with pytest.raises(StartError, match=r"is full: 12 MB are free and 256 MB are needed"):
        full.take()
    assert Home(home).running() is None


def test_a_home_below_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StartError, match="cannot be made: Not a directory"):
        Home(tmp_path / "file" / "home").take()
