"""The graph over HTTP: callers and callees, imports both ways, the most connected files, folders, what is in them."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from ai_engine.adapters.facts import HttpFacts
from events.artifacts import CommitRow
from events.base import LOCAL_TENANT
from events.looking import CallersRequest, DefinitionsRequest, FolderRequest
from runtime.faults import Permanent
from tests.support.orchestrator import CHURN, COMMITS, FILES, System, a_system, eventually
from tests.support.service_keys import signer


@pytest.fixture
async def system(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def test_the_graph_of_an_analysis_is_asked_for_from_all_sides(system: System) -> None:
    """One analysis for all of them: what each route says of the same rows."""
    wanted = {"url": "https://github.com/pallets/flask", "history": 20}
    analysis = UUID((await system.client.post("/api/v1/analyses", json=wanted)).json()["analysis_id"])
    await system.until(analysis, "refined")
    base = f"/analyses/{analysis}"
    await eventually(lambda: system.get(f"{base}/symbols"), lambda page: page["total"] == 2 * len(FILES))
    connected = await eventually(lambda: system.get(f"{base}/connections"), lambda page: page["items"])
    symbols = {item["qualified_name"]: item for item in (await system.get(f"{base}/symbols"))["items"]}
    caller, called = symbols["app/main.py.f0"], symbols["app/util.py.f1"]

    callers = await system.get(f"{base}/symbols/{called['id']}/callers")
    assert callers["total"] == 2
    assert [(one["symbol_id"], one["name"], one["line"], one["level"]) for one in callers["items"]] == [
        (caller["id"], "app/main.py.f0", 4, "exact"),
        (None, "", 5, "named"),
    ]
    callees = await system.get(f"{base}/symbols/{caller['id']}/callees")
    assert [(one["symbol_id"], one["symbol_path"]) for one in callees["items"]] == [(called["id"], "app/util.py")]
    assert (await system.get(f"{base}/symbols/{caller['id']}/callers"))["items"] == []

    await assistant_is_told(system, str(analysis), caller["id"], called["id"])
    first = await system.client.get(f"/api/v1{base}/symbols/{called['id']}/callers", params={"limit": 1})
    rest = await system.client.get(
        f"/api/v1{base}/symbols/{called['id']}/callers", params={"limit": 1, "cursor": first.json()["next"]}
    )
    assert [one["line"] for one in (*first.json()["items"], *rest.json()["items"])] == [4, 5]
    assert rest.json()["next"] is None

    imports = (await system.client.get(f"/api/v1{base}/imports", params={"path": "app/main.py"})).json()
    assert [(one["module"], one["resolution"]) for one in imports["items"]] == [
        ("os", "standard"),
        ("app.util", "file"),
        ("flask", "dependency"),
    ]
    importing = (await system.client.get(f"/api/v1{base}/imported-by", params={"path": "app/util.py"})).json()
    assert [(one["path"], one["line"]) for one in importing["items"]] == [("app/main.py", 2)]

    assert [(one["path"], one["imports"], one["called_by"]) for one in connected["items"]] == [
        ("app/main.py", 1, 0),
        ("app/util.py", 0, 1),
    ]
    assert (await system.get(f"{base}/modules"))["items"] == []  # both files are in one folder
    assert (await system.get(f"{base}/modules", folder=""))["items"] == []
    below = (await system.get(f"{base}/modules", folder="app/"))["items"]
    assert below == [{"source": "app/main.py", "target": "app/util.py", "imports": 1, "calls": 2}]
    assert (await system.get(f"{base}/modules", folder="ap"))["items"] == []
    top = (await system.get(f"{base}/treemap"))["items"]
    assert {(one["path"], one["is_file"], one["files"], one["complexity"], one["changes"]) for one in top} == {
        ("app", False, 2, 10, 9),
        ("README.md", True, 1, 0, 0),
    }
    inside = (await system.client.get(f"/api/v1{base}/treemap", params={"folder": "app"})).json()
    assert {one["path"]: one["changes"] for one in inside["items"]} == CHURN
    await commits_are_kept(system, analysis)
    assert sum(one["size"] for one in inside["items"]) == next(one["size"] for one in top if not one["is_file"])


async def commits_are_kept(system: System, analysis: UUID) -> None:
    """What a search reads of the past, in the order of the commits."""
    statement = text(
        "SELECT number, commit, subject, message, paths FROM app.commits WHERE analysis_id = :id ORDER BY number"
    )
    async with system.engine.connect() as connection:
        rows = await connection.execute(statement, {"id": analysis})
        assert [CommitRow.model_validate(row) for row in rows.mappings()] == list(COMMITS)


async def assistant_is_told(system: System, analysis: str, caller: str, called: str) -> None:
    """What the assistant hears of the same rows, and that nobody else does, nor of another tenant."""
    facts = HttpFacts("http://orchestrator.invalid", lambda: signer("ai_engine").headers("orchestrator"))
    facts._http._client = system.client  # the very application, by the adapter that asks it
    ids = {"tenant_id": LOCAL_TENANT, "analysis_id": UUID(analysis)}
    named = await facts.definitions(DefinitionsRequest(**ids, name="f1", path="app/util.py"))
    calling = await facts.callers(CallersRequest(**ids, symbol=called))
    below = await facts.folder(FolderRequest(**ids, folder="/app/"))

    assert [(one.id, one.name, one.path) for one in named.entries] == [(called, "app/util.py.f1", "app/util.py")]
    assert [(one.id, one.path, one.first_line) for one in calling.entries] == [
        (caller, "app/main.py", 4),
        ("", "app/main.py", 5),
    ]
    assert {(one.kind, one.path) for one in below.entries} == {("file", "app/main.py"), ("file", "app/util.py")}
    another = {"tenant_id": uuid4(), "analysis_id": UUID(analysis)}
    assert (await facts.definitions(DefinitionsRequest(**another))).total == 0
    assert (await facts.callers(CallersRequest(**another, symbol=called))).total == 0
    assert (await facts.folder(FolderRequest(**another))).total == 0
    for who in ("processor", "rag_manager", "web_ui"):
        facts._http._headers = lambda who=who: signer(who).headers("orchestrator")
        with pytest.raises(Permanent, match="unauthorized"):
            await facts.folder(FolderRequest(**ids))


async def test_the_overview_tells_of_modules_and_commands_and_each_of_its_lines_exists(system: System) -> None:
    analysis = await system.begin()
    await system.until(analysis, "refined")
    base = f"/api/v1/analyses/{analysis}"
    told = await eventually(lambda: system.get(f"/analyses/{analysis}/overview"), lambda found: found["links"])

    assert [(one["source"], one["target"], one["imports"], one["calls"]) for one in told["links"]] == [
        ("app/main.py", "app/util.py", 1, 1)
    ]
    assert "`app/main.py` → `app/util.py`: 1 import and 1 call" in told["markdown"]
    assert told["diagram"].startswith("flowchart LR\n")
    assert f"```mermaid\n{told['diagram']}\n```" in told["markdown"]
    assert (told["has_graph"], told["questions"][0]) == (True, "What does this project do?")
    cited = [place for place in told["citations"] if place["path"] in FILES]  # its dependencies stand in no file of it
    assert {place["path"] for place in cited} == {"app/main.py", "app/util.py"}
    for place in cited:
        asked = {"path": place["path"], "first_line": place["first_line"], "last_line": place["last_line"]}
        lines = (await system.client.get(f"{base}/lines", params=asked)).json()
        assert (lines["first_line"], lines["last_line"]) == (place["first_line"], place["last_line"]), place

    written = await system.client.post(f"{base}/overview", json={})
    assert (written.status_code, written.json()["state"]) == (202, "asked")
    stream = await system.journal.read_stream(f"conversation/{written.json()['conversation_id']}")
    asked_for = stream[-1].data
    assert (asked_for["analysis_id"], asked_for["question_id"]) == (str(analysis), written.json()["question_id"])
    assert all(section["text"] in asked_for["facts"] for section in told["sections"])
    unknown = await system.client.post(f"{base}/overview", json={"model": "openai:none"})
    assert unknown.json()["code"] == "model_not_configured"

    first = await system.client.get(f"{base}/overview")
    again = await system.client.get(f"{base}/overview", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
