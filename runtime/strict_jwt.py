"""Signed tokens (JWT) of our own making, and nothing else: made by PyJWT, read with checks that it leaves out.

A token is accepted in exactly one form: three canonical base64url parts, the header of our tokens, the claims of our
tokens with the types that we give them. Whatever differs is refused, so no two texts are the same token.
"""

import base64
import binascii
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

PrivateKey = RSAPrivateKey | Ed25519PrivateKey
PublicKey = RSAPublicKey | Ed25519PublicKey
Claims = dict[str, Any]
MAX_LENGTH = 8 * 1024  # characters; before anything else, since reading costs time with its length
_HEADER = frozenset({"alg", "typ", "kid"})
_TIMES = ("iat", "nbf", "exp")
_LATEST = 2**40  # seconds; far beyond any clock, and within what every program reads as an integer
_JWS = jwt.PyJWS(algorithms=["RS256", "EdDSA"])


class BadToken(Exception):
    """The text is no token of ours, or not a valid one. `reason` is for logs and tests, not for whoever sent it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Form:
    """What the tokens of one kind look like. Lives and leeway are in seconds."""

    algorithm: str
    typ: str
    claims: frozenset[str]
    max_life: int
    leeway: int


def sign(claims: Mapping[str, object], key: PrivateKey, kid: str, form: Form) -> str:
    """A token of `form` with `claims`."""
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return _JWS.encode(payload, key, algorithm=form.algorithm, headers={"typ": form.typ, "kid": kid})


def kid_of(token: str, form: Form) -> str:
    """The id of the key that the token says it was signed with. Raises BadToken where its header is not ours."""
    if len(token) > MAX_LENGTH:
        raise BadToken("too long")
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise BadToken("not three parts")
    for part in parts:
        _require_canonical(part)
    header = _object(base64.urlsafe_b64decode(_padded(parts[0])))
    if header.keys() != _HEADER:
        raise BadToken("another header")
    if header["alg"] != form.algorithm or header["typ"] != form.typ:
        raise BadToken("another algorithm or type")
    kid = header["kid"]
    if not isinstance(kid, str) or not 0 < len(kid) <= 128:
        raise BadToken("no key id")
    return kid


def read(token: str, key: PublicKey, form: Form, *, issuer: str, audience: str, now: int) -> Claims:
    """The claims of a token whose header `kid_of` has looked at. Raises BadToken."""
    try:
        payload = _JWS.decode(token, key, algorithms=[form.algorithm])
    except jwt.InvalidTokenError as error:
        raise BadToken(f"signature: {type(error).__name__}") from None
    claims = _object(payload)
    _require_claims(claims, form.claims)
    if claims["iss"] != issuer or claims["aud"] != audience:
        raise BadToken("another issuer or audience")
    _require_times(claims, form, now)
    return claims


def read_token(
    token: str,
    find_key: Callable[[str], PublicKey | None],
    form: Form,
    *,
    issuer: str,
    audience: str,
    now: int,
) -> Claims:
    """The claims of `token`, its key being what `find_key` has for its key id. Raises BadToken."""
    key = find_key(kid_of(token, form))
    if key is None:
        raise BadToken("unknown key")
    return read(token, key, form, issuer=issuer, audience=audience, now=now)


def thumbprint(jwk: Mapping[str, str]) -> str:
    """The RFC 7638 thumbprint of a public JWK."""
    from hashlib import sha256

    members = {"RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}[jwk["kty"]]
    text = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"), sort_keys=True)
    return encode(sha256(text.encode()).digest())


def encode(value: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of canonical base64url without padding. Raises BadToken."""
    _require_canonical(text)
    return base64.urlsafe_b64decode(_padded(text))


def _require_canonical(part: str) -> None:
    try:
        value = base64.b64decode(_padded(part), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadToken("not base64url") from None
    if encode(value) != part:  # other last bits, or `+` and `/`: the same bytes written in another way
        raise BadToken("not canonical base64url")


def _padded(part: str) -> str:
    return part + "=" * (-len(part) % 4)


def _object(text: bytes) -> Claims:
    try:
        value = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # ValueError also of Unicode and of numbers with thousands of digits
        raise BadToken("not a JSON object with unique names") from None
    if not isinstance(value, dict):
        raise BadToken("not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> Claims:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _require_claims(claims: Claims, names: Collection[str]) -> None:
    if claims.keys() != set(names):
        raise BadToken("other claims")
    for name in _TIMES:
        if type(claims[name]) is not int or not 0 < claims[name] < _LATEST:  # a bool is an int to isinstance
            raise BadToken(f"{name} is no time")


def _require_times(claims: Claims, form: Form, now: int) -> None:
    issued, begins, ends = (claims[name] for name in _TIMES)
    if not 0 < ends - issued <= form.max_life:
        raise BadToken("another length of life")
    if not issued - form.leeway <= begins < ends:
        raise BadToken("begins before it was issued or after it ends")
    if now >= ends + form.leeway:
        raise BadToken("over")
    if now < begins - form.leeway or now < issued - form.leeway:
        raise BadToken("not yet")
