"""A session token is taken in exactly one form. Each case differs from a good one in one thing."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

from orchestrator.auth.identity import ALL_SCOPES
from orchestrator.auth.issuing import SessionTokens
from orchestrator.auth.signing_keys import SigningKeys
from orchestrator.auth.tokens import AUDIENCE, FORM, LIFE, MAX_LIFE, Subject, Token, Use, claims_of
from runtime.strict_jwt import MAX_LENGTH, BadToken, encode, sign, thumbprint

NOW = 1_800_000_000
KEY = generate_private_key(65_537, 2_048)
OTHER_KEY = generate_private_key(65_537, 2_048)
KID = "kid-of-this-test"
USER, TENANT, SESSION, JTI = (UUID(f"00000000-0000-4000-8000-00000000000{n}") for n in range(1, 5))
SUBJECT = Subject(USER, TENANT, frozenset({"read:repositories", "ask:questions"}), SESSION, 583_231)
CLAIMS = claims_of(SUBJECT, Use.SESSION, jti=JTI, now=NOW, life=LIFE)
HEADER = {"alg": "RS256", "typ": "at+jwt", "kid": KID}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class OneKey:
    """The published keys, where there is one."""

    use = Use.SESSION

    async def find(self, kid: str) -> RSAPublicKey | None:
        return KEY.public_key() if kid == KID else None


async def read(token: str, now: float = NOW) -> Token:
    nobody: Any = None  # reading asks neither for standings nor for revocations
    return await SessionTokens(cast("SigningKeys", OneKey()), nobody, nobody, clock=lambda: now).read(token)


def signed(header: bytes, payload: bytes, key: RSAPrivateKey = KEY) -> str:
    """Any bytes as a token with a good signature: what is wrong with it is not that."""
    text = f"{encode(header)}.{encode(payload)}"
    return f"{text}.{encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def made(header: dict[str, Any] | None = None, *, without: str = "", key: RSAPrivateKey = KEY, **claims: Any) -> str:
    """A token with some of its header or claims changed or left out, and a good signature."""
    changed = {name: value for name, value in {**CLAIMS, **claims}.items() if name != without}
    told = {name: value for name, value in {**HEADER, **(header or {})}.items() if name != without}
    return signed(json.dumps(told).encode(), json.dumps(changed).encode(), key)


GOOD = sign(CLAIMS, KEY, KID, FORM)
HEAD, BODY, SIGNATURE = GOOD.split(".")


def with_payload(text: str) -> str:
    return signed(json.dumps(HEADER).encode(), text.encode())


def claims_text(**replaced: str) -> str:
    """The claims as JSON, some values written by hand."""
    rows = {name: json.dumps(value) for name, value in CLAIMS.items()} | replaced
    return "{" + ",".join(f'"{name}":{value}' for name, value in rows.items()) + "}"


def hmac_with_public_key() -> str:
    """HS256 with the published key as its secret."""
    pem = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = f"{encode(json.dumps(HEADER | {'alg': 'HS256'}).encode())}.{BODY}"
    return f"{text}.{encode(hmac.new(pem, text.encode(), hashlib.sha256).digest())}"


def by_another_algorithm(name: str) -> str:
    key: Any = ec.generate_private_key(ec.SECP256R1()) if name == "ES256" else KEY
    return jwt.encode(CLAIMS, key, name, {"typ": "at+jwt", "kid": KID})


def other_last_bits() -> str:
    """The same signature, written with other unused bits in its last letter."""
    last = ALPHABET.index(SIGNATURE[-1])
    return GOOD[:-1] + ALPHABET[last ^ 1]


def flipped(place: int) -> str:
    """One bit of the signature changed."""
    value = bytearray(base64.urlsafe_b64decode(SIGNATURE + "=" * (-len(SIGNATURE) % 4)))
    value[place] ^= 1
    return f"{HEAD}.{BODY}.{encode(bytes(value))}"


def embedded_jwk() -> dict[str, Any]:
    numbers = jwt.algorithms.RSAAlgorithm.to_jwk(OTHER_KEY.public_key(), as_dict=True)
    return {"kty": "RSA", "n": numbers["n"], "e": numbers["e"]}


# Those of docs and advisories first, then our own: (what is wrong, the token, the reason that it is refused for).
REFUSED: list[tuple[str, str | Callable[[], str], str]] = [
    ("no algorithm", f"{encode(json.dumps(HEADER | {'alg': 'none'}).encode())}.{BODY}.", "three parts"),
    ("no algorithm, signed", made({"alg": "none"}), "algorithm"),
    ("no algorithm, in capitals", made({"alg": "NONE"}), "algorithm"),
    ("the public key as a shared secret", hmac_with_public_key, "algorithm"),
    ("PS256", lambda: by_another_algorithm("PS256"), "algorithm"),
    ("RS512", lambda: by_another_algorithm("RS512"), "algorithm"),
    ("RS384", lambda: by_another_algorithm("RS384"), "algorithm"),
    ("ES256", lambda: by_another_algorithm("ES256"), "algorithm"),
    ("rs256 in small letters", made({"alg": "rs256"}), "algorithm"),
    ("a list of algorithms", made({"alg": ["RS256"]}), "algorithm"),
    (
        "PS256 that says RS256",
        lambda: HEAD + "." + BODY + "." + by_another_algorithm("PS256").split(".")[2],
        "signature",
    ),
    ("its own key in the header", lambda: made({"jwk": embedded_jwk()}, key=OTHER_KEY), "header"),
    ("an address of keys in the header", made({"jku": "http://127.0.0.1/keys"}), "header"),
    ("a certificate in the header", made({"x5c": ["MIIB"]}), "header"),
    ("an address of a certificate", made({"x5u": "http://127.0.0.1/cert"}), "header"),
    ("critical extensions", made({"crit": ["exp"], "exp": NOW}), "header"),
    ("an empty list of critical extensions", made({"crit": []}), "header"),
    ("an unencoded payload", made({"b64": False, "crit": ["b64"]}), "header"),
    ("a compressed payload", made({"zip": "DEF"}), "header"),
    ("a content type", made({"cty": "JWT"}), "header"),
    ("no key id", made(without="kid"), "header"),
    ("no type", made(without="typ"), "header"),
    ("another type", made({"typ": "JWT"}), "type"),
    ("the type of a service's token", made({"typ": "service+jwt"}), "type"),
    ("the type in capitals", made({"typ": "AT+JWT"}), "type"),
    ("an unknown key id", made({"kid": "another"}), "unknown key"),
    ("a path as key id", made({"kid": "../../../dev/null"}), "unknown key"),
    ("SQL as key id", made({"kid": "' OR 1=1 --"}), "unknown key"),
    ("a number as key id", made({"kid": 5}), "key id"),
    ("an empty key id", made({"kid": ""}), "key id"),
    ("a very long key id", made({"kid": "k" * 200}), "key id"),
    ("no key id's value", made({"kid": None}), "key id"),
    ("another audience", made(aud="somebody-else"), "audience"),
    ("a list of audiences", made(aud=[AUDIENCE]), "audience"),
    ("a list with others", made(aud=[AUDIENCE, "x"]), "audience"),
    ("a prefix of the audience", made(aud=AUDIENCE[:-1]), "audience"),
    ("the audience in capitals", made(aud=AUDIENCE.upper()), "audience"),
    ("no audience's value", made(aud=None), "audience"),
    ("another issuer", made(iss="elsewhere"), "issuer"),
    ("a prefix of the issuer", made(iss="repostrea"), "issuer"),
    ("the issuer and more", made(iss="repostream.example.org"), "issuer"),
    ("the issuer with a slash", made(iss="repostream/"), "issuer"),
    ("the issuer of a laptop", made(iss="repostream-local"), "issuer"),
    ("a list of issuers", made(iss=["repostream"]), "issuer"),
    ("an end in the far future", made(exp=10**30), "exp"),
    ("an end as text", made(exp=str(NOW + 60)), "exp"),
    ("an end as a fraction", made(exp=NOW + 60.5), "exp"),
    ("an end as a whole fraction", with_payload(claims_text(exp=f"{NOW + 60}.0")), "exp"),
    ("an end in other digits", with_payload(claims_text(exp=f"{NOW + 60}e0")), "exp"),
    ("an end that is true", made(exp=True), "exp"),
    ("an end that is null", made(exp=None), "exp"),
    ("an end below zero", made(exp=-5), "exp"),
    ("an endless end", with_payload(claims_text(exp="Infinity")), "JSON"),
    ("an end that is no number", with_payload(claims_text(exp="NaN")), "JSON"),
    ("an end of 5,000 digits", with_payload(claims_text(exp="1" * 5_000)), "JSON"),
    ("an end that is too great for a float", with_payload(claims_text(exp="1e400")), "exp"),
    ("a beginning as text", made(iat=str(NOW)), "iat"),
    ("a beginning that is a list", made(nbf=[NOW]), "nbf"),
    ("too long a life", made(exp=NOW + MAX_LIFE + 1), "length of life"),
    ("no life", made(exp=NOW), "length of life"),
    ("an end before its beginning", made(exp=NOW - 10), "length of life"),
    ("over", made(iat=NOW - 700, nbf=NOW - 700, exp=NOW - 100), "over"),
    ("over by the leeway", made(iat=NOW - 600, nbf=NOW - 600, exp=NOW - FORM.leeway), "over"),
    ("of the future", made(iat=NOW + 31, nbf=NOW + 31, exp=NOW + 600), "not yet"),
    ("not to be used yet", made(nbf=NOW + 100), "not yet"),
    ("to be used only after its end", made(nbf=NOW + 700), "begins"),
    ("to be used before it was made", made(nbf=NOW - 100), "begins"),
    *((f"no {name}", made(without=name), "claims") for name in CLAIMS),
    ("a claim of its own", made(admin=True), "claims"),
    ("a role", made(role="owner"), "claims"),
    ("a person that is no id", made(sub="1"), "sub"),
    ("a person with capitals", made(sub=str(UUID(int=2**127 + 10)).upper()), "sub"),
    ("a person in braces", made(sub="{" + str(USER) + "}"), "sub"),
    ("a person without hyphens", made(sub=USER.hex), "sub"),
    ("a person by number", made(sub=1), "sub"),
    ("a person by SQL", made(sub="' OR ''='"), "sub"),
    ("no tenant's value", made(tid=None), "tid"),
    ("a list of tenants", made(tid=[str(TENANT)]), "tid"),
    ("an empty session", made(sid=""), "sid"),
    ("a session that is no id", made(sid="x" * 36), "sid"),
    ("its own id as a number", made(jti=7), "jti"),
    ("an unknown scope", made(scope="read:repositories everything"), "scopes"),
    ("an empty scope", made(scope=""), "scopes"),
    ("a scope twice", made(scope="ask:questions ask:questions"), "scopes"),
    ("two blanks between scopes", made(scope="ask:questions  read:events"), "scopes"),
    ("a tab between scopes", made(scope="ask:questions\tread:events"), "scopes"),
    ("a list of scopes", made(scope=["admin"]), "scopes"),
    ("a scope in capitals", made(scope="ADMIN"), "scopes"),
    ("a GitHub id as text", made(github_id="583231"), "GitHub"),
    ("a GitHub id that is true", made(github_id=True), "GitHub"),
    ("a GitHub id below one", made(github_id=0), "GitHub"),
    ("a GitHub id beyond 64 bits", made(github_id=2**64), "GitHub"),
    ("a claim twice", with_payload(claims_text()[:-1] + f',"sub":"{TENANT}"}}'), "unique"),
    ("a header name twice", signed(json.dumps(HEADER)[:-1].encode() + b',"alg":"RS256"}', b"{}"), "unique"),
    ("claims that are a list", with_payload("[]"), "object"),
    ("claims that are text", with_payload('"x"'), "object"),
    ("claims that are null", with_payload("null"), "object"),
    ("claims that are no JSON", with_payload("{"), "JSON"),
    ("claims with something behind them", with_payload(claims_text() + "x"), "JSON"),
    ("claims that are nested without end", with_payload("[" * 5_000), "JSON"),
    ("claims that are no UTF-8", signed(json.dumps(HEADER).encode(), b"\xff\xfe"), "JSON"),
    ("claims in UTF-16", signed(json.dumps(HEADER).encode(), claims_text().encode("utf-16")), "JSON"),
    ("a header that is a list", signed(b"[]", claims_text().encode()), "object"),
    ("a header that is no JSON", signed(b"alg", claims_text().encode()), "JSON"),
    ("signed by another key", made(key=OTHER_KEY), "signature"),
    ("a signature with padding", GOOD + "=", "base64url"),
    ("a signature with two paddings", GOOD + "==", "base64url"),
    ("a signature with other last bits", other_last_bits, "canonical"),
    ("a signature that is cut", GOOD[:-2], "signature"),
    ("a signature that is longer", GOOD + "AAAA", "signature"),
    ("a signature of zeros", f"{HEAD}.{BODY}.{encode(bytes(256))}", "signature"),
    ("the first bit changed", lambda: flipped(0), "signature"),
    ("the last bit changed", lambda: flipped(-1), "signature"),
    ("another's signature", f"{HEAD}.{BODY}." + made(jti=str(USER)).split(".")[2], "signature"),
    ("an empty signature", f"{HEAD}.{BODY}.", "three parts"),
    ("an empty header", f".{BODY}.{SIGNATURE}", "three parts"),
    ("two parts", f"{HEAD}.{BODY}", "three parts"),
    ("five parts, as if encrypted", f"{HEAD}.{BODY}.{SIGNATURE}.{HEAD}.{BODY}", "three parts"),
    ("nothing", "", "three parts"),
    ("two dots", "..", "three parts"),
    ("a word", "token", "three parts"),
    ("standard base64", made(sub="???>>>").replace("-", "+").replace("_", "/"), "base64url"),
    ("a line break in it", f"{HEAD}.{BODY[:10]}\n{BODY[10:]}.{SIGNATURE}", "base64url"),
    ("a blank before it", f" {GOOD}", "base64url"),
    ("a blank behind it", f"{GOOD} ", "base64url"),
    ("a letter beyond ASCII", f"{HEAD}.{BODY}.ü{SIGNATURE}", "base64url"),
    ("digits of another script", f"{HEAD}.{BODY}.٣{SIGNATURE[1:]}", "base64url"),
    ("a NUL in it", f"{HEAD}.{BODY}.\x00{SIGNATURE}", "base64url"),
    ("JSON instead of the short form", json.dumps({"payload": BODY, "signature": SIGNATURE}), "three parts"),
    ("longer than any token", GOOD + "A" * MAX_LENGTH, "too long"),
    ("a megabyte", "A" * 1_000_000 + "." + BODY + "." + SIGNATURE, "too long"),
]


@pytest.mark.parametrize(
    ("token", "reason"), [case[1:] for case in REFUSED], ids=[case[0].replace(" ", "-") for case in REFUSED]
)
async def test_whatever_differs_from_our_tokens_is_refused(token: str | Callable[[], str], reason: str) -> None:
    with pytest.raises(BadToken) as refusal:
        await read(token if isinstance(token, str) else token())

    assert reason in refusal.value.reason


def test_the_table_has_what_it_promises() -> None:
    assert len({name for name, *_ in REFUSED}) == len(REFUSED) >= 120


async def test_a_good_token_says_who_where_what_and_until_when() -> None:
    token = await read(GOOD)

    assert token == Token(SUBJECT, JTI, NOW + LIFE)
    assert jwt.get_unverified_header(GOOD) == HEADER


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(made(), id="made by hand"),
        pytest.param(made(github_id=None), id="of another provider"),
        pytest.param(made(exp=NOW + MAX_LIFE), id="the longest life"),
        pytest.param(made(exp=NOW + 1), id="the shortest life"),
        pytest.param(made(iat=NOW - 600, nbf=NOW - 600, exp=NOW - FORM.leeway + 1), id="within the leeway of its end"),
        pytest.param(made(iat=NOW + 30, nbf=NOW + 30, exp=NOW + 600), id="within the leeway of its beginning"),
        pytest.param(made(scope=" ".join(sorted(ALL_SCOPES))), id="every scope"),
        pytest.param(made(scope="admin"), id="one scope"),
    ],
)
async def test_what_is_within_the_rules_is_taken(token: str) -> None:
    assert (await read(token)).subject.user_id == USER


async def test_a_long_text_costs_no_time() -> None:
    long = "A" * 10_000_000
    began = time.thread_time()
    with pytest.raises(BadToken):
        await read(long)

    assert time.thread_time() - began < 0.02


def test_the_key_id_is_the_thumbprint_of_the_standard() -> None:
    n = (  # the example of RFC 7638, section 3.1
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )

    assert thumbprint({"kty": "RSA", "n": n, "e": "AQAB"}) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
