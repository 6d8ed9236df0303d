import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from cli.home import Home
from runtime.embedded.child import StartError, port_is_free
from runtime.embedded.postgres import EmbeddedPostgres
from tests.conftest import Servers
from tests.support.installed import Installed
from tests.support.up import Up, alive, wait_for


def _ready(port: int) -> bool:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        client.request("GET", "/readyz")
        return client.getresponse().status == 200
    except OSError:
        return False
    finally:
        client.close()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _valkey_url(home: Path) -> str:
    password, port = ((home / "valkey" / name).read_text() for name in ("password", "port"))
    return f"redis://:{password}@127.0.0.1:{port}/0"


@pytest.fixture
def begun(installed: Installed, home: Path) -> Path:
    """A home that was started before."""
    return installed.copy_to(home)


def test_a_second_up_says_in_one_sentence_that_one_runs_and_leaves_it_alone(home: Path) -> None:
    with Up(home) as first:
        note = first.wait_ready()

        code, said = Up(home).run_to_its_end()

        assert code == 4
        assert said.strip().count("\n") == 0
        assert f"already runs on {home}" in said
        assert Home(home).running() is not None
        assert first.process is not None
        assert note["pid"] == first.process.pid


def test_sigterm_ends_everything_and_frees_the_folder(home: Path) -> None:
    with Up(home) as up:
        up.wait_ready()
        family = up.family()
        assert len(family) > 5
        assert up.process is not None
        up.process.send_signal(signal.SIGTERM)

        assert up.process.wait(60) == 0

    assert not alive(family)
    assert Home(home).running() is None


def test_nothing_outlives_an_up_that_was_killed_and_the_next_one_starts(begun: Path) -> None:
    with Up(begun, services=["ai_engine"], REPOSTREAM_AI_ENGINE_PORT=str(_free())) as up:
        up.wait_ready()
        family = up.family()
        assert up.process is not None
        up.process.kill()

        wait_for(lambda: not alive(family), 40, "all processes ended")

    with Up(begun) as again:
        again.wait_ready()


def test_a_killed_server_and_a_killed_service_come_back_where_they_were(begun: Path) -> None:
    port = _free()
    with Up(begun, services=["ai_engine"], REPOSTREAM_AI_ENGINE_PORT=str(port)) as up:
        up.wait_ready()
        url = _valkey_url(begun)
        valkey, service = up.child("valkey-server"), up.child("ai_engine")
        for process in (valkey, service):
            process.kill()

        wait_for(lambda: len(up.family()) > 5 and _answers(url), 60, "Valkey is back")
        assert _valkey_url(begun) == url
        wait_for(lambda: _ready(port), 90, "the service is back")
        assert up.child("ai_engine").pid != service.pid
        assert "Valkey was ended by SIGKILL; starting it again" in up.said
        wait_for(lambda: "ai_engine is back." in up.said, 30)


def test_nobody_can_take_the_port_of_a_service_that_is_not_there_for_a_moment(begun: Path) -> None:
    port = _free()
    with Up(begun, services=["ai_engine"], REPOSTREAM_AI_ENGINE_PORT=str(port)) as up:
        up.wait_ready()
        service = up.child("ai_engine")
        service.kill()
        service.wait(10)

        while not _ready(port):
            assert not port_is_free(port)
            time.sleep(0.01)


def _answers(url: str) -> bool:
    try:
        with Redis.from_url(url) as redis:
            return bool(redis.ping())
    except RedisConnectionError:
        return False


def test_a_taken_public_port_names_the_setting_that_changes_it(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = Up(home, services=["web_ui"], REPOSTREAM_WEB_UI_PORT=str(port))

        code, said = up.run_to_its_end()

    assert code == 3
    assert said.strip().count("\n") == 0
    assert f"Port {port}" in said
    assert "set REPOSTREAM_WEB_UI_PORT" in said


def test_a_taken_internal_port_is_replaced(begun: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Up(begun, services=["ai_engine"], REPOSTREAM_AI_ENGINE_PORT=str(port)) as up:
            up.wait_ready()


def test_a_home_that_is_no_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    code, said = Up(tmp_path / "file" / "home").run_to_its_end()

    assert code == 3
    assert "cannot be made: Not a directory" in said
    assert "Traceback" not in said


async def test_urls_of_the_settings_replace_the_embedded_servers(
    servers: Servers, database_url: str, redis_url: str, chroma_url: str, home: Path
) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("DROP SCHEMA es, app, rag, auth, audit, sandbox CASCADE")
    outside = {
        "REPOSTREAM_DATABASE_URL": database_url,
        "REPOSTREAM_REDIS_URL": redis_url,
        "REPOSTREAM_CHROMA_URL": chroma_url,
        "REPOSTREAM_AI_ENGINE_PORT": str(port := _free()),
    }
    try:
        with Up(home, services=["ai_engine"], **outside) as up:
            up.wait_ready()

            assert _ready(port)
            assert not [name for name in ("postgres", "valkey", "chroma") if (home / name).exists()]
            assert await connection.fetchval("SELECT count(*) FROM es.migrations") == 1
    finally:
        await connection.close()
    assert servers.valkey.running


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    yield from _mounted(tmp_path / "tiny", "size=16m")


def _mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_sentence_that_says_what_to_do(tiny_disk: Path) -> None:
    code, said = _bare(tiny_disk)

    assert code == 3
    assert "is full: 1" in said
    assert "Free some, or set REPOSTREAM_HOME" in said
    assert "Traceback" not in said


def test_a_disk_that_fills_up_while_the_data_is_made_is_said_too(tiny_disk: Path) -> None:
    postgres = EmbeddedPostgres(tiny_disk / "postgres", fsync=False)

    with pytest.raises(StartError, match="no space left"):
        postgres.start()


def test_a_read_only_folder_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    mount = _mounted(folder, "size=1m,ro") if os.geteuid() == 0 else iter([folder])
    next(mount)
    if os.geteuid() != 0:
        folder.mkdir(mode=0o500)
    try:
        code, said = _bare(folder)
    finally:
        next(mount, None)

    assert code == 3
    assert "cannot be" in said
    assert "Read-only" in said or "Permission" in said
    assert "Traceback" not in said


def _bare(home: Path) -> tuple[int, str]:
    return Up(home).run_to_its_end()
