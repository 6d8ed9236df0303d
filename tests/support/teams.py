"""People who sign in with the stand-in GitHub, and what they do in teams over the real API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.service_keys import signer
from tests.support.signing_in import COOKIE, Installation, Visitor

Json = dict[str, Any]


@dataclass
class Somebody:
    """Somebody who signed in, asking by their session's cookie."""

    here: Installation
    visitor: Visitor
    login: str

    async def ask(self, method: str, path: str, body: Json | None = None, *, bearer: str = "") -> httpx.Response:
        proof = (
            {"Authorization": f"Bearer {bearer}"} if bearer else {"Cookie": f"{COOKIE}={self.visitor.cookies[COOKIE]}"}
        )
        return await self.here.client.request(method, f"/api/v1{path}", json=body, headers=proof)

    async def done(self, method: str, path: str, body: Json | None = None) -> Any:
        """The JSON of what must succeed."""
        reply = await self.ask(method, path, body)
        assert reply.is_success, reply.text
        return reply.json() if reply.content else None

    async def refused(self, method: str, path: str, body: Json | None = None) -> tuple[int, str]:
        """Status and code of what must not."""
        reply = await self.ask(method, path, body)
        assert not reply.is_success, reply.text
        return reply.status_code, reply.json()["code"]

    async def me(self) -> Json:
        found: Json = await self.done("GET", "/me")
        return found

    async def token(self) -> str:
        """What the page server holds for this session."""
        secret = {"session": self.visitor.cookies[COOKIE]}
        reply = await self.here.client.post(
            "/auth/token", json=secret, headers=signer("web_ui").headers("orchestrator")
        )
        return str(reply.json()["access_token"])

    async def team(self, name: str = "Crew") -> str:
        """Make a team and work in it; its id."""
        made = await self.done("POST", "/tenants", {"name": name})
        await self.done("POST", f"/tenants/{made['tenant_id']}/switch")
        return str(made["tenant_id"])

    async def invite(self, team: str, role: str = "member", **more: object) -> Json:
        found: Json = await self.done("POST", f"/tenants/{team}/invitations", {"role": role, **more})
        return found


async def signs_in(here: Installation, number: int, login: str) -> Somebody:
    """Somebody new, or whoever has this number already."""
    here.github.user = {"id": number, "login": login, "name": None, "email": None}
    visitor = here.visitor()
    await visitor.sign_in()
    assert visitor.signed_in
    return Somebody(here, visitor, login)


async def joins(owner: Somebody, team: str, somebody: Somebody, role: str = "member") -> str:
    """Let somebody into the team, and work there; their user id."""
    invitation = await owner.invite(team, role)
    await somebody.done("POST", "/invitations/accept", {"secret": invitation["secret"]})
    await somebody.done("POST", f"/tenants/{team}/switch")
    return str((await somebody.me())["user_id"])


def answered(status: int) -> Callable[[httpx.Response], bool]:
    """Whether an answer has this status."""
    return lambda reply: reply.status_code == status
