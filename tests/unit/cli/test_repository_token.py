"""A token comes from a file, from standard input or from the environment, and is not repeated."""

import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.repository_token import read_token
from runtime.redaction import redact

TOKEN = "canary-token-for-the-command-line"


def test_a_file_with_a_newline_at_its_end_is_read(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")

    assert read_token(file) == TOKEN
    assert redact(f"got {TOKEN}") == "got [redacted]"


def test_a_minus_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{TOKEN}\n"))

    assert read_token(Path("-")) == TOKEN


def test_the_environment_has_one_or_names_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    monkeypatch.delenv("REPOSTREAM_REPOSITORY_TOKEN", raising=False)
    assert read_token(None) is None
    monkeypatch.setenv("REPOSTREAM_REPOSITORY_TOKEN_FILE", str(file))
    assert read_token(None) == TOKEN
    monkeypatch.setenv("REPOSTREAM_REPOSITORY_TOKEN", "another-one")
    assert read_token(None) == "another-one"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"two words", b"\xff\xfe", b"x" * 5_000])
def test_a_file_that_holds_no_token_is_refused_without_its_content(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)

    with pytest.raises(SystemExit) as left:
        read_token(file)

    said = capsys.readouterr().err
    assert left.value.code == 2
    assert said
    assert "two words" not in said


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        read_token(tmp_path / "none")
    assert left.value.code == 2
    assert "cannot be read" in capsys.readouterr().err


def test_no_option_takes_a_token_as_its_value() -> None:
    refused = CliRunner().invoke(app, ["analyze", "https://github.com/a/b", "--token", TOKEN])
    said = CliRunner().invoke(app, ["analyze", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})

    assert refused.exit_code == 2
    assert "--token-file" in said.output
