"""`repostream config check` explains the settings as they are, with real servers, and says no secret."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.config_check import classes
from runtime.secret_files import names_of, secrets_of
from runtime.service_tokens import new_service_key

CANARY = "canary-5f1c9a7be2d04c1f"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("REPOSTREAM_", "OPENAI_", "ANTHROPIC_"))]:
        monkeypatch.delenv(name)


def check(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["config", "check", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def findings() -> tuple[int, dict[str, list[dict[str, Any]]]]:
    code, said = check("--json")
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in json.loads(said):
        found.setdefault(finding["setting"], []).append(finding)
    return code, found


def test_nothing_set_is_a_laptop_and_no_fault() -> None:
    code, said = check()

    assert code == 0
    assert "Nothing is set" in said


def test_servers_that_answer_are_in_order(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, chroma_url: str, tmp_path: Path
) -> None:
    from runtime.sealing import fresh_key

    (tmp_path / "url").write_text(f"{database_url}\n")
    monkeypatch.setenv("REPOSTREAM_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("REPOSTREAM_REDIS_URL", redis_url)
    monkeypatch.setenv("REPOSTREAM_CHROMA_URL", chroma_url)
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())

    code, found = findings()

    assert code == 0
    assert [item["detail"] for item in found["REPOSTREAM_DATABASE_URL"]] == ["set", "answers"]
    assert found["REPOSTREAM_DATABASE_URL"][0]["source"] == f"{tmp_path / 'url'} (REPOSTREAM_DATABASE_URL_FILE)"
    assert "answers" in check()[1]


def test_servers_that_do_not_answer_are_a_code_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPOSTREAM_REDIS_URL", f"redis://:{CANARY}@127.0.0.1:1/0")
    monkeypatch.setenv("REPOSTREAM_CHROMA_URL", "http://127.0.0.1:1")
    code, found = findings()
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", "malformed")
    both, _ = findings()

    assert (code, both) == (3, 1)
    assert [item["state"] for item in found["REPOSTREAM_REDIS_URL"]] == ["ok", "unreachable"]
    assert CANARY not in str(found)


def test_a_setting_that_nobody_reads_a_second_source_and_a_missing_file_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(CANARY)
    (tmp_path / "stranger").write_text(CANARY)
    monkeypatch.setenv("REPOSTREAM_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("REPOSTREAM_DATABSE_URL", CANARY)
    monkeypatch.setenv("REPOSTREAM_HOME_FILE", "/etc/hostname")
    monkeypatch.setenv("REPOSTREAM_AI_OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("REPOSTREAM_AI_OPENAI_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("REPOSTREAM_REDIS_POOL", "x")
    monkeypatch.setenv("REPOSTREAM_DATABASE_POOL_SIZE", "many")

    code, found = findings()

    assert code == 1
    assert "REPOSTREAM_DATABASE_URL" in found["REPOSTREAM_DATABSE_URL"][0]["detail"]
    assert "only secrets" in found["REPOSTREAM_HOME_FILE"][0]["detail"]
    assert "wins" in found["REPOSTREAM_AI_OPENAI_API_KEY"][-1]["detail"]
    assert "cannot be read" in found["REPOSTREAM_SECRET_KEY_FILE"][0]["detail"]
    assert found["REPOSTREAM_DATABASE_POOL_SIZE"][0]["state"] == "wrong"
    assert found["stranger"][0]["state"] == "note"
    assert CANARY not in str(found)


def test_no_secret_is_ever_said_whatever_is_wrong_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = [names_of(cls, field)[0] for _, cls in classes() for field in secrets_of(cls)]
    for number, name in enumerate(names):
        if number % 2:
            monkeypatch.setenv(name, f"{CANARY}-{number}")
        else:
            (tmp_path / str(number)).write_text(f"{CANARY}-{number}")
            monkeypatch.setenv(f"{name}_FILE", str(tmp_path / str(number)))
    monkeypatch.setenv("REPOSTREAM_SERVICE_KEY", new_service_key())

    code, said = check()
    _, as_json = check("--json")

    assert len(names) >= 10
    assert code == 1
    assert all(name in said for name in names)
    assert CANARY not in said + as_json
