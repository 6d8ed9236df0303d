"""Uploads take turns, and one tenant never has all of them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from orchestrator.adapters.uploads import Uploads
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity


async def test_senders_who_send_nothing_keep_only_their_own_tenant_waiting() -> None:
    nothing: Any = None  # what has no kind is refused before anything is stored
    uploads = Uploads(nothing, nothing, nothing, lambda: datetime.now(UTC), limit=1_000)
    silent, begun = asyncio.Event(), []

    async def slow(number: int) -> AsyncIterator[bytes]:
        begun.append(number)
        await silent.wait()
        yield b"no archive"

    async def quick() -> AsyncIterator[bytes]:
        yield b"no archive"

    def who(number: int) -> Identity:
        return Identity(UUID(int=number), UUID(int=number), "x", frozenset())

    waiting = [asyncio.create_task(uploads.receive(who(1), "a.zip", slow(n))) for n in range(20)]
    await asyncio.sleep(0.05)
    with pytest.raises(ApiProblem) as caught:
        async with asyncio.timeout(2):
            await uploads.receive(who(2), "b.zip", quick())
    at_once = len(begun)
    silent.set()
    ends = await asyncio.gather(*waiting, return_exceptions=True)

    assert caught.value.code == "archive_unknown"
    assert 1 < at_once < 8
    assert len(begun) == 20
    assert {getattr(end, "code", None) for end in ends} == {"archive_unknown"}
