import json
from typing import Any

import httpx
import pytest

from cli import status
from cli.exits import OK
from runtime.client import Client

VIEW: dict[str, Any] = {
    "analysis_id": "a1",
    "repository_id": "r1",
    "url": "https://github.com/o/r",
    "name": "o/r",
    "version": 9,
    "state": "ready",
    "commit": "c0ffee" * 6,
    "requested_at": "2026-01-01T00:00:00Z",
    "stages": [{"stage": "refine", "state": "failed", "code": "disk_full", "message": "No space left."}],
    "outcomes": {"parsed": 8, "parsed.syntax_errors": 1, "lines.no_grammar": 4, "failed.parser_timeout": 25},
    "skipped": {"binary": 2},
    "failed": {"parser_timeout": 25, "metadata.internal_error": 1},
    "damaged": ["edges 2: It is gone."],
}
REPOSITORY: dict[str, Any] = {
    "repository_id": "r1",
    "url": "https://github.com/o/r",
    "name": "o/r",
    "host": "github.com",
    "latest": VIEW,
}
REPOSITORY["registered_at"] = "2026-01-01T00:00:00Z"
ENTRY = {"language": None, "file_class": "source", "size": 1, "lines": 1}
FILES = {
    "parser_timeout": [{"path": f"src/slow-{n:02}.c", "errors": 0} for n in range(25)],
    "syntax_errors": [{"path": "src/broken.py", "errors": 12}],
    "no_grammar": [{"path": "README"}],
    "binary": [{"path": "logo.png"}],
}


STALE = {"analysis_id": "a1", "standing": "behind", "ref": "main", "commit": "1" * 40, "newest": "2" * 40}
STALE |= {"checked_at": "2026-03-01T12:00:00Z", "behind_by": 12}


def answer(request: httpx.Request) -> httpx.Response:
    path = request.url.path.removeprefix("/api/v1")
    if path == "/analyses/a1/files":
        items = [ENTRY | file for file in FILES[request.url.params["reason"]]]
        return httpx.Response(200, json={"items": items, "total": len(items), "next": None})
    replies: dict[str, Any] = {
        "/repositories": {"items": [REPOSITORY]},
        "/repositories/r1": REPOSITORY,
        "/analyses/a1": VIEW,
        "/repositories/r1/staleness": STALE,
    }
    return httpx.Response(200, json=replies[path])


@pytest.fixture(autouse=True)
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("REPOSTREAM_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(status, "connect", lambda: Client("http://test", httpx.MockTransport(answer)))


def test_each_repository_is_listed_with_what_is_wrong_with_its_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert status.run_status(None, as_json=False) == OK

    said = " ".join(capsys.readouterr().out.split())
    for words in ("https://github.com/o/r", "26 failed, 1 with syntax errors, 2 left out, 1 not loaded"):
        assert words in said


def test_one_repository_is_told_with_its_failures_its_counts_and_the_paths_by_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status.run_status("o/r", as_json=False) == OK

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "https://github.com/o/r  ready"
    assert "  refine failed: disk_full: No space left." in lines
    assert (
        "  Behind by 12 commits: main is at 2222222222; `repostream analyze` takes over what did not change." in lines
    )
    assert "  Could not be loaded: edges 2: It is gone." in lines
    begin = lines.index("  parser_timeout (25)")
    assert lines[begin + 1] == "    src/slow-00.c"
    assert lines[begin + 21] == "    … and 5 more"
    assert "    src/broken.py  12 errors" in lines
    assert lines[-2:] == ["  binary (1)", "    logo.png"]
    assert not any("README" in line for line in lines)


def test_a_script_gets_the_files_of_every_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert status.run_status("https://github.com/o/r.git", as_json=True) == OK

    told = json.loads(capsys.readouterr().out)
    assert told["staleness"]["standing"] == "behind"
    assert told["analysis"]["damaged"] == ["edges 2: It is gone."]
    assert set(told["files"]) == {"parser_timeout", "syntax_errors", "no_grammar", "binary"}
    assert told["files"]["no_grammar"]["items"][0]["path"] == "README"
