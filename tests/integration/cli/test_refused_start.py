"""An orchestrator that would let in the wrong people, or nobody, does not start: one sentence, and not exit code 0."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.sealing import fresh_key


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"REPOSTREAM_ORCHESTRATOR_HOST": "0.0.0.0"}, "it would listen on 0.0.0.0"),
        ({"REPOSTREAM_ORCHESTRATOR_ALLOWED_HOSTS": "repostream.example.org"}, "the name repostream.example.org"),
        ({"REPOSTREAM_WEB_UI_HOST": "0.0.0.0"}, "it would listen on 0.0.0.0"),
        ({"REPOSTREAM_LOCAL_SIGN_IN": "false"}, "no sign-in configured"),
        ({"REPOSTREAM_SECRET_KEY": "none"}, "REPOSTREAM_SECRET_KEY must hold"),
        ({"REPOSTREAM_SERVICE_PUBLIC_KEYS": "web_ui:x"}, "REPOSTREAM_SERVICE_PUBLIC_KEYS must be"),
    ],
    ids=["bind", "host name", "pages", "no flag", "no key to seal with", "malformed keys"],
)
def test_the_service_ends_with_a_sentence_and_not_with_zero(
    tmp_path: Path, changed: dict[str, str], sentence: str
) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPOSTREAM_")}
    environment = {
        **inherited,
        "REPOSTREAM_HOME": str(tmp_path),
        "REPOSTREAM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "REPOSTREAM_REDIS_URL": "redis://127.0.0.1:1/0",
        "REPOSTREAM_SECRET_KEY": fresh_key(),
        "REPOSTREAM_LOCAL_SIGN_IN": "true",
        **changed,
    }
    command = [sys.executable, "-P", "-m", "cli.app", "service", "orchestrator"]

    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=180, check=False, cwd=Path.cwd()
    )

    assert ended.returncode not in {0, None}
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
