"""Whatever ends somebody's grants ends those too that are refreshed or begun at that moment, in any order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from events.log.wake import Wake
from orchestrator.adapters.departure import Departure
from orchestrator.auth import refresh
from orchestrator.auth.api_keys import ApiKeys
from orchestrator.auth.directory import Directory
from orchestrator.auth.identity import ALL_SCOPES, READ, Identity, Proof, Role
from orchestrator.auth.refresh import RefreshTokens, Verdict
from runtime.faults import Permanent
from tests.support.accounts import Person, a_person, execute, join
from tests.support.orchestrator import async_url, eventually

SCOPES = frozenset({READ})
_ROUNDS = 12


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(async_url(database_url), pool_size=20)
    yield made
    await made.dispose()


async def nobody_told(_id: UUID) -> None:
    """The copy in Redis is no concern here."""


class Ends:
    """The three ways in which all grants of somebody end at once."""

    def __init__(self, engine: AsyncEngine, redis_url: str) -> None:
        self.engine = engine
        self.redis = Redis.from_url(redis_url)
        self.directory = Directory(engine, nobody_told)
        self.departure = Departure(engine, Wake(self.redis), nobody_told)

    async def suspension(self, person: Person) -> None:
        assert await self.directory.suspend(person.user_id) is not None

    async def deletion(self, person: Person) -> None:
        await self.departure.account(_who(person), "octo", uuid4(), datetime.now(UTC))

    async def team_deletion(self, person: Person) -> None:
        await self.departure.tenant(_who(person), person.tenant_id, "A team", uuid4(), datetime.now(UTC))


def _who(person: Person) -> Identity:
    return Identity(person.user_id, person.tenant_id, "Octo", ALL_SCOPES, proof=Proof.SESSION, proof_id=uuid4())


@pytest.fixture
async def ends(engine: AsyncEngine, redis_url: str) -> AsyncIterator[Ends]:
    made = Ends(engine, redis_url)
    yield made
    await made.redis.aclose()


WAYS: dict[str, Callable[[Ends, Person], Awaitable[None]]] = {
    "suspension": Ends.suspension,
    "deletion": Ends.deletion,
    "team_deletion": Ends.team_deletion,
}
ways = pytest.mark.parametrize("way", WAYS)


async def living(engine: AsyncEngine, person: Person) -> list[bytes]:
    """The tokens of somebody that nobody ended."""
    statement = "SELECT token_hash FROM auth.refresh_tokens WHERE user_id = :id AND revoked_at IS NULL"
    async with engine.connect() as connection:
        return list((await connection.execute(text(statement), {"id": person.user_id})).scalars())


async def waiting(engine: AsyncEngine) -> int:
    """How many transactions of this database wait for another's lock."""
    statement = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
    """
    async with engine.connect() as connection:
        return int(await connection.scalar(text(statement)) or 0)


@asynccontextmanager
async def stopped_before_the_new_row(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[asyncio.Event, asyncio.Event]]:
    """Whoever is about to write a token says so by the first event, and waits for the second."""
    reached, go_on, insert = asyncio.Event(), asyncio.Event(), refresh._insert

    async def held(connection: AsyncConnection, secret: str, row: object) -> None:
        reached.set()
        await go_on.wait()
        await insert(connection, secret, row)  # type: ignore[arg-type]  # as it was called

    with monkeypatch.context() as fault:
        fault.setattr(refresh, "_insert", held)
        yield reached, go_on


@ways
@pytest.mark.parametrize("what", ["a refresh", "a new grant"])
async def test_what_is_under_way_is_waited_for_and_then_ended_with_the_rest(
    engine: AsyncEngine, ends: Ends, monkeypatch: pytest.MonkeyPatch, way: str, what: str
) -> None:
    person = await a_person(engine, role=Role.OWNER)
    if way == "deletion":
        await execute(engine, "UPDATE auth.tenants SET personal = true")
    tokens = RefreshTokens(engine)
    secret, _ = await tokens.begin(person.user_id, person.tenant_id, SCOPES)
    async with stopped_before_the_new_row(monkeypatch) as (reached, go_on):
        under_way: asyncio.Task[object] = asyncio.create_task(
            tokens.exchange(secret) if what == "a refresh" else tokens.begin(person.user_id, person.tenant_id, SCOPES)
        )
        await reached.wait()
        ending = asyncio.create_task(WAYS[way](ends, person))  # type: ignore[arg-type]  # a coroutine
        await eventually(lambda: waiting(engine), lambda count: count == 1)
        assert not ending.done()
        go_on.set()
        await asyncio.gather(under_way, ending)

    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT count(*) FROM auth.refresh_tokens"))).scalar_one()
    assert rows == 2  # it was written
    assert await living(engine, person) == []


@ways
async def test_what_comes_while_it_is_ended_waits_and_is_refused(
    engine: AsyncEngine, ends: Ends, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    person = await a_person(engine, role=Role.OWNER)
    if way == "deletion":
        await execute(engine, "UPDATE auth.tenants SET personal = true")
    tokens = RefreshTokens(engine)
    secret, _ = await tokens.begin(person.user_id, person.tenant_id, SCOPES)
    reached, go_on = asyncio.Event(), asyncio.Event()
    module = "orchestrator.auth.directory" if way == "suspension" else "orchestrator.adapters.departure"
    end_families = refresh_families_end(module)

    async def held(connection: AsyncConnection, **whose: UUID | None) -> list[UUID]:
        ended = await end_families(connection, **whose)
        reached.set()
        await go_on.wait()
        return ended

    monkeypatch.setattr(f"{module}.end_families", held)
    ending = asyncio.create_task(WAYS[way](ends, person))  # type: ignore[arg-type]  # a coroutine
    await reached.wait()
    late = asyncio.create_task(tokens.exchange(secret))
    new = asyncio.create_task(tokens.begin(person.user_id, person.tenant_id, SCOPES))
    await eventually(lambda: waiting(engine), lambda count: count == 2)
    go_on.set()
    await ending

    assert (await late).verdict is Verdict.UNKNOWN
    with pytest.raises(Permanent, match="not_signed_in"):
        await new
    assert await living(engine, person) == []


def refresh_families_end(module: str) -> Callable[..., Awaitable[list[UUID]]]:
    """`end_families` as that module calls it."""
    from importlib import import_module

    found: Callable[..., Awaitable[list[UUID]]] = import_module(module).end_families
    return found


async def test_a_key_that_is_made_while_its_person_is_removed_is_made_for_nobody(engine: AsyncEngine) -> None:
    person = await a_person(engine, role=Role.OWNER)
    keys, end = ApiKeys(engine), datetime.now(UTC) + timedelta(days=1)
    await keys.create(_who(person), "before", SCOPES, end)
    async with engine.begin() as removing:
        await removing.execute(text("DELETE FROM auth.members WHERE user_id = :id"), {"id": person.user_id})
        late = asyncio.create_task(keys.create(_who(person), "late", SCOPES, end))
        await eventually(lambda: waiting(engine), lambda count: count == 1)

    with pytest.raises(Permanent, match="not_signed_in"):
        await late
    assert [key.name for key in await keys.of(_who(person))] == ["before"]


@ways
async def test_of_many_refreshes_beside_it_none_leaves_a_living_token(
    engine: AsyncEngine, ends: Ends, way: str
) -> None:
    tokens = RefreshTokens(engine)
    for number in range(_ROUNDS):
        person = await a_person(engine, role=Role.OWNER)
        own = Person(person.user_id, uuid4())
        if way == "deletion":
            await execute(engine, "UPDATE auth.tenants SET personal = true WHERE tenant_id = :id", id=person.tenant_id)
        await execute(
            engine, "INSERT INTO auth.tenants (tenant_id, name, personal) VALUES (:id, 'x', true)", id=own.tenant_id
        )
        await join(engine, own, Role.OWNER)
        begun = [await tokens.begin(person.user_id, person.tenant_id, SCOPES) for _ in range(3)]

        async def renew(secret: str) -> None:
            """Refresh, one after the other, until it is refused."""
            while (found := await tokens.exchange(secret)).verdict is Verdict.GOOD:
                secret = found.secret

        async def end(person: Person = person, after: float = number * 0.002) -> None:
            await asyncio.sleep(after)
            await WAYS[way](ends, person)

        await asyncio.gather(*(renew(secret) for secret, _ in begun), end())
        assert await living(engine, person) == []
