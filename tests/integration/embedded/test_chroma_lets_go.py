"""Chroma keeps the folder, the memory and the open files of a dropped collection: it is started anew, without them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import chromadb
import psutil
import pytest
from chromadb.errors import NotFoundError

from runtime.embedded.chroma import EmbeddedChroma
from runtime.embedded.chroma_server import left_over
from tests.support.up import wait_for

_ANEW = "Starting anew"
VECTORS = 1_200  # Chroma writes a folder from a thousand on


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedChroma]:
    server = EmbeddedChroma(tmp_path / "chroma")
    server.start()
    yield server
    server.kill()


def fill(server: EmbeddedChroma, name: str) -> chromadb.Collection:
    client = chromadb.HttpClient(host="127.0.0.1", port=server.port)
    collection = client.create_collection(name, embedding_function=None)
    collection.upsert(
        ids=[f"{name}-{number}" for number in range(VECTORS)],
        embeddings=[[1.0, float(number), -float(number)] for number in range(VECTORS)],
    )
    return collection


def drop(server: EmbeddedChroma, name: str) -> None:
    chromadb.HttpClient(host="127.0.0.1", port=server.port).delete_collection(name)


def data_of(server: EmbeddedChroma) -> Path:
    return server.folder / "data"


def test_what_was_dropped_is_gone_after_the_next_start_and_what_was_not_is_found_as_before(
    server: EmbeddedChroma,
) -> None:
    kept = fill(server, "kept")
    for name in ("first", "second"):
        fill(server, name)
        drop(server, name)
    wanted = [1.0, 1_150.0, -1_150.0]  # among those that are in its write-ahead log alone
    before = kept.query(query_embeddings=[wanted], n_results=5)["ids"]
    wait_for(lambda: len(left_over(data_of(server))) == 2)
    files = psutil.Process(server.pid).num_fds()

    server.stop()
    server.start()

    assert left_over(data_of(server)) == set()
    assert len([entry for entry in data_of(server).iterdir() if entry.is_dir()]) == 1
    after = chromadb.HttpClient(host="127.0.0.1", port=server.port).get_collection("kept", embedding_function=None)
    assert after.query(query_embeddings=[wanted], n_results=5)["ids"] == before
    assert after.count() == VECTORS
    assert psutil.Process(server.pid).num_fds() < files
    with pytest.raises(NotFoundError):
        chromadb.HttpClient(host="127.0.0.1", port=server.port).get_collection("first", embedding_function=None)


def test_a_server_that_keeps_too_much_starts_anew_without_it(tmp_path: Path) -> None:
    """With a look every tenth of a second and no more than one folder, in a process of its own."""
    folder = tmp_path / "data"
    folder.mkdir()
    running = EmbeddedChroma(tmp_path / "other")
    impatient = (
        "import sys; from pathlib import Path; from runtime.embedded import chroma_server as own\n"
        "own.MOST_FOLDERS, own._LOOK = 1, 0.1\n"
        "own.main(Path(sys.argv[1]), '127.0.0.1', int(sys.argv[2]))\n"
    )
    running._launch = lambda log: subprocess.Popen(  # type: ignore[method-assign]  # the same with other constants
        [sys.executable, "-c", impatient, str(folder), str(running.port)], stdout=log, stderr=log
    )
    running.start()
    pid = running.pid
    try:
        kept = fill(running, "kept")
        fill(running, "one")
        drop(running, "one")
        wait_for(lambda: len(left_over(folder)) == 1)
        assert _ANEW not in running.log.read_text(), "one is not too much"
        fill(running, "two")
        drop(running, "two")

        wait_for(lambda: _ANEW in running.log.read_text())
        wait_for(lambda: not left_over(folder) and running.answers())

        assert running.pid == pid
        assert kept.count() == VECTORS
        fill(running, "three")
        running.stop()
        assert psutil.pid_exists(pid) is False, "asked to, it ends"
    finally:
        running.kill()
