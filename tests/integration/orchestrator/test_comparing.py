"""Two analyses of one repository beside each other, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.orchestrator import FILES, System, a_system


@pytest.fixture
async def system(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def test_what_became_of_a_repository_is_told_in_counts_lists_and_times(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file changed and one was added between the two; seen from the other side, it was removed."""
    older = await system.begin()
    await system.until(older, "refined")
    monkeypatch.setitem(FILES, "app/main.py", FILES["app/main.py"].replace("os.getcwd()", "os.getpid()"))  # as long
    monkeypatch.setitem(FILES, "app/new.py", "def fresh():\n    return 1\n")
    again = {"url": "https://github.com/pallets/flask", "force": True}
    newer = (await system.client.post("/api/v1/analyses", json=again)).json()["analysis_id"]
    await system.until(newer, "refined")
    await system.followed()

    async def listed(what: str, **more: object) -> list[tuple[Any, ...]]:
        page = await system.get(f"/analyses/{newer}/differences/{what}", against=older, **more)
        assert page["total"] == len(page["items"])
        return [(one["kind"], *one["name"]) for one in page["items"]]

    found = await system.get(f"/analyses/{newer}/comparison", against=older)
    assert found["files"] == {"added": 1, "removed": 0, "changed": 1, "same": 3}
    assert found["symbols"] == {"added": 2, "removed": 0, "changed": 0, "same": 6}
    assert found["dependencies"] == {"added": 0, "removed": 0, "changed": 0, "same": 3}
    assert found["chunks"] == {"added": 1, "removed": 0, "changed": 0, "same": 3}
    assert (found["before"]["analysis_id"], found["after"]["analysis_id"]) == (str(older), newer)
    assert found["before"]["seconds"] > 0
    stages = {one["stage"]: one for one in found["stages"]}
    assert all(stages["parse"][side] >= 0 for side in ("before", "after"))
    assert await listed("files") == [("changed", "app/main.py"), ("added", "app/new.py")]
    assert await listed("files", kind="added") == [("added", "app/new.py")]
    assert await listed("symbols") == [("added", "app/new.py", "function", f"app/new.py.f{n}") for n in range(2)]
    assert await listed("chunks", kind="removed") == []
    first = await system.get(f"/analyses/{newer}/differences/symbols", against=older, limit=1)
    rest = await system.get(f"/analyses/{newer}/differences/symbols", against=older, limit=1, cursor=first["next"])
    assert (first["total"], rest["next"]) == (2, None)
    assert [one["name"][2] for one in (*first["items"], *rest["items"])] == ["app/new.py.f0", "app/new.py.f1"]

    back = await system.get(f"/analyses/{older}/comparison", against=newer)
    assert (back["files"]["removed"], back["symbols"]["removed"]) == (1, 2)
    same = await system.get(f"/analyses/{older}/comparison", against=older)
    assert (same["files"], same["symbols"]["same"]) == ({"added": 0, "removed": 0, "changed": 0, "same": 4}, 6)
    other = await system.begin("https://github.com/pallets/click")
    refused = await system.get(f"/analyses/{newer}/comparison", against=str(other))
    assert refused["code"] == "another_repository"
    gone = await system.get(f"/analyses/{newer}/comparison", against="00000000-0000-4000-8000-00000000dead")
    assert gone["code"] == "not_found"
