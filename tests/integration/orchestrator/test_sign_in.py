"""Signing in and out with GitHub, over HTTP against the stand-in: the way itself, and every attack on the callback."""

from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from orchestrator.auth import providers
from tests.support.github import GitHubStandIn, elsewhere, html, slow
from tests.support.github import told as answers
from tests.support.orchestrator import eventually
from tests.support.signing_in import COOKIE, STATE, Installation, Visitor, an_installation, told

TOKEN, USER = "/login/oauth/access_token", "/api/v3/user"
ENTRIES = """
SELECT e.action, e.outcome, e.code, u.login, e.proof, e.proof_id IS NOT NULL AS has_session, e::text AS row
FROM audit.entries e LEFT JOIN auth.users u USING (user_id) WHERE e.action LIKE 'sign_in.%' ORDER BY position
"""


async def _signed_in(here: Installation) -> Visitor:
    visitor = here.visitor()
    await visitor.sign_in()
    assert visitor.signed_in
    return visitor


async def test_somebody_signs_in_is_known_by_the_session_and_signs_out(here: Installation) -> None:
    visitor = here.visitor()
    away = await visitor.leave("?then=/chat%3Fanalysis%3D1")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(away).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://127.0.0.1:8501/auth/callback"
    assert asked["scope"] == "read:user"

    reply = await visitor.ask("GET", await visitor.back(away))

    assert (reply.status_code, reply.headers["location"]) == (303, "/chat?analysis=1")
    assert visitor.cookies.keys() == {COOKIE}
    me = (await visitor.api("/me")).json()
    assert me["name"] == "octocat"
    assert await here.rows("SELECT 1 FROM auth.users WHERE admin") == []
    sessions = (await visitor.api("/me/sessions")).json()["items"]
    assert [session["current"] for session in sessions] == [True]
    cookie = dict(visitor.cookies)
    out = await visitor.ask("POST", "/auth/logout", origin=here.url)
    assert (out.status_code, out.headers["location"]) == (303, "/")
    assert not visitor.signed_in
    thief = here.visitor()
    thief.cookies.update(cookie)
    assert (await thief.api("/me")).status_code == 401


async def test_the_first_sign_in_makes_a_tenant_and_is_a_fact_and_a_renamed_person_is_the_same(
    here: Installation, github: GitHubStandIn
) -> None:
    first = (await (await _signed_in(here)).api("/me")).json()
    github.user |= {"login": "hubot", "name": "Hu Bot"}

    again = (await (await _signed_in(here)).api("/me")).json()

    assert (again["user_id"], again["tenant_id"]) == (first["user_id"], first["tenant_id"])
    people = await here.rows("SELECT login, name FROM auth.users WHERE provider = 'github'")
    assert [tuple(row.values()) for row in people] == [("hubot", "Hu Bot")]
    tenants = await here.rows("SELECT name, personal FROM auth.tenants WHERE tenant_id = :id", id=first["tenant_id"])
    assert [(row["name"], row["personal"]) for row in tenants] == [("octocat", True)]
    facts = await here.rows(
        "SELECT type, tenant_id::text FROM es.events WHERE stream_id = :id ORDER BY version",
        id=f"account/{first['user_id']}",
    )
    assert [tuple(row.values()) for row in facts] == [("account.signed_in", first["tenant_id"])] * 2


async def test_whoever_takes_over_a_login_is_somebody_else(here: Installation, github: GitHubStandIn) -> None:
    first = (await (await _signed_in(here)).api("/me")).json()
    github.user |= {"id": 999_999}

    other = (await (await _signed_in(here)).api("/me")).json()

    assert {other["user_id"], other["tenant_id"]}.isdisjoint({first["user_id"], first["tenant_id"]})


async def test_a_callback_cannot_be_replayed(here: Installation) -> None:
    visitor = here.visitor()
    path = await visitor.back(await visitor.leave())
    kept = visitor.cookies[STATE]
    await visitor.ask("GET", path)
    assert visitor.signed_in

    again = here.visitor()
    assert told(await again.ask("GET", path)) == providers.EXPIRED
    again.cookies[STATE] = kept
    assert told(await again.ask("GET", path)) == providers.REFUSED
    assert not again.signed_in


async def test_a_callback_works_in_no_other_browser(here: Installation) -> None:
    attacker, victim = here.visitor(), here.visitor()
    path = await attacker.back(await attacker.leave())
    await victim.leave()

    assert told(await victim.ask("GET", path)) == providers.EXPIRED
    assert not victim.signed_in
    assert STATE in victim.cookies  # and the victim's own sign-in can go on


async def test_an_injected_code_fails_at_its_challenge(here: Installation) -> None:
    attacker, victim = here.visitor(), here.visitor()
    stolen = parse_qs(urlsplit(await attacker.back(await attacker.leave())).query)["code"][0]
    own = parse_qs(urlsplit(await victim.leave()).query)["state"][0]

    reply = await victim.ask("GET", f"/auth/callback?{urlencode({'code': stolen, 'state': own})}")

    assert told(reply) == providers.REFUSED
    assert not victim.signed_in


ANSWERS = [
    ({"code": "x", "state": "wrong"}, providers.EXPIRED),
    ({"code": "x"}, providers.EXPIRED),
    ({"code": "x", "state": ""}, providers.EXPIRED),
    ({"state": "{state}"}, providers.REFUSED),
    ({"state": "{state}", "code": "x" * 1_001}, providers.REFUSED),
    ({"state": "{state}", "code": "never-given"}, providers.REFUSED),
    ({"state": "{state}", "error": "access_denied", "error_description": "<script>1</script>"}, providers.DENIED),
    ({"state": "{state}", "error": "<script>alert(1)</script>"}, providers.REFUSED),
    ({"state": "{state}", "code": "x", "error": "temporarily_unavailable"}, providers.REFUSED),
    ({"error": "access_denied"}, providers.EXPIRED),
]


async def test_what_comes_back_is_judged_and_never_repeated(here: Installation) -> None:
    for answer, code in ANSWERS:
        visitor = here.visitor()
        state = parse_qs(urlsplit(await visitor.leave()).query)["state"][0]
        query = urlencode({name: value.format(state=state) for name, value in answer.items()})

        reply = await visitor.ask("GET", f"/auth/callback?{query}")

        assert (answer, told(reply)) == (answer, code)
        assert not visitor.signed_in
        assert "script" not in reply.text + str(reply.headers)


async def test_a_cookie_that_is_not_ours_is_no_sign_in(here: Installation) -> None:
    visitor = here.visitor()
    path = await visitor.back(await visitor.leave())
    cookies = ["", "x", "gAAAAA", "é", "x" * 5_000, visitor.cookies[STATE][:-6]]
    replies = [await here.client.get(path, headers=[(b"cookie", f"{STATE}={each}".encode())]) for each in cookies]

    assert [told(reply) for reply in replies] == [providers.EXPIRED] * len(cookies)


FAULTS = [
    (TOKEN, html(500), providers.UNAVAILABLE),
    (TOKEN, html(200), providers.UNAVAILABLE),
    (TOKEN, answers(200, []), providers.UNAVAILABLE),
    (TOKEN, answers(200, {}), providers.UNAVAILABLE),
    (TOKEN, answers(200, {"access_token": None}), providers.UNAVAILABLE),
    (TOKEN, answers(200, {"error": "incorrect_client_credentials"}), providers.REFUSED),
    (TOKEN, elsewhere("http://127.0.0.1:1/"), providers.UNAVAILABLE),
    (USER, answers(401, {"message": "Bad credentials"}), providers.REFUSED),
    (USER, answers(403, {"message": "Sorry"}), providers.REFUSED),
    (USER, answers(403, {"message": "limit"}, x_ratelimit_remaining="0"), providers.UNAVAILABLE),
    (USER, answers(429, {"message": "limit"}, retry_after="60"), providers.UNAVAILABLE),
    (USER, html(502), providers.UNAVAILABLE),
    (USER, html(200), providers.UNAVAILABLE),
    (USER, elsewhere("http://127.0.0.1:1/"), providers.UNAVAILABLE),
    (USER, answers(200, {"login": "octocat"}), providers.UNAVAILABLE),
    (USER, answers(200, {"id": "583231", "login": "octocat"}), providers.UNAVAILABLE),
    (USER, answers(200, {"id": True, "login": "octocat"}), providers.UNAVAILABLE),
    (USER, answers(200, {"id": -1, "login": "octocat"}), providers.UNAVAILABLE),
    (USER, answers(200, [583231]), providers.UNAVAILABLE),
]


async def test_a_fault_of_the_provider_lets_nobody_in_and_has_a_name(here: Installation, github: GitHubStandIn) -> None:
    for number, (path, fault, code) in enumerate(FAULTS):
        github.faults = {path: fault}
        github.served.clear()
        visitor = here.visitor()

        assert (number, told(await visitor.sign_in())) == (number, code)
        assert path in github.served
        assert not visitor.signed_in
    assert await here.rows("SELECT 1 FROM auth.sessions") == []


async def test_a_slow_provider_is_not_waited_for(
    here: Installation, github: GitHubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "PATIENCE", 1.5)
    github.faults[TOKEN] = slow(3)

    assert told(await here.visitor().sign_in()) == providers.UNAVAILABLE
    assert TOKEN in github.served


@pytest.mark.parametrize("column", ["suspended_at", "deleted_at"])
async def test_whoever_is_suspended_is_out_at_once_and_stays_out(here: Installation, column: str) -> None:
    visitor = await _signed_in(here)
    await here.rows(f"UPDATE auth.users SET {column} = now() WHERE provider = 'github'")  # one of two words

    assert (await visitor.ask("GET", "/api/v1/me")).status_code == 401
    assert told(await here.visitor().sign_in()) == providers.SUSPENDED


PAGES = [
    ("/analysis?analysis=1", "/analysis?analysis=1"),
    ("https://evil.example", "/"),
    ("//evil.example", "/"),
    ("/\\evil.example", "/"),
    ("/%0d%0aset-cookie:x", "/%0d%0aset-cookie:x"),  # still encoded, so a path of ours
    ("javascript:alert(1)", "/"),
    ("/auth/logout", "/"),
    ("/\tx", "/"),
    ("", "/"),
]


async def test_after_signing_in_one_stays_on_this_site(here: Installation) -> None:
    for then, page in PAGES:
        reply = await here.visitor().sign_in(f"?{urlencode({'then': then})}")

        assert (then, reply.headers["location"]) == (then, page)


async def test_signing_in_again_ends_the_session_before(here: Installation) -> None:
    visitor = await _signed_in(here)
    old = visitor.cookies[COOKIE]

    await visitor.sign_in()

    assert visitor.cookies[COOKIE] != old
    assert len((await visitor.api("/me/sessions")).json()["items"]) == 1


LEAVING = [
    ({"origin": "https://evil.example"}, 403),
    ({"origin": "null", "sec_fetch_site": "cross-site"}, 403),
    ({"sec_fetch_site": "cross-site"}, 403),
    ({"origin": "null", "sec_fetch_site": "same-origin"}, 303),
]


async def test_only_a_page_of_ours_signs_out(here: Installation) -> None:
    for headers, status in LEAVING:
        visitor = await _signed_in(here)

        assert (headers, (await visitor.ask("POST", "/auth/logout", **headers)).status_code) == (headers, status)
        assert visitor.signed_in is (status == 403)


async def test_a_session_is_ended_from_another_browser_and_nobody_ends_a_strangers(
    here: Installation, github: GitHubStandIn
) -> None:
    laptop, telephone = await _signed_in(here), await _signed_in(here)
    github.user |= {"id": 7, "login": "stranger"}
    stranger = await _signed_in(here)
    both = (await laptop.api("/me/sessions")).json()["items"]
    first = (await laptop.api("/me/sessions?limit=1")).json()
    second = (await laptop.api(f"/me/sessions?limit=1&cursor={first['next']}")).json()
    assert [*first["items"], *second["items"]] == both
    assert second["next"] is None
    other = next(session["session_id"] for session in both if not session["current"])
    path = f"/me/sessions/{other}"

    assert (await stranger.api(path, "DELETE")).status_code == 404
    assert (await telephone.api("/me")).status_code == 200
    assert (await laptop.api(path, "DELETE")).status_code == 204
    assert (await laptop.api(path, "DELETE")).status_code == 404

    assert (await telephone.api("/me")).status_code == 401
    assert (await laptop.api("/me")).status_code == 200
    facts = await here.rows("SELECT type FROM es.events WHERE type = 'account.session.revoked'")
    assert len(facts) == 1


async def test_an_unknown_way_to_sign_in_is_not_there(here: Installation) -> None:
    assert (await here.visitor().ask("GET", "/auth/login?provider=facebook")).status_code == 404
    assert (await here.client.get("/auth/providers")).json() == [{"name": "github", "label": "GitHub"}]


@pytest.mark.parametrize(
    ("settings", "memberships", "code"),
    [
        ({"USERS": "someone,OctoCat"}, {}, ""),
        ({"USERS": "583231"}, {}, ""),
        ({"USERS": "someone"}, {}, providers.NOT_INVITED),
        ({"ORGANISATIONS": "acme,other"}, {"other": "active"}, ""),
        ({"ORGANISATIONS": "acme"}, {"acme": "pending"}, providers.NOT_INVITED),
        ({"ORGANISATIONS": "acme"}, {}, providers.NOT_INVITED),
        ({"ORGANISATIONS": "acme", "USERS": "octocat"}, {}, ""),
    ],
)
async def test_only_the_invited_come_in(  # noqa: PLR0917  # fixtures, and the table
    monkeypatch: pytest.MonkeyPatch,
    github: GitHubStandIn,
    database_url: str,
    redis_url: str,
    home: Path,
    settings: dict[str, str],
    memberships: dict[str, str],
    code: str,
) -> None:
    github.organisations = memberships
    named = {f"REPOSTREAM_GITHUB_{name}": value for name, value in settings.items()}
    administrators = {"REPOSTREAM_ADMINISTRATORS": "github:583231"}
    async with an_installation(
        monkeypatch, github, database_url=database_url, redis_url=redis_url, home=home, **named, **administrators
    ) as here:
        visitor = here.visitor()
        assert told(await visitor.sign_in()) == code
        assert visitor.signed_in is (code == "")
        if not code:
            assert len(await here.rows("SELECT 1 FROM auth.users WHERE admin AND subject = '583231'")) == 1


async def test_nobody_comes_in_by_a_login_that_is_somebodys_id(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> None:
    listed = {"REPOSTREAM_GITHUB_USERS": "583231"}
    async with an_installation(
        monkeypatch, github, database_url=database_url, redis_url=redis_url, home=home, **listed
    ) as here:
        assert told(await here.visitor().sign_in()) == ""
        github.user |= {"id": 999_999, "login": "583231"}
        assert told(await here.visitor().sign_in()) == providers.NOT_INVITED


async def test_each_sign_in_decides_anew_who_is_an_administrator(here: Installation) -> None:
    await here.visitor().sign_in()
    await here.rows("UPDATE auth.users SET admin = true WHERE subject = '583231'")  # as the list had them once

    await here.visitor().sign_in()

    assert await here.rows("SELECT 1 FROM auth.users WHERE admin") == []


async def test_signing_in_being_refused_and_signing_out_are_on_record(here: Installation) -> None:
    visitor = here.visitor()
    back = await visitor.back(await visitor.leave())
    await visitor.ask("GET", back)
    await visitor.ask("POST", "/auth/logout", origin=here.url)
    await visitor.ask("GET", back)

    found = await eventually(lambda: here.rows(ENTRIES), lambda rows: len(rows) == 3)
    assert [tuple(row.values())[:6] for row in found] == [
        ("sign_in.callback", "allowed", "", "octocat", "session", True),
        ("sign_in.logout", "allowed", "", "octocat", "session", True),
        ("sign_in.callback", "refused", "sign_in_expired", None, "", False),
    ]
    secret = back.partition("code=")[2].partition("&")[0]
    assert secret
    assert not any(secret in row["row"] for row in found)
