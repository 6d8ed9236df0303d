"""What `doctor` examines where nothing runs here: what settings name elsewhere, and what is left it says."""

import json
from pathlib import Path

import pytest

from cli.doctor import run_doctor
from tests.support.readiness import a_service, answers

AWAY = {"REPOSTREAM_DATABASE_URL": "postgresql://a:b@127.0.0.1:9/x", "REPOSTREAM_REDIS_URL": "redis://127.0.0.1:9/0"}
LEFT = "services, read models, collections"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPOSTREAM_HOME", str(tmp_path))


def findings(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[bool, str]]:
    run_doctor(as_json=True)
    return {one["name"]: (one["ok"], one["detail"]) for one in json.loads(capsys.readouterr().out)}


def test_services_that_are_named_are_asked_and_their_ports_are_not_free(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_service(answers) as url:
        monkeypatch.setenv("REPOSTREAM_INTERNAL_ORCHESTRATOR_URL", url)
        monkeypatch.setenv("REPOSTREAM_INTERNAL_PROCESSOR_URL", "http://127.0.0.1:9")
        found = findings(capsys)

    assert found["orchestrator"] == (True, url)
    assert found["processor"] == (False, "http://127.0.0.1:9 does not answer: ConnectError")
    assert found.keys() >= {"read models", "collections"}
    assert not [name for name in found if name.startswith("port ") or name == LEFT]


def test_what_nobody_could_be_asked_about_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert findings(capsys)[LEFT] == (
        True,
        "not examined: nothing runs on this folder; start it with `repostream up`",
    )

    for name, value in AWAY.items():
        monkeypatch.setenv(name, value)
    ok, detail = findings(capsys)[LEFT]
    assert not ok
    assert detail.startswith("not examined: set REPOSTREAM_INTERNAL_ORCHESTRATOR_URL")
