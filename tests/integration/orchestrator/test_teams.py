"""Teams over the real API, with people who sign in with the stand-in GitHub."""

import asyncio
from functools import partial
from uuid import uuid4

from sqlalchemy import text

from tests.support.orchestrator import eventually, within_five_seconds
from tests.support.signing_in import COOKIE, Installation
from tests.support.teams import answered, joins, signs_in

REPOSITORY = {"url": "https://github.com/pallets/flask"}
NOT_THERE = (404, "not_found")
WAITS = """
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def test_a_session_switches_to_a_team_and_tokens_of_before_are_refused(here: Installation) -> None:
    ann = await signs_in(here, 1, "ann")
    before, (mine,) = await ann.token(), (await ann.done("GET", "/tenants"))["items"]
    assert (mine["personal"], mine["role"], mine["current"]) == (True, "owner", True)
    await ann.done("POST", "/analyses", REPOSITORY)

    team = await ann.team("  Crew of Ann ")

    tenants = (await ann.done("GET", "/tenants"))["items"]
    assert [(each["name"], each["personal"], each["current"]) for each in tenants] == [
        ("ann", True, False),
        ("Crew of Ann", False, True),
    ]
    assert (await ann.ask("GET", "/me", bearer=before)).status_code == 401
    assert (await ann.me())["tenant_id"] == team
    assert (await ann.done("GET", "/analyses"))["items"] == []
    assert (await ann.ask("GET", "/me", bearer=await ann.token())).json()["tenant_id"] == team

    await ann.done("POST", f"/tenants/{mine['tenant_id']}/switch")
    found = await eventually(lambda: ann.done("GET", "/analyses"), lambda page: page["items"])
    assert len(found["items"]) == 1
    assert await ann.refused("PATCH", f"/tenants/{team}", {"name": "Elsewhere"}) == NOT_THERE
    assert await ann.refused("PATCH", f"/tenants/{mine['tenant_id']}", {"name": "No"}) == (409, "personal_tenant")
    for name in ("", "   ", "a\x00b", "a\u202eb", "x" * 81):
        assert await ann.refused("POST", "/tenants", {"name": name}) == (422, "invalid_request")
    facts = await here.rows("SELECT type, stream_id FROM es.events WHERE type LIKE 'tenant.%' OR type LIKE '%switched'")
    assert {row["type"] for row in facts} == {"tenant.created", "account.session.switched"}
    await eventually(
        lambda: here.rows("SELECT DISTINCT action FROM audit.entries WHERE action LIKE 'tenants.%'"),
        lambda rows: {row["action"] for row in rows} == {"tenants.create", "tenants.switch", "tenants.rename"},
    )


async def test_roles_bound_what_members_do_and_shrink_within_seconds(here: Installation) -> None:
    ann, bob, eve = [await signs_in(here, n, login) for n, login in enumerate(("ann", "bob", "eve"), start=1)]
    team = await ann.team()
    await joins(ann, team, bob, "viewer")
    eve_id = await joins(ann, team, eve, "member")
    begun = await eve.done("POST", "/analyses", REPOSITORY)
    key = (await eve.done("POST", "/me/keys", {"name": "ci", "scopes": ["read:repositories", "write:analysis"]}))[
        "secret"
    ]
    token = await eve.token()

    assert (await bob.ask("GET", f"/analyses/{begun['analysis_id']}")).status_code == 200
    assert await bob.refused("POST", "/analyses", REPOSITORY) == (403, "forbidden")
    assert await bob.refused("POST", "/conversations", {"repository_id": begun["repository_id"]}) == (403, "forbidden")
    assert await bob.refused("GET", "/shares") == (403, "forbidden")
    for who in (bob, eve):
        members = (await who.done("GET", f"/tenants/{team}/members"))["items"]
        assert [(each["login"], each["role"]) for each in members] == [
            ("ann", "owner"),
            ("eve", "member"),
            ("bob", "viewer"),
        ]
        assert [each["login"] for each in members if each["you"]] == [who.login]
        assert await who.refused("POST", f"/tenants/{team}/invitations", {"role": "owner"}) == (403, "forbidden")
        assert await who.refused("GET", f"/tenants/{team}/invitations") == (403, "forbidden")
        assert await who.refused("PATCH", f"/tenants/{team}/members/{eve_id}", {"role": "owner"}) == (403, "forbidden")
        assert await who.refused("DELETE", f"/tenants/{team}/members/{eve_id}") == (403, "forbidden")
        assert await who.refused("DELETE", f"/tenants/{uuid4()}/members/{eve_id}") == NOT_THERE
    wanted = {"name": "ci", "scopes": ["write:analysis", "read:repositories"]}
    taken = (await ann.done("POST", "/me/keys", wanted))["secret"]
    for tenant, code in ((team, "forbidden"), (uuid4(), "not_found")):
        assert (await ann.ask("PATCH", f"/tenants/{tenant}", {"name": "x"}, bearer=taken)).json()["code"] == code

    await ann.done("PATCH", f"/tenants/{team}/members/{eve_id}", {"role": "viewer"})

    for proof in (key, token):
        begin = partial(eve.ask, "POST", "/analyses", REPOSITORY, bearer=proof)
        await within_five_seconds(begin, answered(403))
        assert (await eve.ask("GET", "/repositories", bearer=proof)).status_code == 200
    assert await eve.refused("POST", "/analyses", REPOSITORY) == (403, "forbidden")


async def test_whoever_is_removed_is_out_with_all_that_hung_on_it_and_begins_anew(here: Installation) -> None:
    ann, bob = await signs_in(here, 1, "ann"), await signs_in(here, 2, "bob")
    team = await ann.team()
    bob_id = await joins(ann, team, bob, "owner")
    key = (await bob.done("POST", "/me/keys", {"name": "ci", "scopes": ["read:repositories"]}))["secret"]
    grant = await bob.done("POST", "/me/grants", {"scopes": ["read:repositories"]})
    begun = await bob.done("POST", "/analyses", REPOSITORY)
    token, invitation = await bob.token(), await bob.invite(team)
    share = await bob.done("POST", f"/repositories/{begun['repository_id']}/shares", {})
    assert (await ann.ask("GET", "/shared", bearer=share["secret"])).status_code == 200

    async with here.client.stream(
        "GET",
        f"/api/v1/analyses/{begun['analysis_id']}/events",
        headers={"Cookie": f"{COOKIE}={bob.visitor.cookies[COOKIE]}"},
    ) as live:
        said = live.aiter_lines()
        assert live.status_code == 200
        await anext(said)
        await ann.done("DELETE", f"/tenants/{team}/members/{bob_id}")
        async with asyncio.timeout(15):  # test_suspension.py shows that it is soon
            async for _ in said:
                pass

    for proof in (key, token, grant["access_token"]):
        await within_five_seconds(partial(bob.ask, "GET", "/repositories", bearer=proof), answered(401))
    await within_five_seconds(lambda: ann.ask("GET", "/shared", bearer=share["secret"]), answered(401))
    used = await here.client.post("/auth/refresh", json={"refresh_token": grant["refresh_token"]})
    assert used.status_code == 401
    eve = await signs_in(here, 3, "eve")
    assert await eve.refused("POST", "/invitations/accept", {"secret": invitation["secret"]}) == NOT_THERE
    assert (await bob.me())["tenant_id"] != team
    assert await bob.refused("GET", f"/analyses/{begun['analysis_id']}") == NOT_THERE
    assert await bob.refused("POST", f"/tenants/{team}/switch") == NOT_THERE
    assert await bob.refused("GET", f"/tenants/{team}/members") == NOT_THERE

    await joins(ann, team, bob, "member")
    for proof in (key, share["secret"]):
        assert (await bob.ask("GET", "/repositories", bearer=proof)).status_code == 401
    facts = [
        row["type"]
        for row in await here.rows("SELECT type FROM es.events WHERE stream_id LIKE 'tenant/%' ORDER BY version")
    ]
    assert facts.count("tenant.member.left") == 1
    assert facts.count("tenant.member.joined") == 2


async def test_a_refresh_at_the_moment_of_a_removal_leaves_no_living_token(here: Installation) -> None:
    ann, bob = await signs_in(here, 1, "ann"), await signs_in(here, 2, "bob")
    team = await ann.team()
    bob_id = await joins(ann, team, bob)
    grant = await bob.done("POST", "/me/grants", {"scopes": ["read:repositories"]})
    hold = "SELECT pg_advisory_xact_lock(hashtextextended(CAST(family_id AS text), 0)) FROM auth.refresh_tokens"
    late = """
        INSERT INTO auth.refresh_tokens (token_hash, family_id, user_id, tenant_id, scopes, expires_at)
        SELECT 'late', family_id, user_id, tenant_id, scopes, expires_at FROM auth.refresh_tokens
    """
    async with here.engine.begin() as refreshing:  # as an exchange: it holds the family, and adds a row to it
        await refreshing.execute(text(hold))
        await refreshing.execute(text(late))
        removing = asyncio.create_task(ann.done("DELETE", f"/tenants/{team}/members/{bob_id}"))
        await eventually(lambda: here.rows(WAITS), lambda found: len(found) == 1)  # for the refresh to end
    await removing

    assert await here.rows("SELECT 1 FROM auth.refresh_tokens WHERE revoked_at IS NULL") == []
    reply = await here.client.post("/auth/refresh", json={"refresh_token": grant["refresh_token"]})
    assert reply.status_code == 401


async def test_a_team_keeps_an_owner_also_where_two_remove_each_other(here: Installation) -> None:
    ann, bob = await signs_in(here, 1, "ann"), await signs_in(here, 2, "bob")
    team = await ann.team()
    ann_id = (await ann.me())["user_id"]
    assert await ann.refused("POST", f"/tenants/{team}/leave") == (409, "last_owner")
    assert await ann.refused("PATCH", f"/tenants/{team}/members/{ann_id}", {"role": "viewer"}) == (409, "last_owner")
    bob_id = await joins(ann, team, bob, "owner")

    for _ in range(3):
        replies = await asyncio.gather(
            ann.ask("DELETE", f"/tenants/{team}/members/{bob_id}"),
            bob.ask("DELETE", f"/tenants/{team}/members/{ann_id}"),
        )
        assert sorted(reply.status_code for reply in replies) == [204, 404]
        owners = await here.rows("SELECT user_id FROM auth.members WHERE tenant_id = :team", team=team)
        assert len(owners) == 1
        stays, goes = (ann, bob) if str(owners[0]["user_id"]) == ann_id else (bob, ann)
        assert await stays.refused("POST", f"/tenants/{team}/leave") == (409, "last_owner")
        await joins(stays, team, goes, "owner")

    await ann.done("POST", f"/tenants/{team}/leave")
    assert (await ann.me())["tenant_id"] != team
    assert await bob.refused("POST", f"/tenants/{(await ann.me())['tenant_id']}/switch") == NOT_THERE
    own = (await ann.me())["tenant_id"]
    assert await ann.refused("POST", f"/tenants/{own}/leave") == (409, "personal_tenant")
