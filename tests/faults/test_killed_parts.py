"""Any part is killed in the middle of an analysis: it completes, and leaves what an undisturbed run leaves."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from tests.support.census import census
from tests.support.git_repositories import archive_files, build_repository
from tests.support.git_server import GitServer
from tests.support.installed import Installed
from tests.support.source_archives import source_archive
from tests.support.system import System

Disturb = Callable[[System], None]
# Text is what the larger model takes its time for. What is left has every kind of file, and two shards to parse: one
# file has a name at which a shard ends.
LEFT_AWAY = ("docs/", "tests/test_", "CHANGES", "src/flask/app.py", "src/flask/sansio/")
ENDS_A_SHARD, TEXT_OF_IT = "src/flask/part_4.py", "src/flask/sansio/blueprints.py"
SHARDS = {f"processing.stage.completed parse {number}" for number in (0, 1)}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    """The same project under many names: each analysis of it is another repository."""
    folder = tmp_path_factory.mktemp("repositories")
    files = archive_files(source_archive("flask"))
    kept = {path: content for path, content in files.items() if not str(path).startswith(LEFT_AWAY)}
    kept[ENDS_A_SHARD] = files[TEXT_OF_IT]
    build_repository(folder / "project.git", [kept])
    for name in ("undisturbed", *DISTURBANCES):
        (folder / f"{name}.git").symlink_to(folder / "project.git")
    with GitServer(folder) as server:
        yield server


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, installed: Installed) -> Iterator[System]:
    with System(installed.copy_to(tmp_path_factory.mktemp("installation") / "home")) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(system: System, host: GitServer) -> dict[str, Any]:
    found = refined_census(system, host.url("undisturbed"), None)[1]
    assert found["events"].keys() >= SHARDS, found["events"]
    return found


def kill(service: str) -> Disturb:
    def disturb(system: System) -> None:
        before = system.kill(service)
        wait_until(lambda: system.service(service).pid != before)

    return disturb


def kill_server(word: str, seconds: float = 0.0) -> Disturb:
    """Kill a server, again and again for `seconds`."""

    def disturb(system: System) -> None:
        end = time.monotonic() + seconds
        killed = 0
        while killed == 0 or time.monotonic() < end:
            for process in system.processes(word):
                killed += _killed(process)
            time.sleep(0.1)
        assert killed

    return disturb


def wipe_valkey(system: System) -> None:
    """Stop Valkey for ever and take its data away: what comes back is empty."""
    (process,) = system.processes("valkey-server")
    folder = Path(process.cwd())
    assert _killed(process)
    shutil.rmtree(folder / "appendonlydir", ignore_errors=True)
    wait_until(lambda: bool(system.processes("valkey-server")))


DISTURBANCES: dict[str, tuple[str, Disturb]] = {
    "orchestrator": ("parse", kill("orchestrator")),
    "processor": ("parse", kill("processor")),
    "rag_manager": ("embed", kill("rag_manager")),
    "ai_engine": ("parse", kill("ai_engine")),
    "valkey-wiped": ("parse", wipe_valkey),
    "chroma-down": ("embed", kill_server("chroma", seconds=20)),
    "postgres": ("parse", kill_server("postgres")),
}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", list(DISTURBANCES))
def test_the_analysis_completes_as_if_nothing_had_happened(
    system: System, host: GitServer, undisturbed: dict[str, Any], name: str
) -> None:
    stage, disturb = DISTURBANCES[name]
    asyncio.run(_forget_embeddings(system.database_url))

    view, found = refined_census(system, host.url(name), (stage, disturb))

    assert view["state"] == "refined", view
    differences = {key: (found[key], undisturbed[key]) for key in found if found[key] != undisturbed[key]}
    differences.pop("events", None)
    assert not differences
    assert steps(found) == steps(undisturbed)
    assert all(n == 1 for event, n in found["events"].items() if "completed" in event), found["events"]


def refined_census(
    system: System, url: str, disturbance: tuple[str, Disturb] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Analyse, disturb once the stage has begun, wait for the end, and count."""
    accepted = system.analyse(url)
    analysis_id = accepted["analysis_id"]
    if disturbance:
        stage, disturb = disturbance
        wait_until(lambda: begun(system.analysis(analysis_id), stage))
        assert system.analysis(analysis_id)["state"] not in {"refined", "failed"}, "the fault came too late"
        disturb(system)
    view = system.wait(analysis_id, {"refined"}, seconds=300)
    urls = system.database_url, system.chroma_url
    return view, census(*urls, analysis_id)


def begun(view: dict[str, Any], stage: str) -> bool:
    states = {item["stage"]: item["state"] for item in view["stages"]}
    return states.get(stage, "waiting") not in {"waiting", "queued"}


def steps(found: dict[str, Any]) -> set[str]:
    """What happened, without the retries that a fault may bring."""
    return {
        event for event in found["events"] if "failed" not in event and "retry" not in event and "timer" not in event
    }


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except (StopIteration, psutil.NoSuchProcess):
            pass  # it is just being restarted
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def _killed(process: psutil.Process) -> bool:
    try:
        process.kill()
        process.wait(10)
    except psutil.NoSuchProcess:
        return False
    return True


async def _forget_embeddings(url: str) -> None:
    # So that each run embeds anew, and there is a middle to be killed in.
    connection = await asyncpg.connect(url)
    await connection.execute("TRUNCATE rag.embeddings")
    await connection.close()
