"""How well search finds, beside its parts and others: semble's and SWE-QA's questions, docstrings, relations.

    python -m bench retrieval --questions FOLDER --repositories FOLDER [--sets semble,…] [--peers] [--write FILE]

`--questions` holds `semble/` and `swe-qa/`; `--repositories` bare clones, `<owner>+<name>/repo`: what is not there is
left out. In one process and through the product's own stages. Vectors are kept under `--cache`. Commits and issues
→ files: `python -m bench localisation`.
"""

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.retrieval.cases import (
    HELD_OUT,
    TUNED,
    Case,
    Stores,
    docstring_cases,
    everyday_cases,
    message_cases,
    relation_cases,
    semble_cases,
    swe_qa_cases,
)
from bench.retrieval.measures import MEASURES, Values, mean_of, of_files, of_lines
from bench.retrieval.retrievers import Retriever, Search, usable
from bench.retrieval.shown import compare
from rag_manager.ports import Embedder
from rag_manager.stages.rank import Weights
from runtime.faults import Fault
from runtime.settings import HomeSettings

Results = dict[str, dict[str, list[Values]]]  # retriever → repository → one entry a question
FILES, LINES = "files", "lines"
PEERS_TOKENS = 4_096  # of one passage of another system


def grade(case: Case, retriever: Retriever, weights: Weights, unit: str) -> Values | None:
    """What one retriever's ranking is worth; None where no lines are known that lines could be compared with."""
    if unit == LINES and not case.asked.spans:
        return None
    known = {"graph": case.graph, "others": case.others, "earlier": case.earlier}
    found = retriever(Search(case.asked.text, case.index, case.similar, weights, **known))
    return of_files(found, case.asked.files) if unit == FILES else of_lines(found, case.asked.spans)


def grade_all(
    cases: Iterator[Case], retrievers: Mapping[str, Retriever], units: Sequence[str], weights: Weights
) -> dict[str, Results]:
    """All values, by unit."""
    graded: dict[str, Results] = {unit: {name: {} for name in retrievers} for unit in units}
    for case in cases:
        for unit in units:
            for name, retriever in retrievers.items():
                values = grade(case, retriever, weights, unit)
                if values is not None:
                    graded[unit][name].setdefault(case.repository, []).append(values)
    return graded


def table(title: str, results: Results, measures: Sequence[str] = MEASURES) -> str:
    """A line a retriever: every measure with its interval, means of the repositories' means."""
    lines = [f"### {title}", "", "| | " + " | ".join(measures) + " |", "|---|" + "---|" * len(measures)]
    for name, by_repository in results.items():
        means = [mean_of([[one[measure] for one in each] for each in by_repository.values()]) for measure in measures]
        cells = [f"{mean.value:.3f} ({mean.low:.3f} to {mean.high:.3f})" for mean in means]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def by_repository(results: Results, measure: str, published: Mapping[str, Mapping[str, float]] | None = None) -> str:
    """A line a repository: one measure of every retriever, and what others published."""
    peers = published or {}
    names = list(next(iter(results.values())))
    lines = ["| | n | " + " | ".join([*results, *peers]) + " |", "|---|---|" + "---|" * (len(results) + len(peers))]
    for repository in names:
        own = [each[repository] for each in results.values()]
        cells = [f"{sum(one[measure] for one in values) / len(values):.3f}" for values in own]
        cells += [f"{peer[repository]:.3f}" if repository in peer else "" for peer in peers.values()]
        lines.append(f"| {repository} | {len(own[0])} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def load_embedders(folder: Path) -> dict[str, Embedder]:
    """The local models that are there."""
    from rag_manager.adapters.onnx_model import load_full
    from rag_manager.adapters.static_table import load_quick

    found: dict[str, Embedder] = {}
    for kind, load in (("quick", load_quick), ("full", load_full)):
        try:
            found[kind] = load(folder)
        except Fault as fault:
            print(f"without the {kind} model: {fault.message}", flush=True)
    return found


def load_whole(folder: Path) -> Embedder:
    """The quick model that reads a passage to its end: other systems' passages are longer than the 256 tokens of ours.

    Raises Permanent `model_missing` or `model_corrupt`.
    """
    from rag_manager.adapters.static_table import StaticTable
    from rag_manager.models.files import QUICK_TABLE, TABLE_SHA256, TOKENIZER, found, open_tokenizer
    from rag_manager.models.token_table import read_table

    tokenizer = open_tokenizer(found(folder, TOKENIZER), PEERS_TOKENS)
    return StaticTable(read_table(found(folder, QUICK_TABLE), TABLE_SHA256), tokenizer)


def sets_of(
    options: argparse.Namespace, stores: Stores
) -> dict[str, tuple[str, tuple[str, ...], Callable[[], Iterator[Case]]]]:
    """Name → title, units, cases."""
    questions, repositories = options.questions, options.repositories
    return {
        "semble": ("semble", (FILES,), lambda: semble_cases(questions, repositories, stores)),
        "everyday": (
            "Everyday questions, looked at",
            (FILES,),
            lambda: everyday_cases(repositories, stores, held_out=False),
        ),
        "everyday-held-out": (
            "Everyday questions, never tuned on",
            (FILES,),
            lambda: everyday_cases(repositories, stores, held_out=True),
        ),
        "swe-qa": ("SWE-QA", (FILES, LINES), lambda: swe_qa_cases(questions, repositories, stores)),
        "docstrings": (
            "Docstring → function, tuned on",
            (LINES,),
            lambda: docstring_cases(TUNED, repositories, stores),
        ),
        "docstrings-held-out": (
            "Docstring → function, never tuned on",
            (LINES,),
            lambda: docstring_cases(HELD_OUT, repositories, stores),
        ),
        "relations": ("Relation → lines, tuned on", (LINES,), lambda: relation_cases(TUNED, repositories, stores)),
        "relations-held-out": (
            "Relation → lines, never tuned on",
            (LINES,),
            lambda: relation_cases(HELD_OUT, repositories, stores),
        ),
        "messages": ("Message → lines, tuned on", (LINES,), lambda: message_cases(TUNED, repositories, stores)),
        "messages-held-out": (
            "Message → lines, never tuned on",
            (LINES,),
            lambda: message_cases(HELD_OUT, repositories, stores),
        ),
    }


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    home = HomeSettings().home
    parser = argparse.ArgumentParser(prog="python -m bench retrieval", description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=home / "models")
    parser.add_argument("--cache", type=Path, default=home / "cache" / "bench")
    parser.add_argument("--sets", help="names of sets, by commas; all where it is left out")
    parser.add_argument("--past", action="store_true", help="also as where the history was asked for")
    parser.add_argument("--peers", action="store_true", help="beside other systems' passages and maps, same vectors")
    parser.add_argument("--shown", action="store_true", help="how much of the cited lines answers are written from")
    parser.add_argument("--write", type=Path, help="also write the tables to this file")
    return parser.parse_args(arguments)


def report(options: argparse.Namespace) -> Iterator[str]:
    """The parts of the result, as they come."""
    commit = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=False)
    made = f"{os.cpu_count()} cores ({platform.machine()})"
    yield f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip() or 'unknown'}, {made}."
    embedders = load_embedders(options.models)
    peers = load_whole(options.models) if options.peers else None
    retrievers = usable(embedders, peers=peers is not None, past=options.past)
    published = json.loads((options.questions / "semble" / "published-ndcg10.json").read_text())
    sets = sets_of(options, Stores(embedders, options.cache, peers))
    for name in options.sets.split(",") if options.sets else sets:
        title, units, cases = sets[name]
        if options.shown:
            yield "\n".join(compare(title, cases(), [None, *embedders]))
            continue
        for unit, results in grade_all(cases(), retrievers, units, Weights()).items():
            if not next(iter(results.values())):
                continue
            yield table(f"{title}: {unit}", results)
            yield by_repository(
                results, "NDCG@10" if name == "semble" else "MRR", published if name == "semble" else None
            )


def main() -> None:
    """Measure, and print Markdown."""
    options = options_of()
    say(report(options), options.write)


def say(report: Iterable[str], write: Path | None) -> None:
    """Print each part of a report as it comes, and write what is there of it so far."""
    parts = []
    for part in report:
        print(part, end="\n\n", flush=True)
        parts.append(part)
        if write:
            write.write_text("\n\n".join(parts) + "\n")
