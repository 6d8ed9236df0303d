"""An installation where people sign in with GitHub, for the tests that want one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.github import GitHubStandIn
from tests.support.signing_in import Installation, an_installation


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
