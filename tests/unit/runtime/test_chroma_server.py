import sqlite3
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from runtime.embedded import chroma_server
from runtime.embedded.chroma_server import clear, is_too_much, left_over


def rows(folder: Path, *ids: str) -> None:
    with sqlite3.connect(folder / "chroma.sqlite3") as connection:
        connection.execute("CREATE TABLE segments (id TEXT)")
        connection.executemany("INSERT INTO segments VALUES (?)", [(each,) for each in ids])


def test_only_folders_of_collections_that_were_dropped_are_left_over(tmp_path: Path) -> None:
    kept, gone = str(uuid4()), str(uuid4())
    for name in (kept, gone, "backup", f"{gone}.old", gone.upper()):
        (tmp_path / name).mkdir()
    (tmp_path / str(uuid4())).write_text("a file")

    assert left_over(tmp_path) == set(), "without its database nobody can tell"
    rows(tmp_path, kept, str(uuid4()))
    assert {entry.name for entry in left_over(tmp_path)} == {gone}
    assert clear(tmp_path) == set()
    assert {entry.name for entry in tmp_path.iterdir() if entry.is_dir()} == {
        kept,
        "backup",
        f"{gone}.old",
        gone.upper(),
    }


def test_what_cannot_be_removed_is_no_reason_to_start_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows(tmp_path)
    (tmp_path / str(uuid4())).mkdir()
    monkeypatch.setattr(chroma_server.shutil, "rmtree", lambda *_args, **_options: None)
    monkeypatch.setattr(chroma_server, "MOST_FOLDERS", 0)
    monkeypatch.setattr(chroma_server, "_LOOK", 0.01)
    signals: list[int] = []
    monkeypatch.setattr(chroma_server.os, "kill", lambda _pid, sign: signals.append(sign))

    told = threading.Event()
    watching = threading.Thread(target=chroma_server._watch, args=(tmp_path, clear(tmp_path), told), daemon=True)
    watching.start()
    watching.join(0.2)
    assert watching.is_alive()
    assert not told.is_set()
    (tmp_path / str(uuid4())).mkdir()
    watching.join(5)

    assert told.is_set()
    assert len(signals) == 1


def test_too_much_is_told_by_number_and_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroma_server, "MOST_FOLDERS", 2)
    monkeypatch.setattr(chroma_server, "MOST_BYTES", 1_000)
    folders = [tmp_path / str(number) for number in range(3)]
    for folder in folders:
        folder.mkdir()
    (folders[0] / "data_level0.bin").write_bytes(bytes(1_000))

    assert not is_too_much(folders[:2])
    assert is_too_much(folders)
    (folders[1] / "length.bin").write_bytes(b"x")
    assert is_too_much(folders[:2])
    assert not is_too_much([tmp_path / "gone"])
