"""Does what is left of an analysis until it is killed: the servers' addresses, a folder, the stage that kills it.

Then the name of the model that embeds for full generations, where it is another one.

Ends with 0 where nothing was left to be done and nobody killed it.
"""

import asyncio
import sys
from pathlib import Path

from events.processing import Stage
from processor.adapters.parser_pool import ParserPool
from tests.fakes.embedder import WordEmbedder
from tests.support.index import an_index
from tests.support.jobs import Bench
from tests.support.kennel import BROKEN
from tests.support.pipeline import SMALL, a_pipeline


async def main(database: str, redis: str, chroma: str, folder: str, stage: str, model: str = "") -> None:
    async with an_index(database, redis, Path(folder), chroma) as index, ParserPool(1) as pool:
        index.full = WordEmbedder(model) if model else index.full
        pipeline = a_pipeline(index, Bench(Path(folder), limits=SMALL), pool)
        pipeline.dies_at = Stage(stage)
        await pipeline.go_on(BROKEN)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
