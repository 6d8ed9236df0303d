"""How long a hybrid search takes, by the number of passages, beside its vector server and its lexicon alone.

`python -m bench search FOLDER REPOSITORY.git ... [--passages 10000 100000] [--questions 300]` draws repositories of so
many passages from real ones, reads and parses them as the stages do into FOLDER (once: what is there is taken), indexes
and embeds them by the product's own stages on servers of its own, and asks: no question twice, each also of the vector
server and of the lexicon alone. Writes bench/results/search.md.
"""

import argparse
import asyncio
import multiprocessing
import os
import platform
import random
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq
import uvloop

from bench.drawn_repository import draw, shards_of
from bench.machine import yardstick
from bench.servers import start_servers
from events.artifacts import ArtifactKind, ArtifactRef, ChunkRow, SourceRow, SymbolRow
from events.base import LOCAL_TENANT
from events.index import GenerationKind
from events.question import SearchRequest
from processor.stages.parse import parse_source
from rag_manager.adapters.onnx_model import load_full
from rag_manager.adapters.static_table import load_quick
from rag_manager.dense_search import DENSE_DEPTH
from rag_manager.models.build import ensure_models
from rag_manager.ports import Embedder
from rag_manager.rows import reading
from rag_manager.rows.reading import Served
from rag_manager.search import LEXICAL_DEPTH, Search
from rag_manager.serving import Loaded, ServingCache
from rag_manager.stages.read_question import read_question
from runtime.parquet import schema_of, write_rows, write_table
from runtime.tenancy import TenantDatabase
from tests.fakes.embedder import WordEmbedder
from tests.support.index import REPOSITORY, AnAnalysis, Index, an_index

RESULTS = Path(__file__).parent / "results" / "search.md"
_A_FILE = 7.8  # passages, of what is drawn
_WARM = 40  # questions before time is taken
_AIMED = {10_000: 30, 100_000: 40, 1_000_000: 80}  # ms, p95
_KINDS = (ArtifactKind.SOURCES, ArtifactKind.SYMBOLS, ArtifactKind.CHUNKS)
_SENTENCES = ("How does {} work?", "Where is {} used?", "What can go wrong in {}?", "{}")


@dataclass
class Run:
    """Milliseconds of each question: the search, its vector server alone, its lexicon alone, the full model alone."""

    passages: int
    load: float
    yardstick: float
    hybrid: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)  # of the search, in processor time of this process
    vectors: list[float] = field(default_factory=list)
    lexicon: list[float] = field(default_factory=list)
    model: list[float] = field(default_factory=list)


def prepare(sources: Sequence[Path], passages: int, folder: Path) -> None:
    """Draw, read and parse, unless that was done."""
    if (folder / "done").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "drawn.git").exists():
        draw(sources, round(passages / _A_FILE), folder / "drawn.git")
    with multiprocessing.Pool(2) as pool:
        work = pool.imap(partial(_parse, folder), enumerate(shards_of(folder / "drawn.git")))
        print("shards:", sum(1 for _ in work), flush=True)
    (folder / "done").touch()


def _parse(folder: Path, numbered: tuple[int, list[SourceRow]]) -> int:
    shard, sources = numbered
    parsed = [parse_source(source) for source in sources]
    symbols = pa.Table.from_pylist([row for one in parsed for row in one.symbols], schema=schema_of(SymbolRow))
    chunks = pa.Table.from_pylist([row for one in parsed for row in one.chunks], schema=schema_of(ChunkRow))
    (folder / f"sources-{shard:05}.parquet").write_bytes(write_rows(SourceRow, sources))
    (folder / f"symbols-{shard:05}.parquet").write_bytes(write_table(symbols))
    (folder / f"chunks-{shard:05}.parquet").write_bytes(write_table(chunks))
    return shard


async def _stored(index: Index, files: Mapping[ArtifactKind, Sequence[Path]]) -> AnAnalysis:
    """An analysis whose parse stage is done."""
    refs: dict[ArtifactKind, list[ArtifactRef]] = {kind: [] for kind in files}
    for kind, found in refs.items():
        for shard, path in enumerate(files[kind]):
            content = path.read_bytes()
            stored = await index.backends.objects.put(str(kind), ".parquet", content)
            rows = pq.ParquetFile(pa.BufferReader(content)).metadata.num_rows
            sha256 = stored.sha256
            found.append(
                ArtifactRef(kind=kind, key=stored.key, sha256=sha256, rows=rows, bytes=stored.bytes, shard=shard)
            )
    return AnAnalysis(1, refs[ArtifactKind.SOURCES], refs[ArtifactKind.SYMBOLS], refs[ArtifactKind.CHUNKS])


def questions_of(folder: Path) -> Iterator[str]:
    """Names and first lines of descriptions of definitions, in any order, no two questions the same."""
    asked: list[str] = []
    for path in sorted(folder.glob("symbols-*.parquet"))[:40]:
        table = pq.read_table(path, columns=["name", "docstring"])
        names, said = (table.column(name).to_pylist() for name in ("name", "docstring"))
        sentences = zip(names, said, range(len(names)), strict=True)
        for name, docstring, number in sentences:
            first = (docstring or "").strip().split("\n")[0]
            asked.append(first if len(first) > 20 else _SENTENCES[number % len(_SENTENCES)].format(name))
    unique = list(dict.fromkeys(asked))
    random.Random(7).shuffle(unique)  # the same ones in every run
    return iter(unique)


@dataclass(frozen=True)
class Parts:
    """A search, and what it stands on."""

    search: Search
    index: Index
    served: Served
    loaded: Loaded
    quick: Embedder
    full: Embedder

    async def hybrid(self, query: str) -> None:
        """All of it."""
        reply = await self.search(SearchRequest(tenant_id=LOCAL_TENANT, repository_id=REPOSITORY, query=query))
        assert reply.degraded is None, reply.degraded

    async def vectors(self, query: str) -> None:
        """The vector server alone, and the quick model."""
        vector = self.quick.embed([query], question=True)[0]
        await self.index.backends.vectors.query(self.served.collection or "", vector, DENSE_DEPTH)

    async def lexicon(self, query: str) -> None:
        """The lexicon alone."""
        await asyncio.to_thread(self.loaded.lexicon.search, read_question(query).tokens, LEXICAL_DEPTH)

    async def model(self, query: str) -> None:
        """The full model alone."""
        await asyncio.to_thread(self.full.embed, [query], question=True)


async def measure(index: Index, models: Path, questions: Iterator[str], count: int) -> Run:
    """Ask."""
    cache = ServingCache(TenantDatabase(index.backends.engine), index.backends.objects, index.lexicon)
    quick, full = load_quick(models), load_full(models)
    embedders = {GenerationKind.QUICK: quick, GenerationKind.FULL: full}
    search = Search(cache, index.backends.vectors, embedders, index.backends.turns)
    served = await reading.served_by_repository(cache.rows, LOCAL_TENANT, REPOSITORY)
    assert served is not None
    parts = Parts(search, index, served, await cache.get(LOCAL_TENANT, served), quick, full)
    run = Run(served.chunks, os.getloadavg()[0], yardstick())
    works = ((parts.hybrid, run.hybrid), (parts.vectors, run.vectors), (parts.lexicon, run.lexicon))
    for number, query in enumerate(islice(questions, _WARM + count)):
        for work, took in works if number % 2 else works[::-1]:  # whoever asks second finds all warm
            began, busy = time.perf_counter(), time.process_time()
            await work(query)
            took.append((time.perf_counter() - began) * 1_000)
            if took is run.hybrid:
                run.own.append((time.process_time() - busy) * 1_000)
        began = time.perf_counter()
        await parts.model(query)
        run.model.append((time.perf_counter() - began) * 1_000)
    run.yardstick = (run.yardstick + yardstick()) / 2
    full.close()
    return run


async def _runs(folder: Path, models: Path, questions: int, rounds: int) -> list[Run]:
    with TemporaryDirectory(prefix="bench-search-") as name, ExitStack() as stack:
        home = Path(name)
        urls = start_servers(home, stack)
        async with an_index(urls[0], urls[1], home, urls[2]) as made:
            index = replace(made, quick=cast("WordEmbedder", load_quick(models)))
            analysis = await _stored(index, {kind: sorted(folder.glob(f"{kind}-*.parquet")) for kind in _KINDS})  # noqa: ASYNC240  # nobody waits
            for step in (index.index, index.embed, index.activate):
                began = time.monotonic()
                await step(analysis)
                print(f"{step.__name__}: {time.monotonic() - began:.0f} s", flush=True)
            return [await measure(index, models, questions_of(folder), questions) for _ in range(rounds)]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench search")
    parser.add_argument("folder", type=Path, help="where what was parsed is kept")
    parser.add_argument("repositories", nargs="*", type=Path, help="bare repositories to draw files from")
    parser.add_argument("--passages", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    models = asked.folder / "models"
    ensure_models(models)
    found: dict[int, list[Run]] = {}
    for passages in asked.passages:
        prepare([repository.absolute() for repository in asked.repositories], passages, asked.folder / str(passages))
        found[passages] = uvloop.run(_runs(asked.folder / str(passages), models, asked.questions, asked.rounds))
    told = report(found, asked.questions)
    RESULTS.write_text(told, "utf-8")
    print(told)


def report(found: dict[int, list[Run]], questions: int) -> str:
    """What is written down: all rounds."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    rows = "\n".join(_row(aimed, run) for aimed, runs in found.items() for run in runs)
    return f"""# Hybrid search

`python -m bench search` on {machine}, {datetime.now(UTC):%Y-%m-%d}, all rounds; {questions} questions each, no two the
same, so that nothing is remembered. The passages are drawn from real repositories, the vectors are the quick model's.

*Search* is all of it in rag_manager, from the question to the passages with their text: ms by the clock, p50 / p95, and
of its own processor time. Beside it, of the same questions, what it stands on, each alone: the vector server (its
nearest {DENSE_DEPTH}, through the client), the lexicon (its best {LEXICAL_DEPTH}), and the full model, which embeds the
question where the full generation serves. The yardstick is millions of additions a second by the clock on one core:
where it is lower, other work had the machine.

| passages | load | yardstick | search | aimed at (p95) | own processor time | vector server | lexicon | full model |
|---|---|---|---|---|---|---|---|---|
{rows}
"""


def _row(passages: int, run: Run) -> str:
    cells = [_both(values[_WARM:]) for values in (run.hybrid, run.own, run.vectors, run.lexicon, run.model)]
    cells.insert(1, f"≤ {_AIMED[passages]}" if passages in _AIMED else "")
    return f"| {run.passages:,} | {run.load:.1f} | {run.yardstick:.1f} | {' | '.join(cells)} |"


def _both(values: Sequence[float]) -> str:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return f"{cuts[49]:.1f} / {cuts[94]:.1f}"
