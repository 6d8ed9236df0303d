"""`repostream uploads`: what is kept, and which one goes."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli import api as connecting
from cli.app import app
from cli.exits import DECLINED, USAGE
from runtime.client import Client


def an_upload(id_: str, name: str, **more: Any) -> dict[str, Any]:
    told = {"upload_id": id_, "url": f"upload://{id_ * 32}/{name}", "name": name, "kind": "zip", "sha256": id_ * 32}
    return {**told, "bytes": 1_204, "uploaded_at": "2026-03-01T12:00:00Z", "repositories": [], **more}


UPLOADS = [an_upload("u1", "flask"), an_upload("u2", "click", repositories=["r1"]), an_upload("u3", "flask")]


@pytest.fixture
def deleted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    gone: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            gone.append(request.url.path.rpartition("/")[2])
            return httpx.Response(204)
        first = "cursor" not in request.url.params
        return httpx.Response(
            200, json={"items": UPLOADS[:2] if first else UPLOADS[2:], "next": "x" if first else None}
        )

    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(connecting, "connect", lambda: Client("http://test", httpx.MockTransport(answer)))
    return gone


def test_uploads_are_listed_over_all_pages(deleted: list[str]) -> None:
    listed = CliRunner().invoke(app, ["uploads", "list"])
    as_json = CliRunner().invoke(app, ["uploads", "list", "--json"])

    lines = listed.output.splitlines()
    assert lines[0] == "u1  flask  zip, 1,204 bytes  2026-03-01 12:00 UTC  not analysed"
    assert lines[1].endswith("  analysed")
    assert [one["upload_id"] for one in json.loads(as_json.output)] == ["u1", "u2", "u3"]


def test_one_is_deleted_by_its_id_after_it_was_asked_for(deleted: list[str]) -> None:
    several = CliRunner().invoke(app, ["uploads", "delete", "flask", "--yes"])
    unknown = CliRunner().invoke(app, ["uploads", "delete", "django", "--yes"])
    refused = CliRunner().invoke(app, ["uploads", "delete", "u3"], input="n\n")
    assert [each.exit_code for each in (several, unknown, refused)] == [USAGE, USAGE, DECLINED]
    assert deleted == []

    assert CliRunner().invoke(app, ["uploads", "delete", "u3", "--yes"]).exit_code == 0
    assert CliRunner().invoke(app, ["uploads", "delete", "click"], input="y\n").exit_code == 0
    assert deleted == ["u3", "u2"]
