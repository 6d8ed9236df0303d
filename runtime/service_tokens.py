"""Which service is calling: a token of a minute, signed with the caller's own key, good for one other service.

Each service has a key of its own (`REPOSTREAM_SERVICE_KEY`) and knows the public keys of all
(`REPOSTREAM_SERVICE_PUBLIC_KEYS`), so none can speak for another, and nothing that crosses the wire lasts.
"""

import time
from collections.abc import Callable, Collection, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from runtime.faults import Permanent
from runtime.strict_jwt import BadToken, Form, PublicKey, decode, encode, kid_of, read, sign

LIFE = 60  # seconds
_FORM = Form(
    algorithm="EdDSA",
    typ="service+jwt",
    claims=frozenset({"iss", "aud", "iat", "nbf", "exp"}),
    max_life=2 * LIFE,
    leeway=30,  # between the clocks of two machines
)
ON_BEHALF = "X-Repostream-Service"  # the header of a caller that asks for somebody, whose Authorization is there too
_BEARER = "Bearer "


def new_service_key() -> str:
    """A private key: base64url of 32 bytes."""
    return encode(Ed25519PrivateKey.generate().private_bytes_raw())


def public_key_of(key: str) -> str:
    """The public key that belongs to a private one, in the same form. Raises ValueError where it is malformed."""
    return encode(_private(key).public_key().public_bytes_raw())


def written(public_keys: Mapping[str, str]) -> str:
    """Public keys by service, as `REPOSTREAM_SERVICE_PUBLIC_KEYS` has them: `name:key,name:key`."""
    return ",".join(f"{name}:{key}" for name, key in sorted(public_keys.items()))


class ServiceSigner:
    """Signs the calls of one service."""

    def __init__(self, name: str, key: str, clock: Callable[[], float] = time.time) -> None:
        """`key` is `REPOSTREAM_SERVICE_KEY`. Raises ValueError, which does not repeat it, where it is none."""
        self._name = name
        self._key = _private(key)
        self._clock = clock
        self._made: dict[str, tuple[str, int]] = {}  # by audience: a token, and when it was made

    def headers(self, audience: str) -> dict[str, str]:
        """The header that a call to the service `audience` carries; the same one for half of its life."""
        now = int(self._clock())
        token, made = self._made.get(audience, ("", 0))
        if not made <= now < made + LIFE // 2 or not token:
            claims = {"iss": self._name, "aud": audience, "iat": now, "nbf": now, "exp": now + LIFE}
            token = sign(claims, self._key, self._name, _FORM)
            self._made[audience] = (token, now)
        return {"Authorization": f"{_BEARER}{token}"}

    def on_behalf(self, audience: str) -> dict[str, str]:
        """As `headers`, where the call carries somebody's own credential."""
        return {ON_BEHALF: self.headers(audience)["Authorization"]}


class ServiceVerifier:
    """Knows the callers of one service."""

    def __init__(self, audience: str, public_keys: str, clock: Callable[[], float] = time.time) -> None:
        """`public_keys` is `REPOSTREAM_SERVICE_PUBLIC_KEYS`; where it is empty, nobody is let in.

        Raises ValueError where it is malformed.
        """
        self._audience = audience
        self._keys = _public(public_keys)
        self._clock = clock

    def caller(self, authorization: str, allowed: Collection[str]) -> str:
        """The service that the `Authorization` header is of. Raises Permanent `unauthorized` unless it is allowed."""
        try:
            name = self._name_of(authorization)
        except BadToken:
            name = ""
        if not name or name not in allowed:
            raise Permanent("unauthorized", "This interface is for certain services of this installation.")
        return name

    def _name_of(self, authorization: str) -> str:
        if not authorization.startswith(_BEARER):
            raise BadToken("no bearer token")
        token = authorization.removeprefix(_BEARER)
        name = kid_of(token, _FORM)
        key = self._keys.get(name)
        if key is None:
            raise BadToken("unknown service")
        read(token, key, _FORM, issuer=name, audience=self._audience, now=int(self._clock()))
        return name


def _private(key: str) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(decode(key))
    except (BadToken, ValueError):
        raise ValueError(
            "REPOSTREAM_SERVICE_KEY must be this service's own key: make one with `repostream keys services`"
        ) from None


def _public(text: str) -> dict[str, PublicKey]:
    found: dict[str, PublicKey] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, key = entry.partition(":")
        try:
            found[name] = Ed25519PublicKey.from_public_bytes(decode(key))
        except (BadToken, ValueError):
            raise ValueError(
                f"REPOSTREAM_SERVICE_PUBLIC_KEYS must be name:key,name:key, and has no key for {name[:40]!r}"
            ) from None
    return found
