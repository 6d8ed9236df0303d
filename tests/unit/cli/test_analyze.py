import json
from typing import Any

import httpx
import pytest

from cli import analyze, ask
from cli.analyze import run_analyze, stage_lines
from cli.progress import Row
from runtime.client import ApiError, Client
from runtime.client.shapes import AnalysisRequest

_AT = "2026-01-01T00:00:00Z"


def _a_view(state: str, version: int = 1, **more: object) -> dict[str, Any]:
    fixed = {"analysis_id": "a1", "repository_id": "r1", "url": "https://h/o/n", "name": "n", "commit": "c" * 40}
    return {**fixed, "state": state, "version": version, "requested_at": _AT, "stages": [], **more}


class _Orchestrator:
    """Answers as the API does: each look at the analysis gives the next view, the last one for ever."""

    def __init__(self, *views: dict[str, Any], parts: tuple[dict[str, Any], ...] = ()) -> None:
        self.views, self.parts = list(views), parts
        self.seen: list[str] = []
        self.broken_streams = 0
        self.refused: tuple[int, str] | None = None
        self.finished: dict[str, Any] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        self.seen.append(f"{request.method} {path}")
        if path.endswith("/events"):
            if self.broken_streams:
                self.broken_streams -= 1
                raise httpx.ReadError("reset")
            message = f"id: 9\nevent: milestone\ndata: {json.dumps({'version': 2})}\n\n"
            return httpx.Response(200, text=message * 3)
        if path.endswith("/stream"):
            return httpx.Response(200, text="".join(f"event: part\ndata: {json.dumps(p)}\n\n" for p in self.parts))
        if path == "/preflight":
            return self.look(json.loads(request.content))
        if request.method == "POST":
            return httpx.Response(202, json=self._created(path))
        return httpx.Response(200, json=self.views.pop(0) if len(self.views) > 1 else self.views[0])

    def look(self, body: dict[str, Any]) -> httpx.Response:
        if self.refused is not None:
            status, code = self.refused
            told = {"type": "t", "title": "T", "status": status, "detail": "D.", "code": code, "correlation_id": "c"}
            return httpx.Response(status, json=told)
        known = {"default_branch": "main", "branches": [], "tags": [], "branch_count": 2, "tag_count": 0}
        means = {"url": body["url"], "host": "h", "name": "o/n", "ref": None, "folder": "src", "commit": "c" * 40}
        return httpx.Response(200, json={**known, **means, "finished": self.finished})

    def _created(self, path: str) -> dict[str, Any]:
        if path == "/analyses":
            return _a_view("requested", version=0)
        if path.endswith("/confirm"):
            self.views = [_a_view("ready", version=9)]
            return _a_view("running", version=8)
        asked = {"conversation_id": "k1", "question_id": "q1", "query": "what?", "state": "asked"}
        return asked | {"repository_id": "r1", "title": "n", "asked_at": _AT, "started_at": _AT}


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyze, "_FOLLOW_INTERVAL", 0.0)
    monkeypatch.setattr(ask.time, "sleep", lambda _seconds: None)


def _use(monkeypatch: pytest.MonkeyPatch, orchestrator: _Orchestrator) -> None:
    monkeypatch.setattr(analyze, "connect", lambda: Client("http://test", httpx.MockTransport(orchestrator)))


def _run(question: str | None = None, *, as_json: bool = False) -> int:
    return run_analyze(AnalysisRequest(url="https://h/o/n", ref=None), question=question, start=False, as_json=as_json)


def test_it_waits_until_the_analysis_is_ready_and_says_what_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refine = {"stage": "refine", "state": "running", "shards": 4, "shards_done": 1}
    orchestrator = _Orchestrator(
        _a_view("running", 2), _a_view("answerable", 3), _a_view("ready", 4, stages=[refine], totals={"files": 7})
    )
    _use(monkeypatch, orchestrator)

    assert _run() == 0

    said = capsys.readouterr().out
    assert "7 files" in said
    assert "still being built in the background (1/4)" in said


def test_what_the_host_says_is_shown_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    orchestrator = _Orchestrator(_a_view("ready"))
    _use(monkeypatch, orchestrator)

    assert _run() == 0

    said = capsys.readouterr().out
    assert "o/n: main (default branch), commit cccccccccc, only src; branches: 2, tags: 0" in said
    assert orchestrator.seen[:2] == ["POST /preflight", "POST /analyses"]


def test_a_commit_that_was_analysed_is_not_analysed_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    orchestrator = _Orchestrator(_a_view("ready"))
    orchestrator.finished = {key: value for key, value in _a_view("ready").items() if key != "stages"}
    _use(monkeypatch, orchestrator)

    assert _run() == 0
    assert "Analysed already" in capsys.readouterr().out
    assert "POST /analyses" not in orchestrator.seen


@pytest.mark.parametrize(
    ("refused", "begun"), [((503, "host_unreachable"), True), ((404, "repository_not_found"), False)]
)
def test_a_host_that_cannot_be_asked_now_stops_nothing_and_one_that_refuses_does(
    monkeypatch: pytest.MonkeyPatch, refused: tuple[int, str], begun: bool
) -> None:
    orchestrator = _Orchestrator(_a_view("ready"))
    orchestrator.refused = refused
    _use(monkeypatch, orchestrator)

    if begun:
        assert _run() == 0
    else:
        with pytest.raises(ApiError):
            _run()
    assert ("POST /analyses" in orchestrator.seen) is begun


def test_a_stream_that_breaks_off_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    orchestrator = _Orchestrator(_a_view("running"), _a_view("running"), _a_view("refined"))
    orchestrator.broken_streams = 2
    _use(monkeypatch, orchestrator)

    assert _run() == 0
    assert orchestrator.seen.count("GET /analyses/a1/events") >= 3


def test_a_failed_analysis_says_why_and_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _use(monkeypatch, _Orchestrator(_a_view("failed", code="repository_not_found", message="There is none.")))

    assert _run("what does it do?") == 1
    assert "Failed: repository_not_found: There is none." in capsys.readouterr().out


def test_the_answer_is_printed_with_its_citations_and_what_wrote_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cited = [{"path": "a.py", "first_line": 3, "last_line": 9}]
    view = {
        "answer": "It parses [a.py:3-9].",
        "citations": cited,
        "mode": "extractive",
        "passages": [],
        "commit": "c" * 40,
    }
    parts = (
        {"type": "status", "step": "searching"},
        {"type": "token", "text": "It"},
        {"type": "done", "question": view},
    )
    _use(monkeypatch, _Orchestrator(_a_view("ready", answerable_at=_AT), parts=parts))

    assert _run("what does it do?") == 0

    said = capsys.readouterr().out
    assert "It parses [a.py:3-9]." in said
    assert "a.py:3-9" in said.replace("[a.py:3-9]", "")
    assert "no language model at commit cccccccccc" in said


def test_a_question_that_failed_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = ({"type": "failed", "code": "model_refused", "message": "Ask in other words."},)
    _use(monkeypatch, _Orchestrator(_a_view("ready", answerable_at=_AT), parts=parts))

    assert _run("hm?") == 1
    assert "No answer: model_refused: Ask in other words." in capsys.readouterr().out


def test_json_is_one_document_and_nothing_else_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = ({"type": "done", "question": {"answer": "yes", "citations": []}},)
    _use(monkeypatch, _Orchestrator(_a_view("ready", answerable_at=_AT), parts=parts))

    assert _run("is it?", as_json=True) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["analysis"]["state"] == "ready"
    assert document["question"]["answer"] == "yes"


def test_an_answer_whose_stream_ends_early_three_times_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    orchestrator = _Orchestrator(_a_view("ready", answerable_at=_AT), parts=({"type": "token", "text": "It"},))
    _use(monkeypatch, orchestrator)

    with pytest.raises(ApiError, match="ended before the answer did"):
        _run("what?")
    assert orchestrator.seen.count("GET /questions/q1/stream") == 3


def test_a_log_file_gets_a_line_for_what_is_done_and_for_each_retry() -> None:
    rows = [
        Row("clone", "completed", "", 100, "", 1.25, ""),
        Row("parse", "retrying", "", None, "", 3.0, "The worker was lost."),
        Row("index", "running", "", 4, "", 3.0, ""),
    ]

    assert stage_lines(rows) == ["clone: done in 1.2 s", "parse: trying again: The worker was lost."]


WAITING = {
    "over": ["files"],
    "files": 1_204,
    "known_files": 4,
    "bytes": 3_000_000,
    "tokens": 857_143,
    "cost": 0.857,
    "currency": "USD",
}


@pytest.mark.parametrize("agreed", [True, False])
def test_what_is_over_a_limit_goes_on_only_where_somebody_agreed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], agreed: bool
) -> None:
    orchestrator = _Orchestrator(_a_view("unconfirmed", version=3, estimate=WAITING))
    _use(monkeypatch, orchestrator)
    request = AnalysisRequest(url="https://h/o/n")
    code = run_analyze(request, question=None, start=False, as_json=False, agreed=agreed)
    said = capsys.readouterr().out

    assert ("POST /analyses/a1/confirm" in orchestrator.seen) is agreed
    if agreed:
        assert code == 0
        return
    assert code == 1
    assert "Over a limit (files): 1,204 files (4 as in an earlier analysis), 3,000,000 bytes, time unknown" in said
    assert "857,143 tokens, 0.86 USD." in said
    assert "the same command with --yes lets it go on" in said
