"""The pages that links lead to: what the browser keeps of a secret, and what asks with one."""

from pathlib import Path

import httpx
import pytest

from runtime.client import Client
from web_ui import session
from web_ui.components import signed_out

ROOT = Path(__file__).parents[3]
LINK = "rsl_" + "a" * 43


def test_the_way_back_from_a_sign_in_carries_no_secret() -> None:
    assert signed_out.here(f"https://pages.example/invitation#rsi_{'a' * 43}") == "/invitation"


@pytest.mark.parametrize("link", [LINK, None])
def test_a_visitors_address_is_told_for_a_link_alone(monkeypatch: pytest.MonkeyPatch, link: str | None) -> None:
    class Context:
        ip_address = "203.0.113.9"

    monkeypatch.setattr(session.st, "session_state", {})
    monkeypatch.setattr(session.st, "context", Context())
    session.look_by(link)
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"kind": "repository", "resource_id": "1"})

    client = Client(
        "http://api",
        httpx.MockTransport(answer),
        authorization=lambda: session.authorization() if link else None,
        asked_for=session.visitor_address,
    )
    client.shares_shared()

    assert asked[0].headers.get("x-forwarded-for") == ("203.0.113.9" if link else None)
    assert asked[0].headers.get("authorization") == (f"Bearer {LINK}" if link else None)
    assert "rsl_" not in str(asked[0].url)


def test_only_the_pages_of_links_know_the_prefixes_of_their_secrets() -> None:
    named = {path.name for path in (ROOT / "web_ui").rglob("*.py") if '"rsl_"' in path.read_text("utf-8")}

    assert named == {"shared.py"}
