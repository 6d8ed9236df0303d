"""Whoever is suspended, removed or revoked is let in no more within five seconds, by open streams neither."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from orchestrator.auth.identity import Role
from tests.support.accounts import Person, SignIn, a_person, a_sign_in, bearer, cookie, execute
from tests.support.orchestrator import eventually, within_five_seconds

KEY = {"name": "a program", "scopes": ["read:repositories", "read:events"], "expires_in_days": 1}


@pytest.fixture
async def site(database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SignIn]:
    async with a_sign_in(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as running:
        yield running


async def an_analysis(site: SignIn, by: str) -> str:
    reply = await site.client.post(
        "/api/v1/analyses", json={"url": f"https://github.com/acme/{uuid4().hex}"}, headers=bearer(by)
    )
    assert reply.status_code == 202, reply.text
    return str(reply.json()["analysis_id"])


async def an_api_key(site: SignIn, token: str) -> tuple[str, str]:
    made = (await site.client.post("/api/v1/me/keys", json=KEY, headers=bearer(token))).json()
    return made["key_id"], made["secret"]


class Watching:
    """A stream that somebody has open."""

    def __init__(self, reply: httpx.Response) -> None:
        self.ended = asyncio.create_task(self._read(reply))

    async def _read(self, reply: httpx.Response) -> None:
        async for _ in reply.aiter_lines():
            pass


@asynccontextmanager
async def watching(site: SignIn, analysis: str, headers: dict[str, str]) -> AsyncIterator[Watching]:
    path = f"/api/v1/analyses/{analysis}/events"
    async with site.client.stream("GET", path, headers={"accept": "text/event-stream", **headers}) as reply:
        assert reply.status_code == 200
        found = Watching(reply)
        yield found
        found.ended.cancel()
        await asyncio.gather(found.ended, return_exceptions=True)


async def status(site: SignIn, headers: dict[str, str]) -> int:
    return (await site.client.get("/api/v1/me", headers=headers)).status_code


async def refused_within_five_seconds(site: SignIn, *credentials: dict[str, str]) -> None:
    for headers in credentials:
        await within_five_seconds(lambda headers=headers: status(site, headers), lambda found: found == 401)  # type: ignore[misc]  # bound now


async def test_an_administrator_suspends_somebody_everywhere_at_once_and_lets_them_in_again(site: SignIn) -> None:
    admin, somebody = await a_person(site.engine, admin=True), await a_person(site.engine, role=Role.OWNER)
    chief, session = bearer(await site.token(admin)), await site.begin(somebody)
    token = str((await site.trade(session)).json()["access_token"])
    _, key = await an_api_key(site, token)
    granted = await site.client.post("/api/v1/me/grants", json={"scopes": ["read:events"]}, headers=bearer(token))
    grant = granted.json()
    analysis = await an_analysis(site, token)
    path = f"/api/v1/people/{somebody.user_id}/suspension"
    credentials = (cookie(session), bearer(token), bearer(key), bearer(grant["access_token"]))
    other = await a_person(site.engine)
    other_token = await site.token(other)
    others = await an_analysis(site, other_token)

    async with (
        asyncio.TaskGroup() as group,
        _all(site, analysis, credentials) as streams,
        watching(site, others, bearer(other_token)) as untouched,
    ):
        assert site.app.state.services.holders.credentials == 5
        reply = await site.client.post(path, headers=chief)
        assert (reply.status_code, reply.json()["suspended_at"] is not None) == (200, True)
        group.create_task(refused_within_five_seconds(site, *credentials))
        await within_five_seconds(_ended(site, streams), bool)
        assert not untouched.ended.done()
    await eventually(_open(site), lambda count: count == 0)
    assert (await site.trade(session)).status_code == 401
    refreshed = await site.client.post("/auth/refresh", json={"refresh_token": grant["refresh_token"]})
    assert refreshed.status_code == 401

    listed = (await site.client.get("/api/v1/people", params={"suspended": True}, headers=chief)).json()
    assert [person["user_id"] for person in listed["items"]] == [str(somebody.user_id)]
    assert (await site.client.delete(path, headers=chief)).json()["suspended_at"] is None
    assert await status(site, cookie(session)) == 401  # they sign in anew
    await eventually(lambda: status(site, bearer(key)), lambda found: found == 200)
    assert await status(site, bearer(await site.token(somebody))) == 200

    found = (await site.client.get("/api/v1/audit", params={"action": "people."}, headers=chief)).json()["items"]
    recorded = [(each["action"], each["target"], each["user_id"]) for each in reversed(found)]
    assert [each for each in recorded if each[0] != "people.people"] == [
        ("people.suspend", f"people/{somebody.user_id}", str(admin.user_id)),
        ("people.restore", f"people/{somebody.user_id}", str(admin.user_id)),
    ]
    rotated = await site.client.post("/api/v1/signing-keys/rotation", headers=chief)
    assert rotated.status_code in {200, 201, 202}
    [rotation] = (await site.client.get("/api/v1/audit", params={"action": "tokens.rotate"}, headers=chief)).json()[
        "items"
    ]
    assert (rotation["user_id"], rotation["outcome"]) == (str(admin.user_id), "allowed")


@asynccontextmanager
async def _all(site: SignIn, analysis: str, credentials: tuple[dict[str, str], ...]) -> AsyncIterator[list[Watching]]:
    """One stream for each credential, opened one within the other."""
    if not credentials:
        yield []
        return
    async with watching(site, analysis, credentials[0]) as first, _all(site, analysis, credentials[1:]) as rest:
        yield [first, *rest]


def _ended(site: SignIn, streams: list[Watching]) -> Callable[[], Awaitable[bool]]:
    """Whether all of them have; asks something else besides, which shows how slow the machine is."""

    async def all_ended() -> bool:
        await site.client.get("/healthz")
        return all(stream.ended.done() for stream in streams)

    return all_ended


def _open(site: SignIn) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return int(site.app.state.services.holders.credentials)

    return count


async def test_only_administrators_suspend_and_nobody_themselves_nor_whoever_there_is_not(site: SignIn) -> None:
    admin, somebody = await a_person(site.engine, admin=True), await a_person(site.engine, role=Role.OWNER)
    chief, other = bearer(await site.token(admin)), bearer(await site.token(somebody))

    async def code(method: str, user_id: UUID, headers: dict[str, str]) -> tuple[int, str]:
        reply = await site.client.request(method, f"/api/v1/people/{user_id}/suspension", headers=headers)
        return reply.status_code, reply.json()["code"]

    for method in ("POST", "DELETE"):
        assert await code(method, admin.user_id, other) == (403, "forbidden")
        assert await code(method, uuid4(), chief) == (404, "not_found")
        assert await code(method, UUID("00000000-0000-7000-8000-000000000001"), chief) == (404, "not_found")
    assert await code("POST", admin.user_id, chief) == (403, "forbidden")
    assert (await site.client.get("/api/v1/people", headers=other)).status_code == 403
    first = (await site.client.get("/api/v1/people", params={"limit": 1, "search": "OCTO"}, headers=chief)).json()
    rest = (await site.client.get("/api/v1/people", params={"cursor": first["next"]}, headers=chief)).json()
    assert {person["user_id"] for person in (*first["items"], *rest["items"])} == {
        str(admin.user_id),
        str(somebody.user_id),
    }


Ending = Callable[[SignIn, Person, dict[str, Any]], Awaitable[object]]


async def _revoke_key(site: SignIn, person: Person, held: dict[str, Any]) -> None:
    token = bearer(await site.token(person))
    assert (await site.client.delete(f"/api/v1/me/keys/{held['key_id']}", headers=token)).status_code == 204


async def _remove_from_tenant(site: SignIn, person: Person, _held: dict[str, Any]) -> None:
    await execute(site.engine, "DELETE FROM auth.members WHERE user_id = :id", id=person.user_id)


async def _end_session(site: SignIn, _person: Person, held: dict[str, Any]) -> None:
    session = await site.sessions.find(held["session"])
    assert session is not None
    await site.sessions.revoke(session.session_id)


@pytest.mark.parametrize(
    ("credential", "end"),
    [("key", _revoke_key), ("key", _remove_from_tenant), ("session", _end_session), ("token", _end_session)],
    ids=["a key revoked", "removed from the tenant", "a session ended", "a session ended, by its token"],
)
async def test_a_stream_ends_with_what_it_was_opened_by(credential: str, end: Ending, site: SignIn) -> None:
    person = await a_person(site.engine, role=Role.MEMBER)
    session = await site.begin(person)
    token = str((await site.trade(session)).json()["access_token"])
    key_id, key = await an_api_key(site, token)
    held = {"session": session, "key_id": key_id}
    shown = {"key": bearer(key), "session": cookie(session), "token": bearer(token)}

    async with watching(site, await an_analysis(site, token), shown[credential]) as stream:
        await end(site, person, held)
        await within_five_seconds(_ended(site, [stream]), bool)
    await eventually(_open(site), lambda count: count == 0)
