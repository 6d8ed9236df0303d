"""The keys that sign tokens change while everybody works: nobody is refused by it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import jwt
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from orchestrator.auth.signing_keys import KeyTimes, SigningKeys
from orchestrator.auth.tokens import Use
from runtime.sealing import Sealer, fresh_key
from tests.support.accounts import SignIn, a_person, a_sign_in, bearer, execute
from tests.support.orchestrator import async_url, eventually

ROTATIONS = 5
QUICK = KeyTimes(cache=0.4, life=1.5, look=0.1, unknown=30)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(async_url(database_url))
    yield made
    await made.dispose()


@asynccontextmanager
async def looked_after(keys: SigningKeys) -> AsyncIterator[SigningKeys]:
    task = asyncio.create_task(keys.run())
    try:
        yield keys
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Elsewhere(SigningKeys):
    """Another process of the service, which learns of keys by looking, and never in time by being asked."""

    looked_at = 0.0

    async def look(self) -> float:
        began = time.monotonic()
        now = await super().look()
        self.looked_at = began
        return now


class Reader:
    """Somebody else's service: it checks tokens with a copy of the published keys that it keeps as long as it may."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = 0.0

    async def read(self, token: str) -> str:
        """The key id of a token that it takes. Raises KeyError for a key that its copy lacks."""
        if time.monotonic() - self._read_at > QUICK.cache:
            self._read_at = time.monotonic()
            found = (await self._client.get("/.well-known/jwks.json")).json()["keys"]
            self._keys = {key["kid"]: jwt.PyJWK(key) for key in found}
        kid = str(jwt.get_unverified_header(token)["kid"])
        jwt.decode(token, self._keys[kid], ["RS256"], audience="repostream-api")
        return kid


async def test_five_changes_under_load_refuse_nobody(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> None:
    async with a_sign_in(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        keys = system.accounts.tokens.keys
        keys.times = QUICK
        other = Elsewhere(system.accounts.engine, keys._sealer, Use.LOCAL, QUICK)
        async with looked_after(keys), looked_after(other):
            await other.tend()
            result = await load_while_rotating(system, keys, other)
            left = await eventually(lambda: published(keys), lambda found: len(found) < ROTATIONS + 1)

    assert result.refused == []
    assert result.informed
    assert result.answered >= 15 * ROTATIONS
    assert len(result.kids) == ROTATIONS + 1  # every key signed something
    assert left  # and old ones are withdrawn in the end


async def published(keys: SigningKeys) -> list[dict[str, str]]:
    return keys.published()


class Outcome:
    def __init__(self) -> None:
        self.refused: list[str] = []
        self.answered = 0
        self.informed = 0
        self.kids: set[str] = set()

    async def has_grown(self, *, by: int) -> None:
        enough = self.answered + by
        while self.answered < enough:  # noqa: ASYNC110  # it is a count
            await asyncio.sleep(0.02)


@dataclass
class Viewer:
    """Somebody who gets tokens, and shows each for as long as it lives."""

    system: SignIn
    other: "Elsewhere"
    outcome: Outcome

    async def work(self, done: asyncio.Event) -> None:
        secret = await self.system.begin(await a_person(self.system.engine))
        reader = Reader(self.system.client)
        while not done.is_set():
            began = time.monotonic()  # before it was made: its life is not over sooner
            token = (await self.system.trade(secret)).json()["access_token"]
            is_informed = self.other.looked_at > time.monotonic() - QUICK.cache  # it looks as often as it should
            self.outcome.kids.add(await reader.read(token))
            if is_informed and await self.other.find(str(jwt.get_unverified_header(token)["kid"])) is None:
                self.outcome.refused.append("unknown to the other process")
            self.outcome.informed += is_informed
            await self.show(token, until=began + QUICK.life)

    async def show(self, token: str, *, until: float) -> None:
        for _ in range(5):
            reply = await self.system.client.get("/api/v1/me", headers=bearer(token))
            if time.monotonic() > until:
                return
            self.outcome.answered += 1
            if reply.status_code != 200:
                self.outcome.refused.append(reply.text)
            await asyncio.sleep(0.03)


async def load_while_rotating(system: SignIn, keys: SigningKeys, other: Elsewhere) -> Outcome:
    outcome, done = Outcome(), asyncio.Event()
    viewers = [asyncio.create_task(Viewer(system, other, outcome).work(done)) for _ in range(4)]
    for _ in range(ROTATIONS):
        await outcome.has_grown(by=15)
        kid = await keys.rotate()
        while (await keys.signing())[0] != kid:  # noqa: ASYNC110  # it begins by the clock
            await asyncio.sleep(0.02)
    await outcome.has_grown(by=15)
    done.set()
    await asyncio.gather(*viewers)
    return outcome


async def test_a_key_goes_by_its_schedule_and_leaves_nothing_to_sign_with(engine: AsyncEngine) -> None:
    keys = SigningKeys(engine, Sealer(fresh_key()), Use.SESSION, KeyTimes(cache=0.05, life=0.1, every=0.3))
    await keys.tend()
    first = (await keys.signing())[0]
    async with asyncio.timeout(10):
        while (await keys.signing())[0] == first:
            await keys.tend()
            await asyncio.sleep(0.02)
    await execute(
        engine, "UPDATE auth.signing_keys SET signs_until = now() - interval '5 minutes' WHERE kid = :k", k=first
    )
    await keys.tend()

    async with engine.connect() as connection:
        row = (
            await connection.execute(
                text("SELECT private_key, withdrawn_at FROM auth.signing_keys WHERE kid = :k"), {"k": first}
            )
        ).one()
    assert row.private_key is None
    assert row.withdrawn_at is not None
    assert first not in {key["kid"] for key in keys.published()}
    assert await keys.find(first) is None


async def test_processes_that_start_together_agree_on_one_key(engine: AsyncEngine) -> None:
    sealer = Sealer(fresh_key())
    several = [SigningKeys(engine, sealer, Use.SESSION) for _ in range(5)]
    await asyncio.gather(*(keys.tend() for keys in several))

    assert len({(await keys.signing())[0] for keys in several}) == 1
    assert all(len(keys.published()) == 1 for keys in several)
    waiting = await asyncio.gather(*(keys.rotate() for keys in several))
    assert len(set(waiting)) == 1  # asked for twice, changed once


async def test_private_keys_are_sealed_and_one_that_cannot_be_opened_is_replaced_at_once(engine: AsyncEngine) -> None:
    before = SigningKeys(engine, Sealer(fresh_key()), Use.SESSION)
    await before.tend()
    old = (await before.signing())[0]
    after = SigningKeys(engine, Sealer(fresh_key()), Use.SESSION)
    await after.tend()
    new = (await after.signing())[0]

    async with engine.connect() as connection:
        stored = b"".join(
            [bytes(key) for key in await connection.scalars(text("SELECT private_key FROM auth.signing_keys"))]
        )
    assert old != new
    assert await after.find(old) is not None  # tokens of before are still good
    assert await before.find(new) is not None  # looked up at once: it signs already
    assert b"PRIVATE" not in stored
    assert stored.startswith(b"gAAAA")  # as Fernet seals


async def test_keys_that_are_made_up_do_not_make_us_look_each_time(engine: AsyncEngine) -> None:
    keys = SigningKeys(engine, Sealer(fresh_key()), Use.SESSION)
    await keys.tend()
    looks = 0
    look = keys.look

    async def counted() -> None:
        nonlocal looks
        looks += 1
        await look()

    keys.look = counted  # type: ignore[method-assign]
    found = [await keys.find(f"made-up-{n}") for n in range(50)]

    assert found == [None] * 50
    assert looks == 1


async def test_a_laptops_keys_are_no_keys_of_an_installation_where_people_sign_in(engine: AsyncEngine) -> None:
    sealer = Sealer(fresh_key())
    local, session = SigningKeys(engine, sealer, Use.LOCAL), SigningKeys(engine, sealer, Use.SESSION)
    await local.tend()
    await session.tend()

    assert await session.find((await local.signing())[0]) is None
    assert {key["kid"] for key in local.published()} & {key["kid"] for key in session.published()} == set()
