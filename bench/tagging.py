"""How long parsing takes beside universal-ctags over the same files.

    python -m bench tagging FOLDER… [--rounds N]

Both in turn, by processor time (of this process, and of ctags'): the least of the rounds for each. ctags is one
process for all files of a language and writes its tags as JSON to nowhere; the parse stage reads the same files, one
after the other, in this process, and also finds calls, imports and other uses, cuts passages and looks for secrets.
"""

import argparse
import gc
import math
import os
import resource
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.facts.definitions import KINDS
from bench.parse import cpu_seconds, sources
from events.artifacts import SourceRow
from processor.languages.grammars import grammar_of
from processor.stages.parse import parse_source

_MIN_BYTES = 200_000  # a language with less is not worth a figure
_COMMAND = ["ctags", "--output-format=json", "--fields=+nKZe", "--links=no", "-f", "-", "-L"]


def ctags_seconds(paths: list[Path]) -> tuple[float, int]:
    """Processor time of one ctags over the files, and how many tags it writes."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(map(str, paths)))
        listed.flush()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([*_COMMAND, listed.name], check=True, capture_output=True)  # ours
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, done.stdout.count(b'"_type": "tag"')


def measured(rows: list[tuple[Path, SourceRow]], rounds: int) -> tuple[float, float, Counter[str]]:
    """Seconds of ctags and of the stage over the same files, and what both find."""
    theirs, ours, found = math.inf, math.inf, Counter[str]()
    for _ in range(rounds):
        seconds, tags = ctags_seconds([path for path, _ in rows])
        theirs = min(theirs, seconds)
        found = Counter(tags=tags)
        ours = min(ours, cpu_seconds(partial(_parse, [row for _, row in rows], found)))
    return theirs, ours, found


def _parse(rows: list[SourceRow], found: Counter[str]) -> None:
    for row in rows:
        parsed = parse_source(row)
        found.update(definitions=len(parsed.symbols), edges=len(parsed.edges), passages=len(parsed.chunks))


def report(folders: list[Path], rounds: int) -> Iterator[str]:
    """The lines of the report."""
    rows = [(folder / row.path, row) for folder in folders for row in sources(folder) if row.language in KINDS]
    yield f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} when it began; {len(rows):,} files\n"
    yield "| language | files | MB | ctags s | parse stage s | ratio | tags | definitions | edges | passages |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    all_theirs = all_ours = all_size = 0.0
    for language in KINDS:
        chosen = [(path, row) for path, row in rows if row.language == language]
        size = sum(row.size for _, row in chosen)
        if size < _MIN_BYTES:
            continue
        grammar_of(language)  # loaded once in a process, and not for each language of a run
        theirs, ours, found = measured(chosen, rounds)
        all_theirs, all_ours, all_size = all_theirs + theirs, all_ours + ours, all_size + size
        counts = " | ".join(f"{found[what]:,}" for what in ("tags", "definitions", "edges", "passages"))
        begin = f"| {language} | {len(chosen):,} | {size / 1e6:.1f}"
        yield f"{begin} | {theirs:.2f} | {ours:.2f} | {ours / theirs:.1f} | {counts} |"
    ratio = all_ours / all_theirs if all_theirs else 0.0
    yield f"| **all** | | {all_size / 1e6:.1f} | {all_theirs:.2f} | {all_ours:.2f} | {ratio:.1f} | | | | |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    gc.disable()  # as in the parsing processes
    for line in report([folder.resolve() for folder in arguments.folders], arguments.rounds):
        print(line, flush=True)
