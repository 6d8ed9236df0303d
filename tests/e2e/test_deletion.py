"""A deleted repository is gone from every store of the real system, also where its parts are killed in the middle."""

import asyncio
import time

from tests.support.canaries import dump, files
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer
from tests.support.system import System

CANARY = "canary_e1d7"
_SECONDS = 60.0  # within which all of it must be gone


def _left(system: System) -> list[str]:
    """The stores that have the canary: tables, artifacts, unpacked indexes, folders of work."""
    found = ["tables"] if CANARY in asyncio.run(dump(system.database_url)) else []
    folders = [system.home / name for name in ("objects", "cache", "work")]
    content = [pair for folder in folders if folder.is_dir() for pair in files(folder)]
    return found + [name for name, inside in content if CANARY.encode() in inside]


def test_killed_in_the_middle_a_deletion_comes_to_its_end_within_a_minute(system: System, git_host: GitServer) -> None:
    files = {f"{CANARY}.py": f"def {CANARY}():\n    return '{CANARY}'\n", "README.md": f"# {CANARY}\n"}
    build_repository(git_host.folder / "odd" / "canary.git", [files])
    view = system.wait(system.analyse(git_host.url("odd/canary"))["analysis_id"], {"refined"})
    assert view["state"] == "refined", view
    answer = system.ask(view["repository_id"], f"What does {CANARY} return?")
    assert answer["state"] == "answered", answer
    assert len(_left(system)) > 1, "the canary would be seen"

    reply = system.client.delete(f"/repositories/{view['repository_id']}")
    began = time.monotonic()
    killed = [system.kill("rag_manager"), system.kill("orchestrator")]

    assert reply.status_code == 202, reply.text
    assert all(killed)
    while (left := _left(system)) and time.monotonic() - began < _SECONDS:
        time.sleep(1.0)
    assert left == []
    gone = system.client.get(f"/analyses/{view['analysis_id']}")
    assert gone.status_code == 404
