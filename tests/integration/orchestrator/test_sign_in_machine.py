"""Signing in, attacks on the callback, and everything that gives or takes a right, in any order, over HTTP.

After each step exactly those are let in who should be, they may do what their role says, and no answer has a secret.
"""

import os
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orchestrator.auth import providers
from tests.support.accounts import bearer
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import within_five_seconds
from tests.support.sign_in_machine import OWN, TEAM, Family, Key, Model, Session, Site, Somebody, Token
from tests.support.signing_in import STATE, told

SPEND = os.environ.get("REPOSTREAM_TEST_SIGN_IN_EXAMPLES")  # so many examples, each as long again: docs/operating.md
READ = {"scopes": ["read:repositories"]}
OLDER = "UPDATE auth.refresh_tokens SET used_at = used_at - interval '31 seconds'"  # than a client's second try may be
ATTACKS = ("replayed", "replayed with its cookie", "elsewhere", "other state", "injected")
pick = st.integers(0, 10**6)
T = TypeVar("T")


def one(of: list[Any], number: int) -> Any:
    """One of them, the newer ones more often than not."""
    return of[-1 - number % len(of)]


class SignInMachine(RuleBasedStateMachine):
    site: ClassVar[Site]
    done: ClassVar[dict[str, int]] = {}
    number: ClassVar[int] = 10

    @initialize()
    def three_people_and_a_team(self) -> None:
        people = [Somebody(self._next(), f"person-{self.number}") for _ in range(3)]
        self.model, self.steps = Model(people), 0
        self.site.begin_team()
        for person in people:
            self._signs_in(person)
        self.join(0, "member")
        self.switch(0, TEAM)
        for which in range(len(people)):
            self.trade(which)
            self.make_key(which)
            self.begin_grant(which)
        for kind in ATTACKS:
            if kind not in self.done:
                self.attack(kind)

    def _next(self) -> int:
        type(self).number += 1
        return self.number

    def _count(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1

    def _signs_in(self, person: Somebody) -> None:
        session = self.site.sign_in(person)
        assert (session is None) == person.suspended
        if session is None:
            self._count("suspended")
            return
        me = self.site.run(  # a name is remembered for as long as a right
            within_five_seconds(
                lambda: self.site.me(session.cookie),
                lambda reply: reply.json().get("name") == person.login,  # as GitHub has it now
            )
        ).json()
        assert person.user_id in {"", me["user_id"]}, "renamed, somebody is who they were"
        person.user_id = me["user_id"]
        self.model.sessions.append(session)

    def _living(self) -> list[Session]:
        return [session for session in self.model.sessions if session.living]

    @rule(who=pick)
    def sign_in(self, who: int) -> None:
        self._signs_in(one(self.model.people, who))

    @rule(who=pick)
    def rename(self, who: int) -> None:
        self._count("renamed")
        one(self.model.people, who).login = f"renamed-{self._next()}"

    @rule(number=pick)
    def a_right_renewed_or_ended(self, number: int) -> None:
        """What everything else is about, in turn: Hypothesis's first example is this rule alone, by its name."""
        kind = (number + self.steps) % 3
        if kind == 0 and self.model.families:
            self.refresh(number)
        elif kind == 1 and len(self._living()) > 1:
            self.sign_out(number)
        else:
            self.suspend_or_restore(number)

    @rule(kind=st.sampled_from(ATTACKS))
    def attack(self, kind: str) -> None:
        """A callback that is not theirs, not for this browser, or not for the first time."""
        site, before = self.site, self.site.sessions()
        site.is_at_github(Somebody(self._next(), "attacker"))
        attacker, victim = site.here.visitor(), site.here.visitor()
        path = site.back(attacker, site.leave(attacker))
        code, why = httpx.URL(path).params["code"], providers.EXPIRED
        if kind.startswith("replayed"):
            kept = attacker.cookies[STATE]
            own = site.arrive(attacker, path)
            assert attacker.signed_in, (told(own), own.text)
            before += 1
            if kind != "replayed":
                victim.cookies[STATE], why = kept, providers.REFUSED
        elif kind == "elsewhere":
            site.leave(victim)
        elif kind == "other state":
            victim.cookies[STATE] = attacker.cookies[STATE]
            path = f"/auth/callback?code={code}&state={'A' * 43}"
        else:
            state, why = httpx.URL(site.leave(victim)).params["state"], providers.REFUSED
            path = f"/auth/callback?code={code}&state={state}"
        reply = site.arrive(victim, path)

        assert told(reply) == why, kind
        assert not victim.signed_in
        assert site.sessions() == before
        self._count(kind)

    @precondition(lambda self: self.model.sessions)
    @rule(which=pick)
    def trade(self, which: int) -> None:
        session = one(self.model.sessions, which)
        reply = self.site.trade(session)
        assert reply.status_code == (200 if session.living else 401), reply.text
        if session.living:
            token = reply.json()["access_token"]
            self.site.keep(token)
            self.model.tokens.append(Token(token, session, session.moves))

    @precondition(lambda self: self._living())
    @rule(which=pick)
    def make_key(self, which: int) -> None:
        session = one(self._living(), which)
        reply = self.site.call("POST", "/api/v1/me/keys", session.cookie, {"name": "k", **READ})
        assert reply.status_code == 201, reply.text
        made = reply.json()
        self.site.keep(made["secret"])
        self.model.keys.append(Key(made["key_id"], made["secret"], session.person, session.tenant))

    @precondition(lambda self: self.model.keys and self._living())
    @rule(which=pick, who=pick)
    def revoke_key(self, which: int, who: int) -> None:
        """By its owner where they work, as often as they like; by nobody else."""
        key = one(self.model.keys, which)
        session = one([each for each in self._living() if each.person is key.person] or self._living(), who)
        is_theirs = key.person is session.person and key.tenant == session.tenant
        reply = self.site.call("DELETE", f"/api/v1/me/keys/{key.key_id}", session.cookie)
        assert reply.status_code == (204 if is_theirs else 404), reply.text
        if is_theirs:
            key.living = False
            self._count("key revoked")

    @precondition(lambda self: self._living())
    @rule(which=pick)
    def begin_grant(self, which: int) -> None:
        session = one(self._living(), which)
        reply = self.site.call("POST", "/api/v1/me/grants", session.cookie, READ)
        assert reply.status_code == 201, reply.text
        family = Family(session.person, session.tenant, [], [])
        self._take(family, reply)
        self.model.families.append(family)

    def _take(self, family: Family, reply: httpx.Response) -> None:
        pair = reply.json()
        family.access.append(pair["access_token"])
        family.refresh.append(pair["refresh_token"])
        self.site.keep(pair["access_token"], pair["refresh_token"])

    def _refresh(self, secret: str) -> httpx.Response:
        return self.site.call("POST", "/auth/refresh", {}, {"refresh_token": secret})

    @precondition(lambda self: self.model.families)
    @rule(which=pick)
    def refresh(self, which: int) -> None:
        family = one(self.model.families, which)
        reply = self._refresh(family.refresh[-1])
        assert reply.status_code == (200 if family.living else 401), reply.text
        if family.living:
            self._take(family, reply)
            self._count("refreshed")

    @precondition(lambda self: [family for family in self.model.families if len(family.refresh) > 1])
    @rule(which=pick)
    def reuse(self, which: int) -> None:
        family = one([each for each in self.model.families if len(each.refresh) > 1], which)
        self.site.run(self.site.here.rows(OLDER))
        reply = self._refresh(family.refresh[-2])
        code = "refresh_token_reused" if family.living else "not_signed_in"
        assert (reply.status_code, reply.json()["code"]) == (401, code)
        self._count(code)
        family.living = False

    @precondition(lambda self: self.model.families)
    @rule(which=pick)
    def end_grant(self, which: int) -> None:
        family = one(self.model.families, which)
        reply = self.site.call("POST", "/auth/revoke", {}, {"refresh_token": family.refresh[0]})
        assert reply.status_code == 204
        family.living = False

    @precondition(lambda self: self._living())
    @rule(which=pick)
    def sign_out(self, which: int) -> None:
        session = one(self._living(), which)
        headers = {**session.cookie, "origin": self.site.here.url}
        assert self.site.call("POST", "/auth/logout", headers).status_code == 303
        session.living = False
        self._count("signed out")

    @rule(who=pick)
    def suspend_or_restore(self, who: int) -> None:
        person = one(self.model.people, who)
        path = f"/api/v1/people/{person.user_id}/suspension"
        reply = self.site.call("DELETE" if person.suspended else "POST", path, self.site.chief.cookie)
        assert reply.status_code == 200, reply.text
        if person.suspended:
            person.suspended = False
            self._count("restored")
        else:
            self.model.suspend(person)
            self._count("suspended now")

    @precondition(lambda self: self._living())
    @rule(which=pick, role=st.sampled_from(["member", "viewer"]))
    def join(self, which: int, role: str) -> None:
        session = one(self._living(), which)
        site, path = self.site, f"/api/v1/tenants/{self.site.team}/invitations"
        secret = {"secret": site.call("POST", path, site.chief.cookie, {"role": role}).json()["secret"]}
        site.keep(secret["secret"])
        reply = site.call("POST", "/api/v1/invitations/accept", session.cookie, secret)
        assert reply.status_code == (200 if session.person.role is None else 409), reply.text
        if session.person.role is None:
            session.person.role = role

    @precondition(lambda self: [person for person in self.model.people if person.role])
    @rule(which=pick, role=st.sampled_from(["member", "viewer", "owner", None]))
    def change_role(self, which: int, role: str | None) -> None:
        person = one([each for each in self.model.people if each.role], which)
        path = f"/api/v1/tenants/{self.site.team}/members/{person.user_id}"
        body = {"role": role} if role else None
        reply = self.site.call("PATCH" if role else "DELETE", path, self.site.chief.cookie, body)
        assert reply.is_success, reply.text
        if role is None:
            self.model.remove(person)
            self._count("removed")
        else:
            person.role = role

    @precondition(lambda self: self._living())
    @rule(which=pick, tenant=st.sampled_from([OWN, TEAM, TEAM]))
    def switch(self, which: int, tenant: str) -> None:
        session = one(self._living(), which)
        mine = self.site.call("GET", "/api/v1/tenants", session.cookie).json()["items"]
        own = next(each["tenant_id"] for each in mine if each["personal"])
        wanted = own if tenant == OWN else self.site.team
        reply = self.site.call("POST", f"/api/v1/tenants/{wanted}/switch", session.cookie)
        may = tenant == OWN or session.person.role is not None
        assert reply.is_success == may, reply.text
        if may and tenant != session.tenant:  # where they are already, nothing ends
            session.tenant, session.moves = tenant, session.moves + 1
            self._count("switched")

    @invariant()
    def exactly_those_are_let_in_who_should_be(self) -> None:
        """The newest of each kind, and one of the older ones in turn; all of them at the end."""
        self.steps += 1
        model = self.model
        self._are_let_in(
            *(_some(each, self.steps) for each in (model.sessions, model.tokens, model.keys, model.families))
        )
        if living := self._living():
            session = living[self.steps % len(living)]
            reply = self.site.call("POST", "/api/v1/analyses", session.cookie, {"url": "nonsense"})
            assert reply.json()["code"] == ("forbidden" if session.role == "viewer" else "bad_url")

    def _are_let_in(
        self, sessions: list[Session], tokens: list[Token], keys: list[Key], families: list[Family]
    ) -> None:
        for session in sessions:
            self._is(session.cookie, session.living, session.role)
        for token in tokens:
            self._is(bearer(token.text), token.lets_in, token.session.role)
        for key in keys:
            self._is(bearer(key.secret), key.lets_in)
        for family in families:
            self._is(bearer(family.access[-1]), family.living)

    def _is(self, proof: dict[str, str], let_in: bool, role: str | None = None) -> None:  # the model's word
        """What is shown lets in with its role, or does not, within five seconds."""

        def as_expected(reply: httpx.Response) -> bool:
            if not let_in:
                return reply.status_code == 401
            return reply.status_code == 200 and role in {None, reply.json()["role"]}

        self.site.run(within_five_seconds(lambda: self.site.me(proof), as_expected))
        self._count("let in" if let_in else "refused")

    def teardown(self) -> None:
        model = self.model
        self._are_let_in(model.sessions, model.tokens, model.keys, model.families)


def _some(of: list[T], number: int) -> list[T]:
    return [*of[-2:], *of[:-2][number % max(1, len(of) - 2) :][:1]]


@pytest.mark.timeout(7_200 if SPEND else 900)
def test_in_any_order_each_may_do_what_is_theirs_and_no_answer_has_a_secret(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> None:
    where = {"database_url": database_url, "redis_url": redis_url, "home": home}
    SignInMachine.done = {}
    SignInMachine.site = Site(monkeypatch, github, where, remembered=None if SPEND else 0.0)
    try:
        run_state_machine_as_test(
            SignInMachine,
            settings=settings(
                max_examples=int(SPEND) if SPEND else 3,
                stateful_step_count=60 if SPEND else 16,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
                derandomize=not SPEND,
                phases=[Phase.generate],  # what failed is said in the order of its steps; to shrink it takes an hour
            ),
        )
    finally:
        SignInMachine.site.close()

    print(SignInMachine.done)  # noqa: T201  # what the long run came to
    happened = {what for what, times in SignInMachine.done.items() if times > 0}
    assert {*ATTACKS, "let in", "refused", "refreshed", "suspended now", "signed out"} <= happened
    assert len(happened) >= len(ATTACKS) + 6, happened
