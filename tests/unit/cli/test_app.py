from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from cli import api as api_module
from cli import app as app_module
from cli.app import app
from cli.exits import UNREACHABLE, USAGE
from runtime.client import ApiError


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["repostream", *arguments])
    with pytest.raises(SystemExit) as ended:
        app_module.main()
    return int(ended.value.code or 0)


def test_an_unknown_service_is_a_usage_error_that_names_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _main(monkeypatch, "service", "nope") == USAGE
    assert "orchestrator, processor, ai_engine, rag_manager, web_ui" in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error() -> None:
    assert CliRunner().invoke(app, ["analyze", "--nope"]).exit_code == USAGE


def test_what_the_api_refuses_is_one_line_and_no_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise api_module.refusal("bad_url", "Only https is read.")

    monkeypatch.setattr("cli.analyze.run_analyze", refuse)

    assert _main(monkeypatch, "analyze", "ssh://x") == USAGE
    assert capsys.readouterr().err == "bad_url: Only https is read.\n"


def test_nothing_listening_is_exit_code_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise ApiError(api_module.connect("http://127.0.0.1:8001")._unreachable())

    monkeypatch.setattr("cli.status.run_status", refuse)

    assert _main(monkeypatch, "status") == UNREACHABLE
    assert "repostream up" in capsys.readouterr().err


def every_command(group: TyperGroup, named: str = "repostream") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield f"{named} {name}", command
        if isinstance(command, TyperGroup):
            yield from every_command(command, f"{named} {name}")


def test_every_command_argument_and_option_says_what_it_does() -> None:
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    commands = dict(every_command(whole))
    silent = [name for name, command in commands.items() if not command.help]
    silent += [
        f"{name}: {parameter.name}"
        for name, command in commands.items()
        for parameter in command.params
        if parameter.name != "help" and not getattr(parameter, "help", None)
    ]

    assert {"repostream analyze", "repostream shadow run", "repostream letters edit"} <= commands.keys()
    assert silent == []


def test_a_file_that_cannot_be_written_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(*_: Any, **__: Any) -> int:
        Path("/no/such/folder/x.md").write_text("")
        raise AssertionError

    monkeypatch.setattr("cli.status.run_status", write)

    assert _main(monkeypatch, "status") == USAGE
    assert capsys.readouterr().err == "/no/such/folder/x.md: No such file or directory.\n"
