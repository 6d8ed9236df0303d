"""The keys that sign session tokens: made, published, put to work, withdrawn; all processes share them by the database.

A new key is published first and signs only once every copy of the published set must have it; the old one stays
published until every token that it signed is long over. So a change of keys refuses nobody.
"""

import asyncio
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from jwt.algorithms import RSAAlgorithm
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from orchestrator.auth.tokens import LIFE, Use
from runtime.faults import Transient
from runtime.sealing import Sealer
from runtime.strict_jwt import thumbprint

_log = structlog.get_logger(__name__)
_BITS = 2048
_LOCK = 7_310_001  # of PostgreSQL, for as long as keys are looked after
_GRACE = 60  # seconds that a private key outlives its work: clocks differ


@dataclass(frozen=True)
class KeyTimes:
    """Seconds: how long the published set is cached, how long a token lives, how long a key signs, how often to look.

    `unknown` is how long to wait between two looks into the database for the sake of unknown key ids.
    """

    cache: float = 600
    life: float = LIFE
    every: float = 30 * 86_400
    look: float = 30
    unknown: float = 30


@dataclass(frozen=True)
class SigningKey:
    """One key. `signs_until` is infinite for the newest; `private` is None once it is gone, or cannot be opened."""

    kid: str
    public: RSAPublicKey
    jwk: dict[str, str]
    private: RSAPrivateKey | None
    signs_from: float
    signs_until: float


class SigningKeys:
    """The keys of one use, as this process knows them. `tend` them once before use."""

    def __init__(
        self,
        engine: AsyncEngine,
        sealer: Sealer,
        use: Use,
        times: KeyTimes = KeyTimes(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.use = use
        self.times = times
        self._engine = engine
        self._sealer = sealer
        self._clock = clock
        self._known: dict[str, SigningKey] = {}
        self._looked_up_at = -math.inf
        self._looking = asyncio.Lock()

    def published(self) -> list[dict[str, str]]:
        """The public keys as JWKs."""
        return [key.jwk for key in self._known.values()]

    def signs_from(self, kid: str) -> float:
        """When the published key `kid` begins to sign (Unix seconds)."""
        return self._known[kid].signs_from

    async def signing(self) -> tuple[str, RSAPrivateKey]:
        """The key that signs now, with its id. Raises Transient `database_unavailable` where none is known."""
        found = self._current()
        if found is None:
            await self.look()
            found = self._current()
        if found is None:
            raise Transient("database_unavailable", "There is no key to sign with at the moment: try again.")
        return found

    def _current(self) -> tuple[str, RSAPrivateKey] | None:
        now = self._clock()
        ours = [(key, key.private) for key in self._known.values() if key.private is not None]
        at_work = [pair for pair in ours if pair[0].signs_from <= now < pair[0].signs_until]
        # None at work: this clock is behind the database's, and the first key was made a moment ago.
        found = max(at_work or ours[:1], key=lambda pair: pair[0].signs_from, default=None)
        return (found[0].kid, found[1]) if found is not None else None

    async def find(self, kid: str) -> RSAPublicKey | None:
        """The published key `kid`. An unknown one is looked up, though not each that somebody makes up."""
        key = self._known.get(kid)
        if key is None and self._clock() - self._looked_up_at >= self.times.unknown:
            self._looked_up_at = self._clock()
            await self.look()
            key = self._known.get(kid)
        return key.public if key is not None else None

    async def look(self) -> float:
        """Read the published keys from the database; its clock."""
        async with self._looking, self._engine.connect() as connection:
            return await self._read(connection)

    async def rotate(self) -> str:
        """Publish a new key, which takes over in twice the time that sets are cached; its id.

        Where one is waiting to take over already, it is that one's.
        """
        return await self._change(ahead=True)

    async def tend(self) -> None:
        """Do what is due: a first key, the next one, and the end of old ones."""
        now = await self.look()
        newest = self._newest()
        if newest is None or newest.private is None or newest.signs_from + self.times.every <= now:
            await self._change(ahead=False)
        elif any(self._is_done(key, now) for key in self._known.values()):
            async with self._looking, self._engine.begin() as connection:
                await self._retire(connection, now)
                await self._read(connection)

    async def run(self) -> None:
        """Look after the keys until cancelled. A database that is away is tried again."""
        while True:
            try:
                await self.tend()
            except (SQLAlchemyError, OSError) as error:
                _log.warning("signing_keys_not_tended", error=repr(error)[:300])
            await asyncio.sleep(self.times.look)

    def _newest(self) -> SigningKey | None:
        return next((key for key in self._known.values() if key.signs_until == math.inf), None)

    def _is_done(self, key: SigningKey, now: float) -> bool:
        forgets = key.private is not None and key.signs_until < now - _GRACE
        return forgets or key.signs_until < now - 2 * self.times.life

    async def _change(self, *, ahead: bool) -> str:
        """Publish a new key where one is due, or asked for `ahead` of that; the id of the newest."""
        spare = await asyncio.to_thread(_new_key)  # made before the lock is held: it takes a moment
        async with self._looking, self._engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            now = await self._read(connection)
            newest = self._newest()
            if newest is None or newest.private is None:
                kid = await self._publish(connection, spare, after=newest, at=now)
            elif newest.signs_from <= now and (ahead or newest.signs_from + self.times.every <= now):
                kid = await self._publish(connection, spare, after=newest, at=now + 2 * self.times.cache)
            else:
                return newest.kid
            await self._read(connection)
        return kid

    async def _publish(
        self, connection: AsyncConnection, key: RSAPrivateKey, *, after: SigningKey | None, at: float
    ) -> str:
        jwk = _jwk_of(key.public_key())
        if after is not None:
            statement = "UPDATE auth.signing_keys SET signs_until = to_timestamp(:at) WHERE kid = :kid"
            await connection.execute(text(statement), {"at": at, "kid": after.kid})
        await connection.execute(
            text(
                "INSERT INTO auth.signing_keys (kid, use, private_key, public_jwk, published_at, signs_from)"
                " VALUES (:kid, :use, :private_key, CAST(:jwk AS jsonb), clock_timestamp(), to_timestamp(:at))"
            ),
            {
                "kid": jwk["kid"],
                "use": self.use.value,
                "private_key": self._sealer.seal(_der_of(key)),
                "jwk": json.dumps(jwk),
                "at": at,
            },
        )
        _log.info("signing_key_published", kid=jwk["kid"], use=self.use.value)
        return jwk["kid"]

    async def _retire(self, connection: AsyncConnection, now: float) -> None:
        """Forget private keys that are done; stop publishing keys whose tokens are all over."""
        await connection.execute(
            text(
                "UPDATE auth.signing_keys SET private_key = NULL WHERE use = :use AND private_key IS NOT NULL"
                " AND signs_until < to_timestamp(:done)"
            ),
            {"use": self.use.value, "done": now - _GRACE},
        )
        await connection.execute(
            text(
                "UPDATE auth.signing_keys SET withdrawn_at = clock_timestamp() WHERE use = :use"
                " AND withdrawn_at IS NULL AND signs_until < to_timestamp(:over)"
            ),
            {"use": self.use.value, "over": now - 2 * self.times.life},
        )

    async def _read(self, connection: AsyncConnection) -> float:
        """Know the published keys; the database's clock."""
        found = await connection.execute(
            text(
                "SELECT kid, private_key, public_jwk, extract(epoch FROM signs_from)::float8 AS signs_from,"
                " extract(epoch FROM signs_until)::float8 AS signs_until"
                " FROM auth.signing_keys WHERE use = :use AND withdrawn_at IS NULL ORDER BY signs_from"
            ),
            {"use": self.use.value},
        )
        keys = [self._key_of(row._mapping) for row in found]
        self._known = {key.kid: key for key in keys}
        now = await connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())::float8"))
        return float(now or 0)

    def _key_of(self, row: Any) -> SigningKey:  # noqa: ANN401  # a row of the table
        known = self._known.get(row["kid"])
        private = known.private if known is not None else None
        if private is None and row["private_key"] is not None:
            private = self._opened(row["kid"], row["private_key"])
        until = row["signs_until"]
        return SigningKey(
            kid=row["kid"],
            public=known.public if known is not None else _public_of(row["public_jwk"]),
            jwk=dict(row["public_jwk"]),
            private=private if row["private_key"] is not None else None,
            signs_from=row["signs_from"],
            signs_until=math.inf if until is None else until,
        )

    def _opened(self, kid: str, sealed: bytes) -> RSAPrivateKey | None:
        try:
            der = self._sealer.open(bytes(sealed))  # authenticated: we made it, and testing its primes takes 30 ms
            key = serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
        except ValueError as error:
            _log.warning("signing_key_not_opened", kid=kid, error=str(error))
            return None
        assert isinstance(key, RSAPrivateKey)  # noqa: S101  # we made it
        return key


def _new_key() -> RSAPrivateKey:
    return generate_private_key(65_537, _BITS)


def _der_of(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _jwk_of(key: RSAPublicKey) -> dict[str, str]:
    numbers = RSAAlgorithm.to_jwk(key, as_dict=True)
    jwk = {"kty": "RSA", "n": str(numbers["n"]), "e": str(numbers["e"])}
    return jwk | {"kid": thumbprint(jwk), "alg": "RS256", "use": "sig"}


def _public_of(jwk: dict[str, str]) -> RSAPublicKey:
    key = RSAAlgorithm.from_jwk(jwk)
    assert isinstance(key, RSAPublicKey)  # noqa: S101  # only public numbers are stored there
    return key
