"""Processes that keep the read model of repositories up to date, each with its release's version of the projection."""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Envelope
from events.log.postgres import PostgresJournal
from orchestrator.projections.overview import Overview
from orchestrator.projections.runner import Runner, Step
from runtime.settings import BrokerSettings
from tests.faults.workers import _live

_MARK = text("UPDATE app.repositories SET name = :mark WHERE repository_id = ANY (:ids)")


class Release(Overview):
    """The projection as one release has it: another version, and rows that tell who wrote them."""

    def __init__(self, version: int, *, batch: int = 500) -> None:
        super().__init__()
        self.version = version
        self.batch = batch

    async def prepare(self, envelopes: Sequence[Envelope]) -> Step:
        """As every release does, and then the mark."""
        step = await super().prepare(envelopes)
        ids = [UUID(e.stream_id.partition("/")[2]) for e in envelopes if e.stream_id.startswith("repository/")]

        async def write(connection: AsyncConnection) -> None:
            await step.write(connection)
            await connection.execute(_MARK, {"mark": f"of {self.version}", "ids": ids})

        return Step(step.taken, write)


def projector(database_url: str, redis_url: str, version: int) -> None:
    """Project for ever, a few events at a time."""

    async def main(engine: AsyncEngine, _: BrokerSettings) -> None:
        projection = Release(version, batch=5)
        await Runner(engine, PostgresJournal(engine), projection, partial(asyncio.sleep, 0.01)).run()

    _live(main, database_url, redis_url)
