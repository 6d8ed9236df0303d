"""What no grammar was made for: noise, text with bytes changed, nesting without end. Other files are not disturbed."""

import random

from events.artifacts import SourceRow
from processor.adapters.parser_pool import ParsedShard, ParserPool
from processor.adapters.parser_process import Limits
from processor.stages.parse import parse_source
from tests.support.language_samples import GOLDEN
from tests.support.sources import a_source

NESTED = ("(", "[", "{a:", "<a>", "- ")
DEPTH = 2_000


def noise(path: str) -> str:
    source = random.Random(path)
    return bytes(source.randrange(256) for _ in range(5_000)).decode("utf-8", "replace")


def mutated(path: str) -> str:
    source = random.Random(path)
    text = list(GOLDEN[path][0] * 5)
    for _ in range(len(text) // 20):
        text[source.randrange(len(text))] = chr(source.randrange(1, 0x250))
    return "".join(text)


async def parse(rows: list[SourceRow], limits: Limits) -> ParsedShard:
    async def ignore(_done: int, _total: int, _current: str, _share: float) -> None:
        return

    async with ParserPool(2, limits) as pool:
        return await pool.parse(rows, on_progress=ignore, cancelled=lambda: False)


async def test_noise_and_mutated_text_of_every_language_are_read_as_far_as_they_go() -> None:
    rows = [a_source(f"{make.__name__}/{path}", make(path)) for path in GOLDEN for make in (noise, mutated)]
    outcomes = (await parse(rows, Limits())).outcomes.to_pylist()

    assert [outcome["path"] for outcome in outcomes] == [row.path for row in rows]
    assert {outcome["outcome"] for outcome in outcomes} == {"parsed", "lines"}


async def test_nesting_without_end_in_every_language_disturbs_no_other_file() -> None:
    deep = [a_source(f"{place}/{path}", text * DEPTH) for path in GOLDEN for place, text in enumerate(NESTED)]
    sound = [a_source(f"sound/{path}", text) for path, (text, *_) in GOLDEN.items()]
    shard = await parse([*deep, *sound], Limits(soft_seconds=2, seconds=60))

    outcomes = shard.outcomes.to_pylist()
    assert [outcome["path"] for outcome in outcomes] == [row.path for row in (*deep, *sound)]
    assert outcomes[len(deep) :] == [parse_source(row).outcome for row in sound]
