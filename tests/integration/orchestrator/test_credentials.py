"""Who is let in by what, over the wire: sessions, session tokens, API keys, refresh tokens, and their ends."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from sqlalchemy import text

from orchestrator.auth.identity import Role
from tests.support.accounts import SignIn, a_person, a_sign_in, bearer, cookie, execute
from tests.support.orchestrator import within_five_seconds
from tests.support.service_keys import signer

ME = "/api/v1/me"


@pytest.fixture
async def system(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[SignIn]:
    async with a_sign_in(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as made:
        yield made


async def test_the_page_server_trades_a_session_for_a_token_that_everybody_can_check(system: SignIn) -> None:
    person = await a_person(system.engine, subject="583231")
    secret = await system.begin(person)

    reply = (await system.trade(secret)).json()
    keys = (await system.client.get("/.well-known/jwks.json")).json()
    header = jwt.get_unverified_header(reply["access_token"])
    key = jwt.PyJWKSet.from_dict(keys)[header["kid"]]
    claims = jwt.decode(reply["access_token"], key, ["RS256"], audience="repostream-api", issuer="repostream-local")
    me = await system.get(ME, reply["access_token"])

    assert (reply["expires_in"], reply["token_type"]) == (600, "Bearer")
    assert header == {"alg": "RS256", "typ": "at+jwt", "kid": keys["keys"][0]["kid"]}
    assert claims.keys() == {"iss", "sub", "aud", "exp", "iat", "nbf", "scope", "github_id", "tid", "jti", "sid"}
    [session] = await system.sessions.of(person.user_id)
    assert claims["sid"] == str(session.session_id)
    assert (claims["sub"], claims["tid"]) == (str(person.user_id), str(person.tenant_id))
    assert (claims["github_id"], claims["exp"] - claims["iat"]) == (583231, 600)
    assert claims["scope"] == "ask:questions read:events read:repositories write:analysis"
    assert me.json() == {
        "user_id": str(person.user_id),
        "tenant_id": str(person.tenant_id),
        "name": "Octo Cat",
        "local": False,
        "role": "member",
        "scopes": ["ask:questions", "read:events", "read:repositories", "write:analysis"],
    }


async def test_a_token_ends_with_its_session(system: SignIn) -> None:
    secret = await system.begin(await a_person(system.engine))
    await execute(system.engine, "UPDATE auth.sessions SET expires_at = now() + interval '100 seconds'")

    assert 90 <= (await system.trade(secret)).json()["expires_in"] <= 100


async def test_only_the_page_server_may_trade_and_only_a_living_session(system: SignIn) -> None:
    person, late = await a_person(system.engine), await a_person(system.engine)
    secret, over = await system.begin(person), await system.begin(late)
    past = "UPDATE auth.sessions SET expires_at = now() - interval '1 second' WHERE user_id = :id"
    await execute(system.engine, past, id=late.user_id)
    stranger = await system.client.post("/auth/token", json={"session": secret})
    other = await system.trade(secret, by="ai_engine")
    elsewhere = await system.client.post(
        "/auth/token", json={"session": secret}, headers=signer("web_ui").headers("rag_manager")
    )
    dead = [await system.trade(text) for text in (over, "x" * 43, "")]
    [session] = await system.sessions.of(person.user_id)
    await system.sessions.revoke(session.session_id)
    revoked = await system.trade(secret)

    assert [(r.status_code, r.json()["code"]) for r in (stranger, other, elsewhere)] == [(401, "unauthorized")] * 3
    assert [(r.status_code, r.json()["code"]) for r in (*dead, revoked)] == [(401, "not_signed_in")] * 4


async def test_without_any_credential_nobody_is_anybody_and_health_and_keys_are_open(system: SignIn) -> None:
    refused = await system.client.get(ME)
    open_ones = [await system.client.get(path) for path in ("/healthz", "/.well-known/jwks.json")]

    assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert [reply.status_code for reply in open_ones] == [200, 200]
    assert open_ones[1].headers["cache-control"] == "public, max-age=600"


async def test_a_browser_is_known_by_its_cookie_and_by_nothing_beside_a_bad_token(system: SignIn) -> None:
    person = await a_person(system.engine)
    secret = await system.begin(person)
    token = await system.token(person)

    by_cookie = await system.client.get(ME, headers=cookie(secret))
    made_up = await system.client.get(ME, headers=cookie("A" * 43))
    endless = await system.client.get(ME, headers=cookie("A" * 5_000))
    bad_beside = await system.client.get(ME, headers=cookie(secret) | bearer(token[:-4] + "AAAA"))
    twice = await system.client.get(ME, headers=[("Authorization", f"Bearer {token}"), ("Authorization", "Bearer x")])
    basic = await system.client.get(ME, headers={"Authorization": "Basic b2N0bzpjYXQ="})

    assert by_cookie.json()["user_id"] == str(person.user_id)
    assert [r.status_code for r in (made_up, endless, bad_beside, twice, basic)] == [401] * 5


async def test_a_role_bounds_what_a_token_may_do(system: SignIn) -> None:
    viewer = await system.token(await a_person(system.engine, role=Role.VIEWER))
    looks = await system.get("/api/v1/analyses", viewer)
    begins = await system.client.post(
        "/api/v1/analyses", json={"url": "https://github.com/a/b"}, headers=bearer(viewer)
    )

    assert looks.status_code == 200
    assert (begins.status_code, begins.json()["code"]) == (403, "forbidden")


ENDINGS = {
    "suspended": "UPDATE auth.users SET suspended_at = now() WHERE user_id = :user",
    "deleted": "UPDATE auth.users SET deleted_at = now() WHERE user_id = :user",
    "no member": "DELETE FROM auth.members WHERE user_id = :user",
    "tenant gone": "UPDATE auth.tenants SET deleted_at = now() WHERE tenant_id = :tenant",
    "signed out": "UPDATE auth.sessions SET revoked_at = now() WHERE user_id = :user",
    "demoted": "UPDATE auth.members SET role = 'viewer' WHERE user_id = :user",
}


async def test_whoever_may_no_longer_is_out_within_five_seconds(system: SignIn) -> None:
    people = {why: await a_person(system.engine) for why in ENDINGS}
    tokens = {why: await system.token(person) for why, person in people.items()}

    async def begin(why: str) -> int:
        """A change of something, which the person may do at first; it is remembered then."""
        path = f"/api/v1/analyses/{uuid4()}/cancel"
        return (await system.client.post(path, headers=bearer(tokens[why]))).status_code

    assert [await begin(why) for why in people] == [404] * len(people)
    for why, person in people.items():
        await execute(system.engine, ENDINGS[why], user=person.user_id, tenant=person.tenant_id)
    for why in people:
        expected = 403 if why == "demoted" else 401
        await within_five_seconds(lambda why=why: begin(why), lambda status, expected=expected: status == expected)  # type: ignore[misc]  # bound now


async def test_an_api_key_is_shown_once_and_lets_in_with_its_scopes_until_it_is_revoked(system: SignIn) -> None:
    person = await a_person(system.engine)
    headers = bearer(await system.token(person))
    body = {"name": "ci", "scopes": ["read:repositories"], "expires_in_days": 7}

    made = await system.client.post(f"{ME}/keys", json=body, headers=headers)
    secret = made.json()["secret"]
    used = await system.get(ME, secret)
    beyond = await system.get("/api/v1/events", secret)
    [listed] = (await system.client.get(f"{ME}/keys", headers=headers)).json()["items"]
    async with system.engine.connect() as connection:
        stored = str((await connection.execute(text("SELECT * FROM auth.api_keys"))).all())
    revoked = await system.client.delete(f"{ME}/keys/{made.json()['key_id']}", headers=headers)
    after = await system.get(ME, secret)

    assert made.status_code == 201
    assert used.json()["user_id"] == str(person.user_id)
    assert beyond.json()["code"] == "forbidden"
    assert "secret" not in listed
    assert secret.startswith(listed["prefix"] + "_")
    assert listed["used_at"] is not None
    assert secret not in stored
    assert (revoked.status_code, after.status_code) == (204, 401)


@pytest.mark.parametrize("what", ["keys", "grants"])
async def test_what_a_person_has_comes_in_pages_that_miss_and_repeat_nothing(system: SignIn, what: str) -> None:
    person = await a_person(system.engine)
    headers = bearer(await system.token(person))
    body = {"scopes": ["read:repositories"], **({"name": "k"} if what == "keys" else {})}
    for _ in range(5):
        assert (await system.client.post(f"{ME}/{what}", json=body, headers=headers)).status_code == 201
    id_ = {"keys": "key_id", "grants": "grant_id"}[what]

    async def page(**query: str | int) -> dict[str, Any]:
        return (await system.client.get(f"{ME}/{what}", params=query, headers=headers)).json()

    whole = await page()
    pages = [await page(limit=2)]
    while (following := pages[-1]["next"]) is not None:
        pages.append(await page(limit=2, cursor=following))

    assert [len(found["items"]) for found in pages] == [2, 2, 1]
    assert [item[id_] for found in pages for item in found["items"]] == [item[id_] for item in whole["items"]]
    assert whole["next"] is None
    assert (await page(cursor="AAAA"))["code"] == "bad_cursor"


async def test_keys_are_bounded_by_their_owner_and_their_end_and_belong_to_one_person(system: SignIn) -> None:
    viewer, other = await a_person(system.engine, role=Role.VIEWER), await a_person(system.engine)
    mine, theirs = bearer(await system.token(viewer)), bearer(await system.token(other))

    async def make(**body: object) -> int:
        wanted = {"name": "k", "scopes": ["read:repositories"], **body}
        return (await system.client.post(f"{ME}/keys", json=wanted, headers=mine)).status_code

    key = (await system.client.post(f"{ME}/keys", json={"name": "k", "scopes": ["read:events"]}, headers=mine)).json()
    stolen = await system.client.delete(f"{ME}/keys/{key['key_id']}", headers=theirs)
    [others] = [(await system.client.get(f"{ME}/keys", headers=theirs)).json()["items"]]
    await execute(
        system.engine,
        "UPDATE auth.api_keys SET expires_at = now() - interval '1 second' WHERE key_id = :id",
        id=UUID(key["key_id"]),
    )

    assert await make(scopes=["write:analysis"]) == 403
    assert await make(scopes=["admin"]) == 403
    assert [await make(scopes=bad) for bad in ([], ["everything"])] == [422, 422]
    assert [await make(expires_in_days=days) for days in (0, 367)] == [422, 422]
    assert await make(name="a\x00b") == 422
    assert (stolen.status_code, others) == (404, [])
    assert (await system.get(ME, key["secret"])).status_code == 401


@pytest.mark.parametrize(
    "key", ["rsk_", "rsk_aaaaaaaa_" + "A" * 43, "rsk_aaaaaaaa_", "rsk_' OR 1=1", "rsk_" + "a" * 9_000, "rsk_\x00"]
)
async def test_what_is_no_key_is_refused(system: SignIn, key: str) -> None:
    reply = await system.client.get(ME, headers=[(b"Authorization", b"Bearer " + key.replace("\x00", "%00").encode())])

    assert (reply.status_code, reply.json()["code"]) == (401, "not_signed_in")


async def test_a_key_cannot_make_others_nor_a_program_more_programs(system: SignIn) -> None:
    headers = bearer(await system.token(await a_person(system.engine)))
    scopes = {"scopes": ["read:repositories"]}
    key = (await system.client.post(f"{ME}/keys", json={"name": "k", **scopes}, headers=headers)).json()["secret"]
    program = (await system.client.post(f"{ME}/grants", json=scopes, headers=headers)).json()["access_token"]

    for credential in (key, program):
        for path, body in (("keys", {"name": "k", **scopes}), ("grants", scopes)):
            reply = await system.client.post(f"{ME}/{path}", json=body, headers=bearer(credential))
            assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")


async def test_a_refresh_token_is_good_once_and_an_old_one_ends_all_that_came_of_it(system: SignIn) -> None:
    headers = bearer(await system.token(await a_person(system.engine)))
    first = (await system.client.post(f"{ME}/grants", json={"scopes": ["read:repositories"]}, headers=headers)).json()

    async def refresh(secret: str) -> tuple[int, dict[str, str]]:
        reply = await system.client.post("/auth/refresh", json={"refresh_token": secret})
        return reply.status_code, reply.json()

    status, second = await refresh(first["refresh_token"])
    await a_while_later(system)
    may = (await system.get(ME, second["access_token"])).status_code
    beyond = (await system.get("/api/v1/events", second["access_token"])).status_code
    again = await refresh(first["refresh_token"])
    after = await refresh(second["refresh_token"])
    dead = [(await system.get(ME, pair["access_token"])).status_code for pair in (first, second)]

    assert (status, may, beyond) == (200, 200, 403)
    assert (again[0], again[1]["code"]) == (401, "refresh_token_reused")
    assert (after[0], after[1]["code"]) == (401, "not_signed_in")
    assert dead == [401, 401]
    assert (await system.get(ME, headers["Authorization"].split()[1])).status_code == 200  # the person stays


async def test_a_program_is_not_shown_what_its_person_was_told_under_the_same_key(system: SignIn) -> None:
    person = bearer(await system.token(await a_person(system.engine))) | {"Idempotency-Key": "k"}
    scopes = {"scopes": ["read:repositories"]}
    grant = (await system.client.post(f"{ME}/grants", json=scopes, headers=person)).json()["access_token"]
    body = {"name": "ci", **scopes}
    made = await system.client.post(f"{ME}/keys", json=body, headers=person)

    asked = await system.client.post(f"{ME}/keys", json=body, headers=bearer(grant) | {"Idempotency-Key": "k"})

    assert made.status_code == 201
    assert (asked.status_code, asked.json()["code"]) == (422, "idempotency_key_reused")
    assert "secret" not in asked.json()


async def a_while_later(system: SignIn) -> None:
    await execute(system.engine, "UPDATE auth.refresh_tokens SET used_at = used_at - interval '31 seconds'")


async def test_of_many_uses_at_once_one_successor_lives_and_the_use_of_another_ends_the_family(system: SignIn) -> None:
    headers = bearer(await system.token(await a_person(system.engine)))
    begun = (await system.client.post(f"{ME}/grants", json={"scopes": ["read:events"]}, headers=headers)).json()

    async def refresh(secret: str) -> str:
        reply = await system.client.post("/auth/refresh", json={"refresh_token": secret})
        return str(reply.json().get("refresh_token") or reply.json()["code"])

    answers = await asyncio.gather(*(refresh(begun["refresh_token"]) for _ in range(6)))
    living = await rows(system, "SELECT encode(token_hash, 'hex') FROM auth.refresh_tokens WHERE used_at IS NULL")
    alive = [text for text in answers if sha256(text.encode()).hexdigest() in living]

    assert len(set(answers)) == 6
    assert (len(living), len(alive)) == (1, 1)
    assert await refresh(next(text for text in answers if text not in alive)) == "refresh_token_reused"
    assert await refresh(alive[0]) == "not_signed_in"


async def test_a_client_that_lost_the_answer_asks_again_and_the_grant_goes_on(
    system: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer(await system.token(await a_person(system.engine)))
    begun = (await system.client.post(f"{ME}/grants", json={"scopes": ["read:events"]}, headers=headers)).json()

    async def refresh(secret: str) -> tuple[int, dict[str, str]]:
        reply = await system.client.post("/auth/refresh", json={"refresh_token": secret})
        return reply.status_code, reply.json()

    async def down(*_: object, **__: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as fault:
        fault.setattr(system.accounts.tokens, "issue", down)
        assert (await refresh(begun["refresh_token"]))[0] == 503
    assert await rows(system, "SELECT 1 FROM auth.refresh_tokens WHERE used_at IS NOT NULL") == []  # nothing is used up

    (_, lost), (status, again) = [await refresh(begun["refresh_token"]) for _ in range(2)]
    after = await refresh(again["refresh_token"])
    assert (status, after[0]) == (200, 200)
    assert lost["refresh_token"] != again["refresh_token"]

    old = await refresh(begun["refresh_token"])  # its successor was used
    assert (old[0], old[1]["code"]) == (401, "refresh_token_reused")
    assert (await refresh(after[1]["refresh_token"]))[0] == 401


async def rows(system: SignIn, statement: str) -> list[Any]:
    async with system.engine.connect() as connection:
        return list((await connection.execute(text(statement))).scalars())


async def test_a_grant_is_listed_and_ended_by_its_owner_or_by_its_program(system: SignIn) -> None:
    headers = bearer(await system.token(await a_person(system.engine)))
    stranger = bearer(await system.token(await a_person(system.engine)))
    grants = [
        (await system.client.post(f"{ME}/grants", json={"scopes": ["read:repositories"]}, headers=headers)).json()
        for _ in range(2)
    ]
    listed = (await system.client.get(f"{ME}/grants", headers=headers)).json()["items"]
    sid = jwt.decode(grants[0]["access_token"], options={"verify_signature": False})["sid"]
    theirs = await system.client.delete(f"{ME}/grants/{sid}", headers=stranger)
    mine = await system.client.delete(f"{ME}/grants/{sid}", headers=headers)
    by_program = await system.client.post("/auth/revoke", json={"refresh_token": grants[1]["refresh_token"]})
    unknown = await system.client.post("/auth/revoke", json={"refresh_token": "rsr_" + "A" * 43})

    assert len(listed) == 2
    assert (theirs.status_code, mine.status_code) == (404, 204)
    assert (by_program.status_code, unknown.status_code) == (204, 204)
    assert (await system.client.get(f"{ME}/grants", headers=headers)).json() == {"items": [], "next": None}
    assert [(await system.get(ME, grant["access_token"])).status_code for grant in grants] == [401, 401]


async def test_one_token_alone_can_be_revoked(system: SignIn) -> None:
    person = await a_person(system.engine)
    one, other = await system.token(person), await system.token(person)
    claims = jwt.decode(one, options={"verify_signature": False})

    await system.accounts.tokens.revocations.revoke(UUID(claims["jti"]))

    assert [(await system.get(ME, token)).status_code for token in (one, other)] == [401, 200]
    assert await system.accounts.tokens.revocations.any_revoked(uuid4()) is False


async def test_only_an_administrator_changes_the_signing_key_and_nobody_is_signed_out_by_it(system: SignIn) -> None:
    member = await system.token(await a_person(system.engine))
    admin = await system.token(await a_person(system.engine, admin=True))
    refused = await system.client.post("/api/v1/signing-keys/rotation", headers=bearer(member))
    changed = await system.client.post("/api/v1/signing-keys/rotation", headers=bearer(admin))
    keys = (await system.client.get("/.well-known/jwks.json")).json()["keys"]

    assert (refused.status_code, changed.status_code) == (403, 202)
    assert changed.json()["kid"] in {key["kid"] for key in keys}
    assert len(keys) == 2
    assert [(await system.get(ME, token)).status_code for token in (member, admin)] == [200, 200]
