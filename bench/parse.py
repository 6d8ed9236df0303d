"""How fast files are parsed, beside bare tree-sitter on the same bytes; and how two processes scale.

    python -m bench parse FOLDER… [--rounds N] [--write FILE]

Each language found in the folders is measured alone, file by file, bare parsing and the whole stage in turn, by CPU
time of this process: the best of the rounds for each file, since other work on the machine shows in CPU time, too. The
pool is measured by wall time, all files together, in one process and in two.
"""

import argparse
import asyncio
import gc
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from events.artifacts import SourceRow
from processor.adapters.parser_pool import ParserPool
from processor.languages.detect import file_class_of, language_of
from processor.languages.grammars import LANGUAGES, grammar_of
from processor.stages.parse import parse_source

MAX_BYTES = 1_000_000
MIN_BYTES = 200_000  # a language with less is not worth a figure


def sources(folder: Path) -> Iterator[SourceRow]:
    """The text files below `folder`, as the clone stage would give them."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink() or path.stat().st_size > MAX_BYTES:
            continue
        content = path.read_bytes()
        if b"\0" in content:
            continue
        text, name = content.decode("utf-8", "replace"), str(path.relative_to(folder))
        language = language_of(name, text)
        yield SourceRow(
            path=name,
            blob_id="",
            language=language,
            file_class=file_class_of(name, language, text[:2_000]),
            size=len(content),
            lines=text.count("\n"),
            content=text,
        )


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of this process that `work` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measure_language(language: str, rows: list[SourceRow], rounds: int) -> str:
    """One line of the table: bare parsing against the whole stage."""
    grammar = grammar_of(language)
    assert grammar is not None
    contents = [row.content.encode() for row in rows]
    size = sum(map(len, contents))
    bare, whole = [math.inf] * len(rows), [math.inf] * len(rows)
    for _ in range(rounds):
        for place, (row, content) in enumerate(zip(rows, contents, strict=True)):
            bare[place] = min(bare[place], cpu_seconds(partial(grammar.parser.parse, content)))
            whole[place] = min(whole[place], cpu_seconds(partial(parse_source, row)))
    fast, slow = size / 1e6 / sum(bare), size / 1e6 / sum(whole)
    return f"| {language} | {len(rows):,} | {size / 1e6:.1f} | {fast:.1f} | {slow:.1f} | {fast / slow:.2f} |"


async def pool_seconds(rows: list[SourceRow], size: int) -> tuple[float, dict[str, int]]:
    """Wall time of one shard of all rows in `size` warm processes, and the counts."""

    async def ignore(_done: int, _total: int, _current: str, _share: float) -> None:
        return

    async with ParserPool(size) as pool:
        await pool.parse(rows[: 8 * size], on_progress=ignore, cancelled=lambda: False)
        began = time.perf_counter()
        shard = await pool.parse(rows, on_progress=ignore, cancelled=lambda: False)
        return time.perf_counter() - began, shard.counts


def report(folders: list[Path], rounds: int) -> Iterator[str]:
    """The lines of the report."""
    rows = [row for folder in folders for row in sources(folder)]
    size = sum(row.size for row in rows) / 1e6
    yield f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} when it began; {len(rows):,} files, {size:.1f} MB\n"
    yield "| language | files | MB | bare tree-sitter MB/s | whole stage MB/s | ratio |"
    yield "|---|---|---|---|---|---|"
    for language in LANGUAGES:
        chosen = [row for row in rows if row.language == language]
        if sum(row.size for row in chosen) >= MIN_BYTES:
            yield measure_language(language, chosen, rounds)
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for processes, measured in times.items():
            seconds, counts = asyncio.run(pool_seconds(rows, processes))
            measured.append(seconds)
    one, two = (statistics.median(times[processes]) for processes in (1, 2))
    yield f"\nPool, wall time: 1 process {size / one:.1f} MB/s, 2 processes {size / two:.1f} MB/s ({one / two:.2f}x)"
    yield f"\nCounts: {', '.join(f'{name} {count:,}' for name, count in sorted(counts.items()))}"


def main() -> None:
    """Measure and print; with `--write` also to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    gc.disable()  # as in the parsing processes
    lines = []
    for line in report(arguments.folders, arguments.rounds):
        print(line, flush=True)
        lines.append(line)
    if arguments.write:
        arguments.write.write_text("\n".join(lines) + "\n", encoding="utf-8")
