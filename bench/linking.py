"""What linking alone takes, by the number of files: a process of its own over what parsing said of a drawn repository.

`python -m bench linking FOLDER REPOSITORY.git ... [--files 5000 50000]` draws repositories of so many files, reads and
parses them as the stages do into FOLDER (once: what is there is taken), links each in a process of its own and prints
the highest resident size, processor time and a digest of the graph, which two versions of the code can be compared by.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import psutil
import pyarrow as pa

from bench.drawn_repository import draw, shards_of
from events.artifacts import EdgeRow, SourceRow, SymbolRow
from processor.linking.meanings import Known
from processor.linking.own_modules import is_wanted, known_of
from processor.stages.link import EDGE_COLUMNS, MEASURE_COLUMNS, SYMBOL_COLUMNS, Repository, link
from processor.stages.parse import parse_source
from runtime.parquet import read_table, schema_of, write_table

_MEBI = 1 << 20


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench linking")
    parser.add_argument("folder", type=Path, help="where what was parsed is kept")
    parser.add_argument("repositories", nargs="*", type=Path, help="bare repositories to draw files from")
    parser.add_argument("--files", nargs="+", type=int, default=[5_000, 50_000])
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        _measure(arguments.folder)
        return
    sources = [repository.absolute() for repository in arguments.repositories]
    for files in arguments.files:
        folder = arguments.folder / str(files)
        if not (folder / "files.json").exists():
            _prepare(sources, files, folder)
        print(f"{files:,} files, load {os.getloadavg()[0]:.1f}", flush=True)
        subprocess.run([sys.executable, "-m", "bench.linking", str(folder), "--one"], check=True)


def _prepare(sources: Sequence[Path], files: int, folder: Path) -> None:
    """Draw, read and parse."""
    folder.mkdir(parents=True, exist_ok=True)
    repository = folder / "drawn.git"
    if not repository.exists():
        draw(sources, files, repository)
    languages: dict[str, str | None] = {}
    manifests: list[tuple[str, str]] = []
    with multiprocessing.Pool(2) as pool:
        work = pool.imap(partial(_parse, folder), enumerate(_shards(repository, languages, manifests)))
        print("shards:", sum(1 for _ in work), flush=True)
    (folder / "files.json").write_text(json.dumps({"languages": languages, "manifests": manifests}))


def _shards(
    repository: Path, languages: dict[str, str | None], manifests: list[tuple[str, str]]
) -> Iterator[list[SourceRow]]:
    for rows in shards_of(repository):
        languages.update((row.path, row.language) for row in rows)
        manifests.extend((row.path, row.content) for row in rows if is_wanted(row.path))
        yield rows


def _parse(folder: Path, numbered: tuple[int, list[SourceRow]]) -> int:
    shard, sources = numbered
    parsed = [parse_source(source) for source in sources]
    symbols = pa.Table.from_pylist([row for one in parsed for row in one.symbols], schema=schema_of(SymbolRow))
    edges = pa.Table.from_pylist([row for one in parsed for row in one.edges], schema=schema_of(EdgeRow))
    (folder / f"symbols-{shard:05}.parquet").write_bytes(write_table(symbols))
    (folder / f"edges-{shard:05}.parquet").write_bytes(write_table(edges))
    return shard


def _measure(folder: Path) -> None:
    """Link, in this process, which does nothing else."""
    repository = _repository(folder)
    before, began, wall = psutil.Process().memory_info().rss, time.process_time(), time.monotonic()
    linked = link(repository)
    took, lasted = time.process_time() - began, time.monotonic() - wall
    peak = highest()
    facts = json.dumps(linked.facts, sort_keys=True).encode()
    tables = {"imports": linked.imports, "links": linked.links, "connections": linked.connections}
    digests = {name: hashlib.sha256(table.content).hexdigest()[:12] for name, table in tables.items()}
    rows = ", ".join(f"{table.num_rows:,} {name}" for name, table in tables.items())
    print(f"  {rows}; {digests} {hashlib.sha256(facts).hexdigest()[:12]}")
    print(f"  before {before / _MEBI:,.0f} MiB, highest {peak:,.0f}; {took:.1f} s processor time, {lasted:.1f} s")


def highest() -> float:
    """The highest resident size of this process, MiB; `getrusage` would count that of the one which started it."""
    said = Path("/proc/self/status").read_text()
    return int(said.split("VmHWM:")[1].split()[0]) / 1_024


def _repository(folder: Path) -> Repository:
    said = json.loads((folder / "files.json").read_text())
    known: Known = known_of(((path, text) for path, text in said["manifests"]), {})
    columns = tuple(dict.fromkeys((*SYMBOL_COLUMNS, *MEASURE_COLUMNS)))
    return Repository(
        said["languages"], _tables(folder, "symbols", columns), _tables(folder, "edges", EDGE_COLUMNS), known
    )


def _tables(folder: Path, kind: str, columns: Sequence[str]) -> Callable[[], Iterator[tuple[int, pa.Table]]]:
    paths = sorted(folder.glob(f"{kind}-*.parquet"))
    return lambda: ((shard, read_table(path.read_bytes(), columns)) for shard, path in enumerate(paths))


if __name__ == "__main__":
    main()
