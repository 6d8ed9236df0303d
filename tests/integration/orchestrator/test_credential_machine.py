"""Sign-ins, refreshes, reuses, revocations and key changes in any order, against a model of who is still let in."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import jwt
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from orchestrator.auth.identity import READ, Role
from orchestrator.auth.issuing import Issued, SessionTokens
from orchestrator.auth.refresh import Exchange, RefreshTokens, Verdict
from orchestrator.auth.revocations import Revocations
from orchestrator.auth.sessions import Sessions
from orchestrator.auth.signing_keys import KeyTimes, SigningKeys
from orchestrator.auth.standing import Standings
from orchestrator.auth.tokens import Use
from runtime.faults import Permanent
from runtime.sealing import Sealer, fresh_key
from tests.support.accounts import Person, a_person, execute
from tests.support.orchestrator import async_url

T = TypeVar("T")


@dataclass(eq=False)
class Source:
    """What tokens come from: a session, or a family of refresh tokens."""

    person: Person
    living: bool = True
    member: list[bool] = field(default_factory=lambda: [True])  # shared by all that is one person's


@dataclass(eq=False)
class Shown:
    """A session token, and what it came from."""

    text: str
    source: Source


@dataclass(eq=False)
class RefreshToken:
    secret: str
    source: Source


class Servers:
    """The real parts, over one loop that is driven from rules."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.engine: AsyncEngine = create_async_engine(async_url(database_url))
        self.redis = Redis.from_url(redis_url)
        times = KeyTimes(cache=0, life=3_600)  # a new key signs at once; its copies are of no concern here
        self.keys = SigningKeys(self.engine, Sealer(fresh_key()), Use.SESSION, times)
        self.revocations = Revocations(self.engine, self.redis)
        standings = Standings(self.engine, remembered=0)
        self.tokens = SessionTokens(self.keys, standings, self.revocations)
        self.sessions = Sessions(self.engine)
        self.refresh = RefreshTokens(self.engine, again=0)
        self.run(self.keys.tend())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        self.run(self.redis.aclose())
        self.run(self.engine.dispose())
        self.loop.close()

    async def lets_in(self, text: str) -> bool:
        token = await self.tokens.read(text)
        if await self.revocations.any_revoked(token.subject.sid, token.jti):
            return False
        return await self.tokens.identify(token) is not None


class CredentialMachine(RuleBasedStateMachine):
    servers: ClassVar[Servers]
    done: ClassVar[dict[str, int]] = {}

    sessions, shown, fresh, used = Bundle("sessions"), Bundle("shown"), Bundle("fresh"), Bundle("used")

    @initialize(target=sessions)
    def somebody(self) -> tuple[str, Source]:
        return self._signed_in(Source(self.servers.run(a_person(self.servers.engine, role=Role.MEMBER))))

    @initialize(target=fresh)
    def a_program(self) -> RefreshToken:
        """So that every run has one to refresh."""
        source = Source(self.servers.run(a_person(self.servers.engine, role=Role.MEMBER)))
        begun = self.servers.refresh.begin(source.person.user_id, source.person.tenant_id, frozenset({READ}))
        return RefreshToken(self.servers.run(begun)[0], source)

    @rule(target=sessions, other=st.none() | sessions)
    def sign_in(self, other: tuple[str, Source] | None) -> tuple[str, Source]:
        """A new person, or the same one in another browser."""
        if other is None:
            return self.somebody()
        return self._signed_in(Source(other[1].person, member=other[1].member))

    def _signed_in(self, source: Source) -> tuple[str, Source]:
        person = source.person
        return self.servers.run(self.servers.sessions.begin(person.user_id, person.tenant_id, "", "")), source

    @rule(target=shown, session=sessions)
    def trade(self, session: tuple[str, Source]) -> Any:
        secret, source = session
        found = self.servers.run(self.servers.sessions.find(secret))
        assert (found is not None) == source.living
        if found is None:
            return multiple()
        issued = self.servers.run(self.servers.tokens.issue(found.user_id, found.tenant_id, found.session_id))
        return self._token(issued, source)

    @rule(target=fresh, session=sessions)
    def begin_grant(self, session: tuple[str, Source]) -> Any:
        person = session[1].person
        begun = self.servers.refresh.begin(person.user_id, person.tenant_id, frozenset({READ}))
        if not session[1].member[0]:
            with pytest.raises(Permanent, match="not_signed_in"):
                self.servers.run(begun)
            return multiple()
        return RefreshToken(self.servers.run(begun)[0], Source(person, member=session[1].member))

    @rule(targets=(used,), token=consumes(fresh))
    def keep_old(self, token: RefreshToken) -> Any:
        """Use a refresh token up; a token that was taken is the old one, which somebody keeps."""
        result = self._exchange(token.secret)
        assert (result.verdict is Verdict.GOOD) == (token.source.living and token.source.member[0])
        if not token.source.member[0]:
            return multiple()  # it was not used up
        if result.verdict is Verdict.GOOD:
            self._count("refreshed")
            self._follow(result, token.source)
        return token

    @rule(target=shown, token=used)
    def reuse(self, token: RefreshToken) -> Any:
        result = self._exchange(token.secret)
        assert result.verdict is (Verdict.REUSED if token.source.living else Verdict.UNKNOWN)
        if result.verdict is Verdict.REUSED:
            self._count("reused")
            assert result.family_id is not None
            self.servers.run(self.servers.revocations.revoke(result.family_id))
        token.source.living = False
        return multiple()

    @rule(session=sessions)
    def sign_out(self, session: tuple[str, Source]) -> None:
        found = self.servers.run(self.servers.sessions.find(session[0]))
        if found is not None:
            self._count("signed out")
            self.servers.run(self.servers.sessions.revoke(found.session_id))
            self.servers.run(self.servers.revocations.tell(found.session_id))
        session[1].living = False

    @rule(session=sessions)
    def leave(self, session: tuple[str, Source]) -> None:
        """Be no member any more: nothing of the person's lets in, whatever lives."""
        source = session[1]
        statement = "DELETE FROM auth.members WHERE user_id = :user_id"
        self.servers.run(execute(self.servers.engine, statement, user_id=source.person.user_id))
        source.member[0] = False

    @rule()
    def change_the_key(self) -> None:
        self._count("rotated")
        self.servers.run(self.servers.keys.rotate())

    @rule(fill=st.booleans())
    def wipe_redis(self, fill: bool) -> None:
        """Or fill the copy, as the task of the process does every second: from then on Redis alone is asked."""
        self._count("filled" if fill else "wiped")
        self.servers.run(self.servers.revocations.fill() if fill else self.servers.redis.flushall())

    @rule(token=shown)
    def show(self, token: Shown) -> None:
        let_in = self.servers.run(self.servers.lets_in(token.text))
        assert let_in == (token.source.living and token.source.member[0])
        self._count("let in" if let_in else "refused")

    def teardown(self) -> None:
        for token in getattr(self, "_all", []):
            self.show(token)

    def _exchange(self, secret: str) -> Exchange:
        return self.servers.run(self.servers.refresh.exchange(secret))

    def _follow(self, result: Exchange, source: Source) -> None:
        """The pair that a good refresh gives; its token is looked at in the end, and its successor works."""
        assert result.user_id is not None
        assert result.tenant_id is not None
        assert result.family_id is not None
        issued = self.servers.run(
            self.servers.tokens.issue(result.user_id, result.tenant_id, result.family_id, asked=result.scopes)
        )
        self._token(issued, source)

    def _token(self, issued: Issued | None, source: Source) -> Any:
        assert (issued is not None) == source.member[0]
        if issued is None:
            return multiple()
        token = Shown(issued.access_token, source)
        self._all = [*getattr(self, "_all", []), token]
        self._count(jwt.get_unverified_header(issued.access_token)["kid"])
        return token

    def _count(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1


def test_in_any_order_exactly_those_are_let_in_who_should_be(database_url: str, redis_url: str) -> None:
    CredentialMachine.servers = Servers(database_url, redis_url)
    CredentialMachine.done = {}
    try:
        run_state_machine_as_test(
            CredentialMachine,
            settings=settings(
                max_examples=15,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
            ),
        )
    finally:
        CredentialMachine.servers.close()

    happened = {what for what, times in CredentialMachine.done.items() if times > 0}
    assert {"refreshed", "reused", "signed out", "rotated", "let in", "refused", "filled"} <= happened
