"""The ordering experiment: many writers with pauses inside their transactions, and a reader at the tail.

Positions are handed out before commit. Whoever reads `position > cursor` misses what was handed out earlier and
committed later; whoever reads the feed misses nothing.
"""

import asyncio
import random

from sqlalchemy import text

from events.log.postgres import append_in
from events.log.sequencer import sequence
from tests.support.delivery import Kernel
from tests.support.kernel import requested

_WRITERS, _EACH, _BATCH = 8, 15, 3


async def _write(kernel: Kernel, number: int, random_: random.Random) -> None:
    for count in range(_EACH):
        async with kernel.engine.begin() as connection:
            await append_in(connection, f"analysis/{number}", [requested(number * 100 + count) for _ in range(_BATCH)])
            await asyncio.sleep(random_.uniform(0, 0.02))


async def _read_naively(kernel: Kernel, seen: list[int], done: asyncio.Event) -> None:
    """The position is the cursor: what everybody writes first."""
    cursor = 0
    query = text("SELECT position FROM es.events WHERE position > :cursor ORDER BY position LIMIT 500")
    while True:
        is_last = done.is_set()
        async with kernel.engine.connect() as connection:
            positions = list((await connection.execute(query, {"cursor": cursor})).scalars())
        seen += positions
        cursor = positions[-1] if positions else cursor
        if is_last and not positions:
            return
        await asyncio.sleep(0)


async def _read_the_feed(kernel: Kernel, seen: list[tuple[int, str, int]], done: asyncio.Event) -> None:
    cursor = 0
    while True:
        is_last = done.is_set()
        moved = await sequence(kernel.engine)
        envelopes = await kernel.journal.read_feed(after=cursor, limit=500)
        seen += [(envelope.seq or 0, envelope.stream_id, envelope.version) for envelope in envelopes]
        cursor += len(envelopes)
        if is_last and not envelopes and not moved:
            return


async def test_the_feed_misses_nothing_where_the_position_as_a_cursor_does(kernel: Kernel) -> None:
    naive: list[int] = []
    fed: list[tuple[int, str, int]] = []
    done = asyncio.Event()
    readers = asyncio.gather(_read_naively(kernel, naive, done), _read_the_feed(kernel, fed, done))

    await asyncio.gather(*(_write(kernel, number, random.Random(number)) for number in range(_WRITERS)))
    done.set()
    await readers

    total = _WRITERS * _EACH * _BATCH
    assert [seq for seq, _, _ in fed] == list(range(1, total + 1))
    for number in range(_WRITERS):
        versions = [version for _, stream, version in fed if stream == f"analysis/{number}"]
        assert versions == list(range(1, _EACH * _BATCH + 1))
    assert len(naive) < total, "the experiment proves nothing: the naive reader was lucky"
