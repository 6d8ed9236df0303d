"""`repostream bundle`: which file is asked for, and what is said of one that was taken over."""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from cli import bundle
from cli.exits import OK, USAGE
from runtime.client import Client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were asked for."""
    found: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        found.append(request.url.raw_path.decode())
        return httpx.Response(200, content=b"PK")

    client = Client("http://api", httpx.MockTransport(answer))
    monkeypatch.setattr(bundle, "connect", lambda: client)
    return found


@pytest.mark.parametrize(
    ("what", "with_analysis", "address"),
    [
        ("1", False, "/api/v1/analyses/1/bundle"),
        ("analysis/1", False, "/api/v1/analyses/1/bundle"),
        ("conversation/1", False, "/api/v1/conversations/1/bundle"),
        ("conversation/1", True, "/api/v1/conversations/1/bundle?with_analysis=true"),
        ("conversation/?a=b", False, "/api/v1/conversations/%3Fa%3Db/bundle"),
    ],
)
def test_an_analysis_and_a_conversation_are_named_as_everywhere(
    asked: list[str], tmp_path: Path, what: str, with_analysis: bool, address: str
) -> None:
    assert bundle.run_export(what, tmp_path / "some.zip", with_analysis=with_analysis) == OK

    assert asked == [address]
    assert (tmp_path / "some.zip").read_bytes() == b"PK"


@pytest.mark.parametrize(("what", "with_analysis"), [("index/1", False), ("1", True), ("analysis/1", True)])
def test_what_has_no_bundle_is_not_asked_for(
    asked: list[str], tmp_path: Path, what: str, with_analysis: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        bundle.run_export(what, tmp_path / "some.zip", with_analysis=with_analysis)

    assert (ended.value.code, asked, list(tmp_path.iterdir())) == (USAGE, [], [])
    assert "conversation" in capsys.readouterr().err


def test_what_was_taken_over_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = {name: str(uuid4()) for name in ("conversation_id", "from_conversation_id", "repository_id")}
    taken = {**ids, "analysis_id": None, "from_analysis_id": None, "bundle": "0" * 64}
    client = Client("http://api", httpx.MockTransport(lambda _: httpx.Response(201, json=taken)))
    monkeypatch.setattr(bundle, "connect", lambda: client)
    (tmp_path / "some.zip").write_bytes(b"PK")

    assert bundle.run_import(tmp_path / "some.zip", as_json=False) == OK

    said = capsys.readouterr().out
    assert ids["conversation_id"] in said
    assert "Analysis" not in said
