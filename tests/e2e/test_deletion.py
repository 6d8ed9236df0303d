"""A deleted repository is gone from every store of the real system, also where its parts are killed in the middle."""

import asyncio
import time

import asyncpg

from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer
from tests.support.system import System

CANARY = "canary_e1d7"
_SECONDS = 60.0  # within which all of it must be gone


async def _dump(database_url: str) -> str:
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch("""
            SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND n.nspname IN ('es', 'app', 'rag', 'auth')
        """)
        rows = [row[0] for table in tables for row in await connection.fetch(f"SELECT t::text FROM {table[0]} t")]
        return "\n".join(rows)
    finally:
        await connection.close()


def _left(system: System) -> list[str]:
    """The stores that have the canary: tables, artifacts, unpacked indexes, logs."""
    found = ["tables"] if CANARY in asyncio.run(_dump(system.database_url)) else []
    folders = [system.home / name for name in ("objects", "cache", "work")]
    files = [path for folder in folders if folder.is_dir() for path in folder.rglob("*") if path.is_file()]
    return found + [str(path) for path in files if CANARY.encode() in path.read_bytes()]


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
