"""A round of housekeeping that finds no database waits for it; any other failure is told with where it came from."""

import asyncio
import logging
from uuid import UUID

import pytest

from rag_manager.housekeeping import Chores, Housekeeping


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (ConnectionRefusedError(111, "Connection refused"), logging.WARNING, "waits for the database"),
        (ZeroDivisionError("a fault of ours"), logging.ERROR, "failed"),
    ],
)
async def test_a_round_waits_for_a_database_that_is_away(
    error: Exception, level: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    tried = asyncio.Event()

    async def forget() -> None:
        tried.set()
        raise error

    async def nothing() -> None:
        return

    class Idle(Housekeeping):
        def __init__(self) -> None:
            """With nothing to look after."""

        async def sweep(self) -> None:
            return

        async def mend(self) -> list[UUID]:
            return []

    chores = Chores(Idle(), forget, nothing, sweep_every=0.01, mend_every=60.0)
    chores.start()
    await asyncio.wait_for(tried.wait(), 5)
    await chores.stop()

    told = [record for record in caplog.records if record.name == "rag_manager.housekeeping"]
    assert {(each.levelno, said in each.getMessage()) for each in told} == {(level, True)}
    assert all((each.exc_info is None) == (level == logging.WARNING) for each in told)
