"""Invitations over the real API: for one person, once, until they end; and what each failure tells whom."""

import asyncio

from tests.support.signing_in import Installation
from tests.support.teams import signs_in

ACCEPT, OFFER = "/invitations/accept", "/invitations/offer"


async def test_an_invitation_is_for_one_login_and_good_once(here: Installation) -> None:
    ann, bob, eve = [await signs_in(here, n, login) for n, login in enumerate(("ann", "Bob", "eve"), start=1)]
    team = await ann.team("Crew")
    made = await ann.invite(team, "viewer", login=" @bOB ")
    secret = {"secret": made["secret"]}
    assert made["url"] == f"http://127.0.0.1:8501/invitation#{made['secret']}"

    for who in (ann, eve):
        for path in (OFFER, ACCEPT):
            assert await who.refused("POST", path, secret) == (403, "invitation_for_another")
    assert await bob.done("POST", OFFER, secret) == {
        "tenant_id": team,
        "team": "Crew",
        "role": "viewer",
        "inviter": "ann",
    }
    joined = await bob.done("POST", ACCEPT, secret)
    assert (joined["tenant_id"], joined["role"]) == (team, "viewer")
    assert await bob.refused("POST", ACCEPT, secret) == (409, "invitation_used")
    assert await eve.refused("POST", ACCEPT, secret) == (403, "invitation_for_another")
    for nonsense in ("", "x", "rsi_" + "a" * 43, made["secret"] + "a", "rsl_" + made["secret"][4:], "\x00", "ü" * 47):
        assert await eve.refused("POST", ACCEPT, {"secret": nonsense}) == (404, "not_found")

    again = await ann.invite(team)
    assert await bob.refused("POST", ACCEPT, {"secret": again["secret"]}) == (409, "already_member")
    [listed, used] = (await ann.done("GET", f"/tenants/{team}/invitations"))["items"]
    assert (listed["state"], used["state"], used["login"], used["used_by"]) == (
        "open",
        "used",
        "bOB",
        (await bob.me())["user_id"],
    )
    first = await ann.done("GET", f"/tenants/{team}/invitations?limit=1")
    rest = await ann.done("GET", f"/tenants/{team}/invitations?limit=1&cursor={first['next']}")
    assert [page["items"][0]["state"] for page in (first, rest)] == ["open", "used"]
    assert rest["next"] is None


async def test_one_that_is_revoked_or_over_lets_nobody_in_and_says_which(here: Installation) -> None:
    ann, bob = await signs_in(here, 1, "ann"), await signs_in(here, 2, "bob")
    team = await ann.team()
    revoked, over = await ann.invite(team), await ann.invite(team)
    path = f"/tenants/{team}/invitations/{revoked['invitation_id']}"

    await ann.done("DELETE", path)
    await here.rows("UPDATE app.invitations SET expires_at = now() WHERE invitation_id = :id", id=over["invitation_id"])

    assert await ann.refused("DELETE", path) == (404, "not_found")
    assert await bob.refused("POST", ACCEPT, {"secret": revoked["secret"]}) == (409, "invitation_revoked")
    assert await bob.refused("POST", OFFER, {"secret": over["secret"]}) == (409, "invitation_expired")
    assert await bob.refused("POST", ACCEPT, {"secret": over["secret"]}) == (409, "invitation_expired")
    assert await ann.refused("POST", f"/tenants/{team}/invitations", {"expires_in_days": 31}) == (
        422,
        "invalid_request",
    )
    own = (await bob.me())["tenant_id"]
    assert await bob.refused("POST", f"/tenants/{own}/invitations", {}) == (409, "personal_tenant")
    assert await bob.refused("POST", f"/tenants/{team}/invitations", {}) == (404, "not_found")
    assert (await here.client.post(f"/api/v1{ACCEPT}", json={"secret": over["secret"]})).status_code == 401


async def test_a_login_of_another_provider_is_another_person(here: Installation) -> None:
    ann, bob = await signs_in(here, 1, "ann"), await signs_in(here, 2, "bob")
    made = await ann.invite(await ann.team(), login="bob")
    await here.rows("UPDATE auth.users SET provider = 'oidc' WHERE login = 'bob'")

    for path in (OFFER, ACCEPT):
        assert await bob.refused("POST", path, {"secret": made["secret"]}) == (403, "invitation_for_another")
    await here.rows("UPDATE auth.users SET provider = 'github' WHERE login = 'bob'")
    assert (await bob.done("POST", ACCEPT, {"secret": made["secret"]}))["role"] == "member"


async def test_an_invitation_of_whoever_may_invite_nobody_now_lets_nobody_in(here: Installation) -> None:
    ann, bob = await signs_in(here, 1, "ann"), await signs_in(here, 2, "bob")
    team = await ann.team()
    secret = {"secret": (await ann.invite(team))["secret"]}

    for away, back in (
        ("UPDATE auth.users SET suspended_at = now()", "UPDATE auth.users SET suspended_at = NULL"),
        ("UPDATE auth.users SET deleted_at = now()", "UPDATE auth.users SET deleted_at = NULL"),
    ):
        await here.rows(f"{away} WHERE login = 'ann'")
        for path in (OFFER, ACCEPT):
            assert await bob.refused("POST", path, secret) == (404, "not_found")
        await here.rows(f"{back} WHERE login = 'ann'")
    await here.rows("UPDATE auth.members SET role = 'member' WHERE tenant_id = :team", team=team)
    assert await bob.refused("POST", ACCEPT, secret) == (404, "not_found")
    await here.rows("UPDATE auth.members SET role = 'owner' WHERE tenant_id = :team", team=team)
    assert await bob.done("POST", ACCEPT, secret)


async def test_of_several_who_accept_at_once_one_joins(here: Installation) -> None:
    ann = await signs_in(here, 1, "ann")
    team = await ann.team()
    others = [await signs_in(here, n, f"person-{n}") for n in range(2, 6)]
    secret = {"secret": (await ann.invite(team))["secret"]}

    replies = await asyncio.gather(*(who.ask("POST", ACCEPT, secret) for who in others))

    assert sorted(reply.status_code for reply in replies) == [200, 409, 409, 409]
    assert {reply.json().get("code") for reply in replies} == {None, "invitation_used"}
    assert len((await ann.done("GET", f"/tenants/{team}/members"))["items"]) == 2


async def test_the_secret_is_nowhere_but_in_the_answer(here: Installation) -> None:
    ann, bob = await signs_in(here, 1, "ann"), await signs_in(here, 2, "bob")
    team = await ann.team("A private name")
    made = await ann.invite(team, login="bob")
    await bob.done("POST", ACCEPT, {"secret": made["secret"]})

    for table in ("app.invitations", "audit.entries", "es.events"):
        rows = [row["row"] for row in await here.rows(f"SELECT t::text AS row FROM {table} t")]
        assert rows
        assert not [row for row in rows if made["secret"][4:] in row]
    told = [row["row"] for row in await here.rows("SELECT t::text AS row FROM es.events t WHERE type LIKE 'tenant.%'")]
    assert not [row for row in told if "A private name" in row or '"bob"' in row]
    entries = await here.rows(
        "SELECT action, target FROM audit.entries WHERE action LIKE 'invitations.%' ORDER BY position"
    )
    assert [row["action"] for row in entries] == ["invitations.make", "invitations.accept"]
