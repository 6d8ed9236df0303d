import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cli.logins import signed_in
from cli.services import SERVICES
from migrations import let_sign_in
from tests.support.installed import Installed
from tests.support.up import Up


def _doctor(home: Path, **environment: str) -> tuple[int, dict[str, dict[str, Any]]]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPOSTREAM_")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cli.app", "doctor", "--json"],
        env={**inherited, "REPOSTREAM_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, {finding["name"]: finding for finding in json.loads(done.stdout)}


def test_the_log_of_a_running_system_is_examined(home: Path, installed: Installed) -> None:
    with Up(installed.copy_to(home), services=("processor",)) as up:
        up.wait_ready()

        _, findings = _doctor(home)

    assert findings["processor"]["ok"]
    assert not findings.keys() & (SERVICES.keys() - {"processor"})  # they were not started
    assert findings["versions dense"]["ok"]
    assert findings["feed dense"]["ok"]
    assert findings["Python"]["ok"]
    assert findings["disk"]["ok"]


def test_a_folder_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    code, findings = _doctor(tmp_path / "file" / "home")

    assert code == 1
    assert not findings["folder"]["ok"]


def test_one_user_for_every_service_is_warned_of_and_a_services_own_is_not(
    home: Path, database_url: str, redis_url: str
) -> None:
    let_sign_in(database_url, {"repostream_background": "a-password-of-its-own"})
    own = signed_in(database_url, "repostream_background", "a-password-of-its-own")
    said = {
        name: _doctor(home, REPOSTREAM_DATABASE_URL=url, REPOSTREAM_REDIS_URL=redis_url)[1]["database roles"]["detail"]
        for name, url in (("owner", database_url), ("own", own))
    }

    assert said["owner"].startswith("warning: REPOSTREAM_DATABASE_URL has the user repostream, who passes by every")
    assert said["own"] == "signs in as repostream_background, who owns nothing"


def test_a_database_that_is_away_is_a_finding_without_its_password(home: Path) -> None:
    away = {
        "REPOSTREAM_DATABASE_URL": "postgresql://app:hunter2@127.0.0.1:9/x",
        "REPOSTREAM_REDIS_URL": "redis://:hunter2@127.0.0.1:9/0",
    }

    code, findings = _doctor(home, **away)

    assert code == 1
    assert not findings["log"]["ok"]
    assert "hunter2" not in json.dumps(findings)
