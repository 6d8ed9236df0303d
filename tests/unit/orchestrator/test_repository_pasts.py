"""The pasts of analyses are folded beside the event loop, each page once however many look at the same moment."""

import asyncio
import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from orchestrator.adapters import repository_pasts
from orchestrator.adapters.repository_pasts import RepositoryPasts

TENANT, REPOSITORY, STREAM = UUID(int=1), UUID(int=2), f"analysis/{UUID(int=3)}"


class Steps:
    """What a stream is folded into: which versions it took, and in which threads."""

    def __init__(self) -> None:
        self.version = 0
        self.taken: list[int] = []
        self.threads: set[int] = set()

    def extend(self, page: Sequence[Any]) -> None:
        self.threads.add(threading.get_ident())
        self.taken += [each.version for each in page]
        self.version = self.taken[-1]


class Log:
    """A stream of four events that is read two at a time. `holds` keeps reading back."""

    def __init__(self) -> None:
        self.holds = asyncio.Event()
        self.holds.set()

    async def read_stream(self, _stream_id: str, *, after: int, limit: int) -> list[Any]:
        assert limit
        await asyncio.sleep(0)
        if after == 2:
            await self.holds.wait()
        return [SimpleNamespace(version=version) for version in range(after + 1, min(after + 3, 5))]


async def streams_of(_tenant: UUID, _repository: UUID, _most: int) -> tuple[dict[str, int], int]:
    return {STREAM: 4}, 1


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Steps]:
    found: list[Steps] = []

    def analysis_steps() -> Steps:
        found.append(Steps())
        return found[-1]

    monkeypatch.setattr(repository_pasts, "analysis_steps", analysis_steps)
    return found


async def test_two_who_look_at_once_fold_it_once_and_not_on_the_loop(made: list[Steps]) -> None:
    pasts, log = RepositoryPasts(streams_of), Log()
    journal: Any = log

    both = await asyncio.gather(*(pasts.analyses(journal, TENANT, REPOSITORY) for _ in range(2)))

    assert [one.taken for one in made] == [[1, 2, 3, 4]]
    assert both[0].steps == both[1].steps
    assert threading.get_ident() not in made[0].threads


async def test_what_somebody_left_half_folded_is_begun_anew(made: list[Steps]) -> None:
    pasts, log = RepositoryPasts(streams_of), Log()
    journal: Any = log
    log.holds.clear()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pasts.analyses(journal, TENANT, REPOSITORY), 0.1)
    log.holds.set()

    await pasts.analyses(journal, TENANT, REPOSITORY)

    assert [one.taken for one in made] == [[1, 2], [1, 2, 3, 4]]
