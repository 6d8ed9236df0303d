"""Two analyses of one repository beside each other, over HTTP."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from events.base import caused_by
from events.question import Citation, Passage, QuestionAnswered
from tests.support.orchestrator import FILES, System, a_system


@pytest.fixture
async def system(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def test_what_became_of_a_repository_is_told_in_counts_lists_and_times(
    system: System, monkeypatch: pytest.MonkeyPatch, home: Path
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
    assert found["symbols"] == {"added": 2, "removed": 0, "changed": 2, "same": 4}
    assert found["dependencies"] == {"added": 0, "removed": 0, "changed": 0, "same": 3}
    assert found["chunks"] == {"added": 1, "removed": 0, "changed": 1, "same": 2}
    assert (found["before"]["analysis_id"], found["after"]["analysis_id"]) == (str(older), newer)
    assert found["before"]["seconds"] > 0
    stages = {one["stage"]: one for one in found["stages"]}
    assert all(stages["parse"][side] >= 0 for side in ("before", "after"))
    assert await listed("files") == [("changed", "app/main.py"), ("added", "app/new.py")]
    assert await listed("files", kind="added") == [("added", "app/new.py")]
    edited = [("changed", "app/main.py", "function", f"app/main.py.f{n}") for n in range(2)]  # as long as before
    added = [("added", "app/new.py", "function", f"app/new.py.f{n}") for n in range(2)]
    assert await listed("symbols") == [*edited, *added]
    assert await listed("chunks", kind="changed") == [("changed", "app/main.py")]
    assert await listed("chunks", kind="removed") == []
    of = f"/analyses/{newer}/differences/symbols"
    first = await system.get(of, against=older, limit=3)
    rest = await system.get(of, against=older, limit=3, cursor=first["next"])
    assert (first["total"], rest["next"]) == (4, None)
    assert [one["name"][2] for one in (*first["items"], *rest["items"])] == [one[3] for one in (*edited, *added)]

    back = await system.get(f"/analyses/{older}/comparison", against=newer)
    assert (back["files"]["removed"], back["symbols"]["removed"]) == (1, 2)
    same = await system.get(f"/analyses/{older}/comparison", against=older)
    assert (same["files"], same["symbols"]["same"]) == ({"added": 0, "removed": 0, "changed": 0, "same": 4}, 6)
    await _answers_stand_beside_each_other(system, str(older), newer)
    other = await system.begin("https://github.com/pallets/click")
    refused = await system.get(f"/analyses/{newer}/comparison", against=str(other))
    assert refused["code"] == "another_repository"
    gone = await system.get(f"/analyses/{newer}/comparison", against="00000000-0000-4000-8000-00000000dead")
    assert gone["code"] == "not_found"
    await system.get(f"/analyses/{newer}/comparison", against=older)
    shutil.rmtree(home / "objects")
    for path in (of, f"/analyses/{newer}/differences/files", f"/analyses/{newer}/comparison"):
        assert "code" not in await system.get(path, against=older), path  # it was read before
    system.app.state.services.edits.forget()
    for path in (of, f"/analyses/{newer}/differences/files", f"/analyses/{newer}/comparison"):
        lost = await system.client.get(f"/api/v1{path}", params={"against": str(older)})
        assert (lost.status_code, lost.json()["code"]) == (409, "not_comparable"), path


async def _answers_stand_beside_each_other(system: System, older: str, newer: str) -> None:
    """Of the same words in any conversation of the team; not of one that was deleted."""
    talks = [await _asked(system, older, "Where is it made?"), await _asked(system, newer, " where is it MADE ")]
    await _asked(system, newer, "Only asked here?")
    await system.followed()

    async def compared(analysis: str, against: str, **more: object) -> dict[str, Any]:
        found: dict[str, Any] = await system.get(f"/analyses/{analysis}/answers", against=against, **more)
        return found

    [found] = (page := await compared(newer, older))["items"]
    assert (page["total"], page["next"], page["left_out"]) == (1, None, 0)
    assert [found[side]["analysis_id"] for side in ("before", "after")] == [older, newer]
    assert [found[side]["answer"] for side in ("before", "after")] == [f"By {older}.", f"By {newer}."]
    assert found["after"]["citations"][0]["path"] == "app/main.py"
    assert [passage["path"] for passage in found["after"]["passages"]] == ["app/main.py"]  # not the one that none cites
    assert len((await compared(newer, newer))["items"]) == 2
    first = await compared(newer, newer, limit=1)
    rest = await compared(newer, newer, limit=1, cursor=first["next"])
    assert [one["query"] for one in (*first["items"], *rest["items"])] == ["Only asked here?", "where is it MADE"]
    assert (await system.client.delete(f"/api/v1/conversations/{talks[0]}")).status_code < 300
    assert (await compared(newer, older))["items"] == []


async def _asked(system: System, analysis: str, query: str) -> str:
    """A conversation with one question that is answered at an analysis; its id."""
    repository = (await system.get(f"/analyses/{analysis}"))["repository_id"]
    began = await system.client.post("/api/v1/conversations", json={"repository_id": repository})
    talk: str = began.json()["conversation_id"]
    reply = await system.client.post(f"/api/v1/conversations/{talk}/questions", json={"query": query})
    asked = (await system.journal.read_stream(f"conversation/{talk}"))[-1]
    passages = tuple(
        Passage(chunk_id=path, path=path, first_line=1, last_line=5, text="x")
        for path in ("app/main.py", "app/util.py")
    )
    event = QuestionAnswered(
        question_id=UUID(reply.json()["question_id"]), query=query, answer=f"By {analysis}.", mode="extractive",
        response_time=0.2, rag_hits=2, confidence=0.5, removed_citations=0, passages=passages,
        citations=(Citation(path="app/main.py", first_line=4, last_line=5),),
        analysis_id=UUID(analysis), commit="c0ffee", generation_kind="quick", provider="none", model="none", prompt="p",
    )  # fmt: skip
    answered = caused_by(asked, asked.stream_id, event, ordinal=0, at=datetime.now(UTC))
    await system.journal.append(asked.stream_id, [answered])
    return talk
