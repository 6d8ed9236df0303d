"""`repostream export`: a whole archive or no file, and never over one that is there."""

import io
import zipfile
from pathlib import Path

import httpx
import pytest

from cli import export
from cli.exits import OK
from runtime.client import ApiError, Client


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("manifest.json", '{"version": 1}')
    return content.getvalue()


def answering(monkeypatch: pytest.MonkeyPatch, reply: httpx.Response) -> None:
    client = Client("http://api", httpx.MockTransport(lambda _: reply))
    monkeypatch.setattr(export, "connect", lambda: client)


def test_a_whole_archive_is_written_for_its_owner_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, httpx.Response(200, content=archive()))

    assert export.run_export(tmp_path / "all.zip", as_json=True) == OK

    assert (tmp_path / "all.zip").read_bytes() == archive()
    assert (tmp_path / "all.zip").stat().st_mode & 0o777 == 0o600
    assert capsys.readouterr().out == '{"version": 1}\n'


@pytest.mark.parametrize("reply", [httpx.Response(200, content=archive()[:-30]), httpx.Response(503, content=b"busy")])
def test_half_an_archive_and_a_refusal_leave_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reply: httpx.Response
) -> None:
    answering(monkeypatch, reply)

    with pytest.raises(ApiError):
        export.run_export(tmp_path / "all.zip", as_json=False)

    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_written_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answering(monkeypatch, httpx.Response(200, content=archive()))
    (tmp_path / "all.zip").write_text("mine")

    with pytest.raises(SystemExit):
        export.run_export(tmp_path / "all.zip", as_json=False)

    assert (tmp_path / "all.zip").read_text() == "mine"
