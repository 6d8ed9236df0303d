"""The pages that links lead to: what the browser keeps of a secret, and what asks with one."""

from pathlib import Path

import httpx
import pytest
from streamlit.runtime.context import StreamlitHeaders

from runtime.client import Client
from runtime.service_tokens import ON_BEHALF
from tests.support.service_keys import signer, verifier
from web_ui import session
from web_ui.components import signed_out

ROOT = Path(__file__).parents[3]
LINK = "rsl_" + "a" * 43


def test_the_way_back_from_a_sign_in_carries_no_secret() -> None:
    assert signed_out.here(f"https://pages.example/invitation#rsi_{'a' * 43}") == "/invitation"


@pytest.mark.parametrize("link", [LINK, None])
@pytest.mark.parametrize(
    ("address", "forwarded", "told"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["6.6.6.6", "7.7.7.7"], "6.6.6.6, 7.7.7.7, 203.0.113.9"),
        (None, ["6.6.6.6"], "6.6.6.6, 127.0.0.1"),
    ],
)
def test_a_visitors_address_is_told_by_the_page_server(
    monkeypatch: pytest.MonkeyPatch, link: str | None, address: str | None, forwarded: list[str], told: str
) -> None:
    class Context:
        ip_address = address
        headers = StreamlitHeaders([("Host", "pages"), *(("X-Forwarded-For", each) for each in forwarded)])

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
        on_behalf=lambda: session.on_behalf(signer("web_ui")),
    )
    client.shares_shared()

    assert asked[0].headers["x-forwarded-for"] == told
    assert verifier("orchestrator").caller(asked[0].headers[ON_BEHALF], {"web_ui"}) == "web_ui"
    assert asked[0].headers.get("authorization") == (f"Bearer {LINK}" if link else None)
    assert "rsl_" not in str(asked[0].url)


def test_only_the_pages_of_links_know_the_prefixes_of_their_secrets() -> None:
    named = {path.name for path in (ROOT / "web_ui").rglob("*.py") if '"rsl_"' in path.read_text("utf-8")}

    assert named == {"shared.py"}
