"""`repostream analyze ./file.zip`: which files are sent, and how."""

import io
from pathlib import Path

import httpx
import pytest

from cli.screen import Screen
from cli.uploading import archive_at, with_upload
from runtime.client import ApiError, Client
from runtime.client.shapes import AnalysisRequest
from tests.support.archives import zip_of

VIEW = {"upload_id": "00000000-0000-4000-8000-000000000009", "name": "a", "kind": "zip", "sha256": "0" * 64}
VIEW |= {"url": f"upload://{'0' * 64}/a", "uploaded_at": "2026-01-01T00:00:00Z"}


def test_an_archive_of_this_machine_is_sent_and_asked_for_by_its_address(tmp_path: Path) -> None:
    raw, sent = zip_of({"a.py": b"x = 1\n"}), []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append((str(request.url), request.read(), request.headers["content-length"]))
        return httpx.Response(201, json={**VIEW, "bytes": len(raw)})

    (tmp_path / "a b.zip").write_bytes(raw)
    out = io.StringIO()
    client = Client("http://api", httpx.MockTransport(answer))
    asked = AnalysisRequest(url=str(tmp_path / "a b.zip"), folder="src")
    request = with_upload(client, asked, Screen(file=out), quiet=False)

    assert (request.url, request.folder) == (VIEW["url"], "src")
    assert sent == [("http://api/api/v1/uploads?name=a+b.zip", raw, str(len(raw)))]
    assert "Uploaded a b.zip" in out.getvalue()


def test_an_upload_is_sent_again_from_its_beginning_where_the_connection_was_closed() -> None:
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.read())
        if len(sent) == 1:
            raise httpx.RemoteProtocolError("closed")
        return httpx.Response(200, json={**VIEW, "bytes": 3})

    assert Client("http://api", httpx.MockTransport(answer)).uploads_receive(io.BytesIO(b"abc")).bytes == 3
    assert sent == [b"abc", b"abc"]


@pytest.mark.parametrize("named", ["https://github.com/pallets/flask", "pallets/flask", "upload://0/a", "."])
def test_what_is_no_file_here_is_an_address(named: str) -> None:
    assert archive_at(named) is None


def test_a_file_that_is_no_archive_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / "notes.zip").write_text("hello")

    with pytest.raises(ApiError, match="archive_unknown"):
        archive_at(str(tmp_path / "notes.zip"))
