"""How fast passages are embedded through the whole stage, beside the model alone in the same run.

`python -m bench embedding_stage [--models FOLDER] [--quick 6000] [--full 512] [--rounds 3]` puts pieces of the standard
library's source, 212 word pieces each as in `bench embedding`, into shards and runs the product's embed and refine
stages over them on servers of its own, with as many side by side as rag_manager has: from the request to the recorded
result, with secrets taken out, texts hashed, artifacts stored and, of the quick model, vectors written ahead to the
vector server. In turn with the model alone, given the same texts. Writes bench/results/embedding_stage.md.
"""

import argparse
import asyncio
import os
import platform
import statistics
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import cast

import uvloop
from sqlalchemy import text

from bench.embedding import PIECES, chunks_of
from bench.machine import yardstick
from bench.servers import start_servers
from events.artifacts import ArtifactKind, ArtifactRef, ChunkRow
from events.processing import Stage
from rag_manager.adapters.onnx_model import load_full
from rag_manager.adapters.static_table import load_quick
from rag_manager.models.build import ensure_models
from rag_manager.ports import Embedder
from rag_manager.settings import RagSettings
from runtime.parquet import write_rows
from runtime.settings import HomeSettings
from tests.fakes.embedder import WordEmbedder
from tests.support.index import AnAnalysis, Index, an_index

RESULTS = Path(__file__).parent / "results" / "embedding_stage.md"
_YARDSTICKS = {Stage.EMBED: 4_400, Stage.REFINE: 81}  # chunks a second, of the design
_NAMES = {Stage.EMBED: "quick", Stage.REFINE: "full"}
_A_SHARD = {Stage.EMBED: 2_000, Stage.REFINE: 128}  # passages
_AIMED = 0.6


@dataclass(frozen=True)
class Run:
    """Of one model in one round: passages, and what they took alone and through the stage, by the clock and worked."""

    stage: Stage
    passages: int
    load: float
    yardstick: float
    alone: tuple[float, float]
    whole: tuple[float, float]

    def rate(self, took: tuple[float, float], place: int) -> float:
        """Passages a second of the clock (0) or of this process's processor time (1)."""
        return self.passages / took[place]


async def _analysis(index: Index, number: int, texts: Sequence[str], a_shard: int) -> AnAnalysis:
    """One whose parse stage is done."""
    chunks: list[ArtifactRef] = []
    for shard, part in enumerate(_parts(texts, a_shard)):
        rows = [_row(f"part{shard}/file{place // 8}.py", each) for place, each in enumerate(part)]
        content = write_rows(ChunkRow, rows)
        stored = await index.backends.objects.put("chunks", ".parquet", content)
        kind = ArtifactKind.CHUNKS
        ref = ArtifactRef(
            kind=kind, key=stored.key, sha256=stored.sha256, rows=len(rows), bytes=stored.bytes, shard=shard
        )
        chunks.append(ref)
    return AnAnalysis(number, [], [], chunks)


def _parts(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (texts[start : start + size] for start in range(0, len(texts), size))


def _row(path: str, content: str) -> ChunkRow:
    digest = sha256(content.encode()).hexdigest()
    place = {"first_line": 1, "last_line": 1 + content.count("\n"), "language": "python", "file_class": "code"}
    named = {"chunk_id": sha256(f"{path}\n{digest}".encode()).hexdigest(), "path": path, "header": ""}
    return ChunkRow(**named, **place, text=content, symbols=[], text_sha256=digest)


async def _whole(index: Index, analysis: AnAnalysis, stage: Stage, slots: int) -> tuple[float, float]:
    """Seconds by the clock and of this process's processor time, of all shards."""
    async with index.backends.engine.begin() as connection:
        await connection.execute(text("TRUNCATE rag.embeddings"))
    asked = [
        await index.request(analysis, stage, [chunks], shard=shard) for shard, chunks in enumerate(analysis.chunks)
    ]
    free = asyncio.Semaphore(slots)

    async def one(place: int) -> int:
        async with free:
            result = await index.run(asked[place])
        return sum(draft.event.counts["embedded"] for append in result.appends for draft in append.drafts)  # type: ignore[attr-defined]  # they completed

    began, worked = time.perf_counter(), time.process_time()
    embedded = sum(await asyncio.gather(*map(one, range(len(asked)))))
    took = time.perf_counter() - began, time.process_time() - worked
    assert embedded == sum(chunks.rows for chunks in analysis.chunks), embedded
    return took


async def _alone(model: Embedder, texts: Sequence[str]) -> tuple[float, float]:
    """The same of the model alone, given them in the stage's order and as many as it takes at once."""
    ordered = sorted(texts, key=len)

    def embed() -> None:
        for part in _parts(ordered, model.max_batch):
            model.embed(part)

    began, worked = time.perf_counter(), time.process_time()
    await asyncio.to_thread(embed)
    return time.perf_counter() - began, time.process_time() - worked


async def _measure(home: Path, models: Path, passages: dict[Stage, int], rounds: int) -> list[Run]:
    settings = RagSettings()
    slots = {Stage.EMBED: settings.embed_slots, Stage.REFINE: settings.refine_slots}
    pieces = list(dict.fromkeys(chunks_of(Path(sysconfig.get_path("stdlib")), max(passages.values()))))
    runs: list[Run] = []
    with ExitStack() as stack:
        urls = start_servers(home, stack)
        full = load_full(models)
        stack.callback(full.close)
        async with an_index(urls[0], urls[1], home, urls[2]) as made:
            numbers = count(1)
            for _ in range(rounds):
                for stage in _NAMES:
                    texts = pieces[: passages[stage]]
                    before, load = yardstick(), os.getloadavg()[0]
                    alone = await _alone(load_quick(models) if stage is Stage.EMBED else full, texts)
                    # A quick model of its own: one remembers the words that it met.
                    index = replace(
                        made, quick=cast("WordEmbedder", load_quick(models)), full=cast("WordEmbedder", full)
                    )
                    analysis = await _analysis(index, next(numbers), texts, _A_SHARD[stage])
                    whole = await _whole(index, analysis, stage, slots[stage])
                    runs.append(Run(stage, len(texts), load, (before + yardstick()) / 2, alone, whole))
    return runs


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench embedding_stage")
    parser.add_argument("--models", type=Path, default=HomeSettings().home / "models")
    parser.add_argument("--quick", type=int, default=6_000, help="passages of the quick model")
    parser.add_argument("--full", type=int, default=512, help="passages of the full model")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    ensure_models(asked.models)
    with tempfile.TemporaryDirectory(prefix="bench-embedding-") as name:
        passages = {Stage.EMBED: asked.quick, Stage.REFINE: asked.full}
        runs = uvloop.run(_measure(Path(name), asked.models, passages, asked.rounds))
    told = report(runs)
    RESULTS.write_text(told, "utf-8")
    print(told)


def report(runs: Sequence[Run]) -> str:
    """What is written down: all rounds."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    rows = "\n".join(map(_told, sorted(runs, key=lambda run: run.stage)))
    shares = "; ".join(_share(stage, [run for run in runs if run.stage is stage]) for stage in _NAMES)
    return f"""# Embedding through the whole stage

`python -m bench embedding_stage` on {machine}, {datetime.now(UTC):%Y-%m-%d}, all rounds. Passages of {PIECES} word
pieces; the stage from its request to its recorded result, on PostgreSQL, Valkey and Chroma of its own that share the
cores; the quick one also writes its vectors ahead to Chroma. A passage a second by the clock, in brackets by processor
time of this process alone. The yardstick column is millions of additions a second on one core: lower, where other work
had the machine.

| model | passages | load | yardstick | alone | through the stage | stage / alone |
|---|---|---|---|---|---|---|
{rows}

Medians through the stage, by the clock ({_AIMED} aimed at): {shares}.
"""


def _share(stage: Stage, runs: Sequence[Run]) -> str:
    alone = statistics.median(run.alone[0] / run.whole[0] for run in runs)
    rate = statistics.median(run.rate(run.whole, 0) for run in runs)
    yardstick = _YARDSTICKS[stage]
    return f"{_NAMES[stage]} {alone:.2f} of the model alone, {rate / yardstick:.2f} of the yardstick's {yardstick:,}"


def _told(run: Run) -> str:
    alone, whole = (f"{run.rate(took, 0):,.0f} ({run.rate(took, 1):,.0f})" for took in (run.alone, run.whole))
    return (
        f"| {_NAMES[run.stage]} | {run.passages:,} | {run.load:.1f} | {run.yardstick:.1f} | {alone} | {whole}"
        f" | {run.alone[0] / run.whole[0]:.2f} |"
    )
