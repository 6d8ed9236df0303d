import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import chromadb
import psutil
import pytest
from redis import Redis

from runtime.embedded import binaries
from runtime.embedded import server as module
from runtime.embedded.child import StartError
from runtime.embedded.chroma import EmbeddedChroma
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.server import EmbeddedServer
from runtime.embedded.valkey import EmbeddedValkey
from tests.support.up import alive, wait_for

_SERVERS: dict[str, Callable[[Path], EmbeddedServer]] = {
    "postgres": lambda folder: EmbeddedPostgres(folder, fsync=False),
    "valkey": EmbeddedValkey,
    "chroma": EmbeddedChroma,
}
_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone hands PostgreSQL to another user")
_on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tie between parent and child")


async def _sql(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def _write(server: EmbeddedServer) -> None:
    if isinstance(server, EmbeddedPostgres):
        asyncio.run(_sql(server.url, "CREATE TABLE kept AS SELECT 42 AS value"))
    elif isinstance(server, EmbeddedValkey):
        with Redis.from_url(server.url) as redis:
            redis.set("kept", "42")
            wait_for(lambda: int(redis.info("persistence")["aof_pending_bio_fsync"]) == 0)
    else:
        _collection(server).upsert(ids=["42"], embeddings=[[1.0, 2.0]])


def _read(server: EmbeddedServer) -> str:
    if isinstance(server, EmbeddedPostgres):
        return str(asyncio.run(_sql(server.url, "SELECT value FROM kept")))
    if isinstance(server, EmbeddedValkey):
        with Redis.from_url(server.url, decode_responses=True) as redis:
            return str(redis.get("kept"))
    return str(_collection(server).get()["ids"][0])


def _collection(server: EmbeddedServer) -> chromadb.Collection:
    client = chromadb.HttpClient(host="127.0.0.1", port=server.port)
    return client.get_or_create_collection("kept", embedding_function=None)


@pytest.fixture(params=_SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedServer]:
    server = _SERVERS[request.param](tmp_path / "server")
    yield server
    server.kill()


def test_a_killed_server_comes_back_on_its_port_with_its_data(server: EmbeddedServer) -> None:
    url = server.start()
    _write(server)

    server.kill()
    assert not server.running

    assert server.start() == url
    assert _read(server) == "42"


def test_a_stopped_server_is_found_again_by_its_folder(server: EmbeddedServer) -> None:
    url = server.start()
    _write(server)
    server.stop()

    again = type(server)(server.folder)
    try:
        assert again.start() == url
        assert _read(again) == "42"
    finally:
        again.stop()


def test_a_server_that_outlived_its_supervisor_is_ended_before_the_next_start(server: EmbeddedServer) -> None:
    server.start()
    stray = psutil.Process(server.pid)
    again = type(server)(server.folder)  # as a supervisor does that was killed and started anew
    try:
        again.start()

        assert not alive([stray])
        assert again.running
    finally:
        again.stop()


def test_a_remembered_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    first, second = EmbeddedValkey(tmp_path / "first"), EmbeddedValkey(tmp_path / "second")
    try:
        first.start()
        (tmp_path / "second").mkdir()
        (tmp_path / "second" / "port").write_text(str(first.port))

        second.start()

        assert second.port != first.port
        assert first.running
    finally:
        first.stop()
        second.stop()


def test_valkey_comes_back_empty_where_its_whole_folder_was_wiped(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / "valkey")
    try:
        url = valkey.start()
        subprocess.run(["rm", "-rf", str(valkey.folder)], check=True)
        valkey.kill()

        assert valkey.start() == url
        with Redis.from_url(url) as redis:
            assert redis.dbsize() == 0
    finally:
        valkey.stop()


def test_of_damaged_data_only_the_last_is_kept(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / "server")
    old = valkey.folder / "data.damaged-1"
    for folder in (old, valkey.folder / "data"):
        folder.mkdir(parents=True)
        (folder / "file").touch()

    assert valkey._mend("Bad file format reading the append only file")

    [kept] = valkey.folder.glob("data.damaged-*")
    assert kept != old
    assert (kept / "file").exists()


def test_a_port_that_was_taken_between_the_look_and_the_start_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkey = EmbeddedValkey(tmp_path / "server")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answers = iter([port])
        look = module.remembered_port
        monkeypatch.setattr(module, "remembered_port", lambda path: next(answers, 0) or look(path))
        try:
            valkey.start()

            assert valkey.port != port
        finally:
            valkey.stop()


def test_valkey_sets_a_damaged_append_only_file_aside(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / "valkey")
    try:
        valkey.start()
        _write(valkey)
        valkey.kill()
        (increment,) = (valkey.folder / "data" / "appendonlydir").glob("*.incr.aof")
        increment.write_bytes(b"this is no command\r\n" + increment.read_bytes())

        valkey.start()

        assert len(list(valkey.folder.glob("data.damaged-*"))) == 1
    finally:
        valkey.stop()


def test_postgres_is_not_started_empty_in_place_of_data_that_is_gone(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / "postgres", fsync=False)
    postgres.start()
    postgres.kill()
    postgres.data.rename(tmp_path / "elsewhere")

    with pytest.raises(StartError, match="is gone"):
        postgres.start()


@_as_root
def test_as_root_postgres_runs_as_nobody_behind_a_closed_home_whose_mode_stays(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    postgres = EmbeddedPostgres(closed / "postgres", fsync=False)
    try:
        url = postgres.start()

        nobody = binaries.dropped_identity()
        assert nobody is not None
        assert psutil.Process(postgres.pid).uids().effective == nobody.uid
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert stat.S_IMODE(postgres.data.stat().st_mode) == 0o700
        assert asyncio.run(_sql(url, "SELECT 1")) == 1
    finally:
        postgres.stop()


@_as_root
def test_binaries_behind_a_closed_folder_are_copied_to_where_nobody_may_run_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Path("/var/tmp") / f"repostream-test-{os.getpid()}"
    cache.mkdir(mode=0o755)
    monkeypatch.setattr(binaries, "_CACHES", (str(cache),))
    monkeypatch.setattr(binaries, "may_enter", lambda _path, _who: False)
    postgres = EmbeddedPostgres(tmp_path / "postgres", fsync=False)
    try:
        postgres.start()

        assert psutil.Process(postgres.pid).exe().startswith(str(cache))
    finally:
        postgres.stop()
        subprocess.run(["rm", "-rf", str(cache)], check=True)


def test_a_server_is_started_in_the_main_thread_alone_since_it_ends_with_its_thread(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "valkey")
    with ThreadPoolExecutor(1) as thread, pytest.raises(RuntimeError, match="main thread"):
        thread.submit(server.start).result()
    assert not server.running


@_on_linux
def test_no_server_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    script = """
import json, sys, time
from pathlib import Path
from runtime.embedded.chroma import EmbeddedChroma
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.valkey import EmbeddedValkey
base = Path(sys.argv[1])
servers = [EmbeddedPostgres(base / "p", fsync=False), EmbeddedValkey(base / "v"), EmbeddedChroma(base / "c")]
for server in servers:
    server.start()
print(json.dumps([server.pid for server in servers]), flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        pids = json.loads(supervisor.stdout.readline())
        family = [child for pid in pids for child in (psutil.Process(pid), *psutil.Process(pid).children())]
        assert len(family) > 5

        supervisor.send_signal(signal.SIGKILL)

        wait_for(lambda: not alive(family), 40, "all servers ended")
