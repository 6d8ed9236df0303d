"""Whoever signs in, is renamed, suspended, removed, and revokes things: what each proof should still let in."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest

from tests.support.github import CLIENT_SECRET, GitHubStandIn
from tests.support.service_keys import signer
from tests.support.signing_in import COOKIE, Installation, Visitor, an_installation

T = TypeVar("T")
OWN, TEAM = "own", "team"


@dataclass(eq=False)
class Somebody:
    """A person at GitHub; `role` is theirs in the team, None outside of it."""

    number: int
    login: str
    user_id: str = ""
    suspended: bool = False
    role: str | None = None


@dataclass(eq=False)
class Session:
    """A browser that signed in. `moves` grows with each change of its tenant: tokens of before are refused."""

    person: Somebody
    visitor: Visitor
    tenant: str = OWN
    moves: int = 0
    living: bool = True

    @property
    def cookie(self) -> dict[str, str]:
        return {"cookie": f"{COOKIE}={self.visitor.cookies[COOKIE]}"}

    @property
    def role(self) -> str | None:
        return "owner" if self.tenant == OWN else self.person.role


@dataclass(eq=False)
class Token:
    text: str
    session: Session
    moves: int

    @property
    def lets_in(self) -> bool:
        return self.session.living and self.moves == self.session.moves


@dataclass(eq=False)
class Key:
    key_id: str
    secret: str
    person: Somebody
    tenant: str
    living: bool = True

    @property
    def lets_in(self) -> bool:
        return self.living and not self.person.suspended


@dataclass(eq=False)
class Family:
    """A grant: its access tokens, and its refresh tokens, of which the last one is good."""

    person: Somebody
    tenant: str
    access: list[str]
    refresh: list[str]
    living: bool = True


@dataclass
class Model:
    """All there is in one example."""

    people: list[Somebody]
    sessions: list[Session] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)

    def suspend(self, person: Somebody) -> None:
        person.suspended = True
        for each in (*self.sessions, *self.families):
            each.living = each.living and each.person is not person

    def remove(self, person: Somebody) -> None:
        """Out of the team: what hangs on it ends, sessions go on in the person's own tenant."""
        person.role = None
        for hanging in (*self.keys, *self.families):
            if hanging.person is person and hanging.tenant == TEAM:
                hanging.living = False
        for session in self.sessions:
            if session.person is person and session.tenant == TEAM:
                session.tenant, session.moves = OWN, session.moves + 1


class Site:
    """The real orchestrator over one loop that is driven from rules; every answer is searched for secrets."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, where: dict[str, Any], *, remembered: float | None
    ) -> None:
        """`remembered`: seconds that it remembers what somebody may do; None for those of the product."""
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.github = github
        self.secrets = {CLIENT_SECRET}
        settings = {"REPOSTREAM_ADMINISTRATORS": "github:1"}
        settings |= {f"REPOSTREAM_LIMITS_{name}": "" for name in ("GRANTS", "SWITCHES", "REFRESHES", "SIGN_OUTS")}
        made = an_installation(monkeypatch, github, **where, **settings)
        self.here: Installation = self.run(self._stack.enter_async_context(made))
        if remembered is not None:
            accounts = self.here.app.state.services.accounts
            for part in (accounts.standings, accounts.keys):
                part._remembered._seconds = remembered
        chief = self.sign_in(Somebody(1, "chief"))
        assert chief is not None
        self.chief = chief
        self.team = ""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        self.run(self._stack.aclose())
        self._runner.close()

    async def ask(self, method: str, path: str, proof: dict[str, str], json: object = None) -> httpx.Response:
        return self.seen(await self.here.client.request(method, path, json=json, headers=proof))

    def call(self, method: str, path: str, proof: dict[str, str], json: object = None) -> httpx.Response:
        return self.run(self.ask(method, path, proof, json))

    def seen(self, reply: httpx.Response) -> httpx.Response:
        """The reply, which repeats no secret that was told before."""
        told = reply.text + repr(reply.headers)
        assert not [secret for secret in self.secrets if secret in told], (reply.request.url, told)
        return reply

    def keep(self, *secrets: str) -> None:
        self.secrets |= set(secrets)

    def is_at_github(self, person: Somebody) -> None:
        self.github.user = {"id": person.number, "login": person.login, "name": None, "email": None}

    def leave(self, visitor: Visitor) -> str:
        away = self.run(visitor.leave())
        self.keep(httpx.URL(away).params["state"])
        return away

    def back(self, visitor: Visitor, away: str) -> str:
        path = self.run(visitor.back(away))
        self.keep(httpx.URL(path).params["code"])
        return path

    def arrive(self, visitor: Visitor, path: str) -> httpx.Response:
        """The answer to a callback. Cookies are where a session is told, and nowhere else."""
        before = visitor.cookies.get(COOKIE)
        reply = self.run(visitor.ask("GET", path))
        after = visitor.cookies.get(COOKIE, "")
        self.seen(reply)
        if after != before and after:
            self.keep(after)
        return reply

    def sign_in(self, person: Somebody) -> Session | None:
        """All of it; None where nobody was let in."""
        self.is_at_github(person)
        visitor = self.here.visitor()
        self.arrive(visitor, self.back(visitor, self.leave(visitor)))
        self.keep(*self.github.tokens)
        return Session(person, visitor) if visitor.signed_in else None

    def trade(self, session: Session) -> httpx.Response:
        secret = {"session": session.visitor.cookies[COOKIE]}
        return self.call("POST", "/auth/token", signer("web_ui").headers("orchestrator"), secret)

    def sessions(self) -> int:
        """How many there are in the database."""
        [row] = self.run(self.here.rows("SELECT count(*) AS number FROM auth.sessions WHERE revoked_at IS NULL"))
        return int(row["number"])

    def begin_team(self) -> None:
        """A team of the chief's, for one example."""
        made = self.call("POST", "/api/v1/tenants", self.chief.cookie, {"name": "Crew"}).json()
        self.team = made["tenant_id"]
        assert self.call("POST", f"/api/v1/tenants/{self.team}/switch", self.chief.cookie).is_success

    def me(self, proof: dict[str, str]) -> Coroutine[Any, Any, httpx.Response]:
        return self.ask("GET", "/api/v1/me", proof)
