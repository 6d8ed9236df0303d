"""What is wrong says what to do, and one check that takes too long or fails leaves what the others found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from events.replay.doctor import Limits, examine


class Hanging:
    """A database that takes a connection and says nothing."""

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[None]:
        await asyncio.sleep(60)
        yield


class Valkey:
    """One that lost what it has of a topic, but for an old entry that nobody is at work on."""

    async def xrange(self, *_: object) -> list[object]:
        raise ConnectionRefusedError("nobody listens")

    async def xpending_range(self, *_: object, **_named: object) -> list[dict[str, Any]]:
        return [{"message_id": b"1-7"}]


async def test_each_check_has_its_own_time_and_each_finding_its_remedy() -> None:
    engine, redis = cast("AsyncEngine", Hanging()), cast("Redis", Valkey())

    found = await examine(engine, redis, consumers={"work": ["parsers"]}, limits=Limits(check=0.05))

    said = {finding.name: finding.detail for finding in found if not finding.ok}
    assert said == {
        "log": "not examined within 0.05 s. Try again when less is going on.",
        "transport": "cannot be examined: ConnectionRefusedError: nobody listens. "
        "See that PostgreSQL and Valkey answer.",
        "pending of parsers": "forgotten: 1-7. It is brought back by itself within minutes where its service and an "
        "orchestrator run: see their logs.",
        "inbox": "not examined within 0.05 s. Try again when less is going on.",
    }
