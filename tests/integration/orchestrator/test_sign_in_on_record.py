"""Who signed in, who was not let in, and who signed out is on record: the person, the session, the reason."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.github import GitHubStandIn
from tests.support.orchestrator import eventually
from tests.support.signing_in import Installation, an_installation

ENTRIES = """
SELECT e.action, e.outcome, e.code, u.login, e.proof, e.proof_id IS NOT NULL AS has_session, e::text AS row
FROM audit.entries e LEFT JOIN auth.users u USING (user_id) WHERE e.action LIKE 'sign_in.%' ORDER BY position
"""


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn() as stand_in:
        yield stand_in


@pytest.fixture
async def here(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[Installation]:
    async with an_installation(
        monkeypatch, github, database_url=database_url, redis_url=redis_url, home=home
    ) as installation:
        yield installation


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
