"""The services know each other by tokens that none can make for another, and that soon end."""

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.faults import Permanent
from runtime.service_tokens import LIFE, ServiceSigner, ServiceVerifier, new_service_key, public_key_of, written
from runtime.strict_jwt import decode

KEYS = {name: new_service_key() for name in ("web_ui", "ai_engine", "rag_manager")}
PUBLIC = written({name: public_key_of(key) for name, key in KEYS.items()})
ALLOWED = {"ai_engine"}
NOW = 1_800_000_000


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


def a_verifier(audience: str = "rag_manager", keys: str = PUBLIC, clock: Clock | None = None) -> ServiceVerifier:
    return ServiceVerifier(audience, keys, clock or Clock())


def a_header(name: str = "ai_engine", key: str = KEYS["ai_engine"], audience: str = "rag_manager") -> str:
    return ServiceSigner(name, key, Clock()).headers(audience)["Authorization"]


def made(header: dict[str, Any] | None = None, **claims: object) -> str:
    """A header with what a service would not write."""
    key = Ed25519PrivateKey.from_private_bytes(decode(KEYS["ai_engine"]))
    payload = {"iss": "ai_engine", "aud": "rag_manager", "iat": NOW, "nbf": NOW, "exp": NOW + LIFE} | claims
    token = jwt.encode(payload, key, "EdDSA", {"typ": "service+jwt", "kid": "ai_engine"} | (header or {}))
    return f"Bearer {token}"


def test_a_service_that_may_call_is_known_by_name() -> None:
    assert a_verifier().caller(a_header(), ALLOWED) == "ai_engine"
    assert a_verifier().caller(made(), ALLOWED) == "ai_engine"


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("", id="nothing"),
        pytest.param("Bearer ", id="an empty token"),
        pytest.param(a_header().removeprefix("Bearer "), id="no scheme"),
        pytest.param(a_header().replace("Bearer", "bearer"), id="another spelling"),
        pytest.param(a_header(name="web_ui", key=KEYS["web_ui"]), id="a service that has no business here"),
        pytest.param(a_header(key=KEYS["web_ui"]), id="in another's name"),
        pytest.param(a_header(key=new_service_key()), id="a key of another installation"),
        pytest.param(a_header(name="stranger", key=new_service_key()), id="an unknown service"),
        pytest.param(a_header(audience="orchestrator"), id="meant for another service"),
        pytest.param(a_header() + "=", id="written in another way"),
        pytest.param(made({"kid": "rag_manager"}), id="the key of another service"),
        pytest.param(made({"typ": "at+jwt"}), id="a token of a person"),
        pytest.param(made({"jku": "http://127.0.0.1/keys"}), id="a header that names keys"),
        pytest.param(made(iss="web_ui"), id="another issuer than its key"),
        pytest.param(made(aud=["rag_manager"]), id="a list of audiences"),
        pytest.param(made(exp=NOW + 3_600), id="too long a life"),
        pytest.param(made(iat=NOW - 200, nbf=NOW - 200, exp=NOW - 100), id="over"),
        pytest.param(made(iat=NOW + 100, nbf=NOW + 100, exp=NOW + 150), id="not yet"),
        pytest.param(made(exp=str(NOW + 60)), id="a time that is text"),
        pytest.param(made(admin=True), id="a claim of somebody's own"),
        pytest.param("Bearer " + "a" * 9_000, id="longer than any token"),
    ],
)
def test_nobody_else_is_let_in(authorization: str) -> None:
    with pytest.raises(Permanent) as refusal:
        a_verifier().caller(authorization, ALLOWED)

    assert refusal.value.code == "unauthorized"


def test_no_keys_let_nobody_in() -> None:
    with pytest.raises(Permanent):
        a_verifier(keys="").caller(a_header(), ALLOWED)


def test_a_token_is_used_again_for_half_of_its_life_and_never_after_it() -> None:
    clock = Clock()
    signer = ServiceSigner("ai_engine", KEYS["ai_engine"], clock)
    first = signer.headers("rag_manager")

    clock.now = NOW + LIFE // 2 - 1
    assert signer.headers("rag_manager") == first
    clock.now = NOW + LIFE // 2
    second = signer.headers("rag_manager")
    clock.now = NOW + LIFE + 31  # a captured one, beyond its life and the leeway between clocks

    assert second != first
    assert a_verifier(clock=clock).caller(second["Authorization"], ALLOWED) == "ai_engine"
    with pytest.raises(Permanent):
        a_verifier(clock=clock).caller(first["Authorization"], ALLOWED)


@pytest.mark.parametrize("key", ["", "short", "a" * 43, "not base64 at all !", "ä"])
def test_a_key_that_is_none_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="REPOSTREAM_SERVICE_KEY") as refusal:
        ServiceSigner("web_ui", key)

    assert not key or key not in str(refusal.value).split()
    with pytest.raises(ValueError, match="REPOSTREAM_SERVICE_PUBLIC_KEYS"):
        ServiceVerifier("web_ui", f"web_ui:{key}")
