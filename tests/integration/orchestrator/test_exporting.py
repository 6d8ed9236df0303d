"""All that is somebody's comes out as one archive: what the tables have of them, no secret, nothing of anybody else."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from orchestrator.adapters.belongings import BELONGINGS, Belonging
from orchestrator.auth.identity import ALL_SCOPES, Identity
from tests.support.github import GitHubStandIn
from tests.support.kernel import AT
from tests.support.orchestrator import followed
from tests.support.people import Here, Person, a_place, a_team, enter

LEAST = {"repositories", "analyses", "questions", "conversations", "files", "artifacts", "webhooks", "events"}
LEAST |= {"account", "sessions", "keys", "grants", "repository_credentials", "memberships", "tenants", "audit"}
MANY = 20_000  # rows, of half a kilobyte each
MOST = 4_000_000  # bytes of memory that they may take on their way


@pytest.fixture
async def here(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[Here]:
    async with a_place(monkeypatch, github, database_url, redis_url, home) as place:
        yield place


async def archive_of(person: Person) -> tuple[str, dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """All text of an archive, its rows by file, and its manifest."""
    reply = await person.call("GET", "/me/export")
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.testzip() is None
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    manifest = json.loads(texts.pop("manifest.json"))
    rows = {
        name.removesuffix(".jsonl"): [json.loads(line) for line in text.splitlines()] for name, text in texts.items()
    }
    return "\n".join(texts.values()), rows, manifest


async def stored(connection: asyncpg.Connection, each: Belonging, person: Person) -> list[dict[str, Any]]:
    """What the table has of somebody, by the list's own rules, as its owner sees it."""
    found: dict[str, dict[str, Any]] = {}
    for condition, value in ((each.tenant, person.tenant_id), (each.user, person.user_id)):
        if condition:
            where = condition.replace(":tenant", "$1").replace(":user", "$1")
            rows = await connection.fetch(f"SELECT to_jsonb(t)::text AS line FROM {each.table} t WHERE {where}", value)
            for row in rows:
                line = json.loads(row["line"])
                found[row["line"]] = {name: line[name] for name in line if name not in each.secret}
    return list(found.values())


def in_order(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


async def test_an_archive_has_what_the_tables_have_and_no_secret_and_nothing_of_others(
    here: Here, database_url: str
) -> None:
    other, asker = await here.person("heron"), await here.person("otter")
    await other.works()
    mine = await asker.works()
    await followed(here.engine)

    text, rows, manifest = await archive_of(asker)

    assert {name for name, lines in rows.items() if lines} >= LEAST
    assert (manifest["format"], manifest["version"]) == ("repostream.export", 2)
    assert manifest["rows"] == {name: len(lines) for name, lines in rows.items()}
    connection = await asyncpg.connect(database_url)
    for each in BELONGINGS:
        if each.file and each.table not in {"es.events", "audit.entries"}:
            assert in_order(rows[each.file]) == in_order(await stored(connection, each, asker)), each.table
    events = await stored(connection, next(b for b in BELONGINGS if b.file == "events"), asker)
    await connection.close()
    assert {event["event_id"] for event in events} == {event["event_id"] for event in rows["events"]}
    answers = [event for event in rows["events"] if event["event_type"] == "ai.query.processed"]
    assert [answer["data"]["answer"] for answer in answers] == ["otter answer"], "events are opened"
    assert [q["record"]["citations"][0]["path"] for q in rows["questions"]] == ["otter.py"]
    assert {entry["user_id"] for entry in rows["audit"]} == {str(asker.user_id)}
    for secret in (mine["key"], mine["grant"]["refresh_token"], mine["hook"]["secret"], "ghp_otter-token"):
        assert secret not in text
    for mark in ("heron", str(other.user_id), str(other.tenant_id)):
        assert mark not in text
    by_key = await here.site.client.get("/api/v1/me/export", headers={"authorization": f"Bearer {mine['key']}"})
    assert by_key.status_code == 403


async def test_of_a_team_that_others_are_in_one_gets_what_one_asked_and_its_rows_take_little_memory(
    here: Here, database_url: str
) -> None:
    other, asker = await here.person("heron"), await here.person("otter")
    own = asker.tenant_id
    team = await a_team(here, "Team", (other, "owner"), (asker, "member"))
    await enter(here, other, team)
    await enter(here, asker, team)
    await other.works()
    await followed(here.engine)
    await asker.works_with(await other.get("/repositories"))
    await followed(here.engine)

    text, rows, _ = await archive_of(asker)

    assert [q["record"]["query"] for q in rows["questions"]] == ["otter?"]
    assert {event["user_id"] for event in rows["events"]} == {str(asker.user_id)}
    assert rows["repositories"] == rows["analyses"] == rows["webhooks"] == []
    assert "heron answer" not in text
    assert str(other.user_id) not in text

    connection = await asyncpg.connect(database_url)
    await connection.execute(
        """
        INSERT INTO app.part_symbols
        SELECT $1::uuid, 0, n, 'a.py', 'python', 'function', 'f', repeat('x', 300), NULL, 's', 'd', 1, 2, $2::uuid
        FROM generate_series(1, $3::int) n
        """,
        own,
        own,
        MANY,
    )
    await connection.close()
    who = Identity(asker.user_id, own, "", ALL_SCOPES)
    tracemalloc.start()
    pieces = [len(piece) async for piece in here.site.app.state.services.export.archive(who, AT)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pieces) > MANY / 500
    assert peak < MOST
