"""Sign-in with OpenID Connect through discovery, against a provider on loopback that signs real ID tokens."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from orchestrator.auth.openid import OpenId
from orchestrator.auth.providers import NOT_INVITED, REFUSED, UNAVAILABLE, Away, Invited, Refusal

BACK = "http://127.0.0.1:8501/auth/callback"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.drop: set[str] = set()
        self.key: Any = KEY
        self.algorithm = "RS256"
        self.issuer: str | None = None
        self.algorithms = ["RS256", "none", "HS256"]
        self.verifiers: list[str] = []
        self.nonce = ""
        me = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(me.get(urlsplit(self.path).path))

            def do_POST(self) -> None:
                self._send(me.post(dict(parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode()))))

            def _send(self, body: object) -> None:
                content = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/realms/x"

    def get(self, path: str) -> object:
        if path.endswith("openid-configuration"):
            return {
                "issuer": self.issuer or self.url,
                "authorization_endpoint": f"{self.url}/auth",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "id_token_signing_alg_values_supported": self.algorithms,
            }
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [{**jwk, "kid": "one", "use": "sig", "alg": "RS256"}]}

    def post(self, form: dict[str, str]) -> object:
        self.verifiers.append(form.get("code_verifier", ""))
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "client",
            "sub": "Person-1",
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
            "preferred_username": "person",
            "name": "A Person",
        } | self.claims
        claims = {k: v for k, v in claims.items() if k not in self.drop}
        token = jwt.encode(claims, self.key, algorithm=self.algorithm, headers={"kid": "one"})
        return (
            {"access_token": "x", "token_type": "Bearer", "id_token": token}
            if "id_token" not in self.drop
            else {"access_token": "x", "token_type": "Bearer"}
        )


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()


async def away(openid: OpenId, provider: Provider) -> Away:
    gone = await openid.send_away(BACK)
    provider.nonce = gone.nonce
    return gone


def made(provider: Provider, users: frozenset[str] = frozenset()) -> OpenId:
    return OpenId(provider.url, "client", "secret", "Keycloak", Invited(users))


async def test_a_person_is_their_subject(provider: Provider) -> None:
    openid = made(provider, frozenset({"Person-1"}))
    gone = await away(openid, provider)
    asked = {k: v[0] for k, v in parse_qs(urlsplit(gone.url).query).items()}
    found = await openid.who(gone, "code", BACK)
    assert (found.provider, found.subject, found.login, found.name) == ("oidc", "Person-1", "person", "A Person")
    proof = base64.urlsafe_b64encode(hashlib.sha256(provider.verifiers[0].encode()).digest()).rstrip(b"=").decode()
    assert (asked["code_challenge"], asked["code_challenge_method"], asked["nonce"]) == (proof, "S256", gone.nonce)


@pytest.mark.parametrize(
    "change",
    [
        {"claims": {"nonce": "other"}},
        {"drop": {"nonce"}},
        {"claims": {"aud": "another"}},
        {"drop": {"aud"}},
        {"claims": {"iss": "https://evil"}},
        {"drop": {"iss"}},
        {"claims": {"exp": 1}},
        {"drop": {"exp"}},
        {"drop": {"sub"}},
        pytest.param({"key": OTHER}, id="another key"),
        {"key": "k" * 32, "algorithm": "HS256"},
        {"key": None, "algorithm": "none"},
        {"claims": {"aud": ["client", "another"], "azp": "another"}},
        {"drop": {"id_token"}},
        {"claims": {"sub": ""}},
        {"claims": {"sub": "x" * 256}},
    ],
    ids=str,
)
async def test_an_id_token_that_is_not_for_us_lets_nobody_in(provider: Provider, change: dict[str, Any]) -> None:
    openid = made(provider)
    gone = await away(openid, provider)
    for name, value in change.items():
        setattr(provider, name, value)
    with pytest.raises(Refusal) as refused:
        await openid.who(gone, "code", BACK)
    assert refused.value.code in {REFUSED, UNAVAILABLE}
    assert provider.verifiers


async def test_a_description_of_another_issuer_is_not_believed(provider: Provider) -> None:
    provider.issuer = "https://evil"
    openid = made(provider)
    with pytest.raises(Refusal):
        await openid.send_away(BACK)
    provider.issuer = None
    assert (await openid.send_away(BACK)).url.startswith(provider.url)


async def test_a_stranger_is_not_invited(provider: Provider) -> None:
    openid = made(provider, frozenset({"person-1"}))
    with pytest.raises(Refusal) as refused:
        await openid.who(await away(openid, provider), "code", BACK)
    assert refused.value.code == NOT_INVITED
