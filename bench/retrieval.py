"""How well search finds: NDCG@10 over files (semble's questions), MRR over files and lines (SWE-QA).

    python -m bench retrieval --questions FOLDER --repositories FOLDER [--models FOLDER] [--write FILE]

`--questions` holds `semble/` and `swe-qa/`; `--repositories` bare clones, `<owner>+<name>/repo`. In one process and
through the product's own stages; vectors are searched exactly (Chroma's recall at 20 was measured as 0.999 or better).
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.question_sets import SWE_QA, Asked, QuestionSet, semble_sets, swe_qa_set
from bench.repository_index import RepositoryIndex, embed_all, index_repository, tree
from rag_manager.ports import Embedder
from rag_manager.stages.rank import Picked, Weights
from runtime.faults import Fault
from runtime.settings import HomeSettings

LIMIT = 20  # passages asked for: enough for ten files
KINDS = ("lexical", "quick", "full")


@dataclass(frozen=True)
class Prepared:
    """One repository, indexed; the similarities of all chunks to each question, by kind."""

    questions: QuestionSet
    index: RepositoryIndex
    similar: dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Score:
    """The mean of one measure over a repository's questions."""

    name: str
    questions: int
    values: dict[str, float]


def ndcg(found: Sequence[str], relevant: frozenset[str], depth: int = 10) -> float:
    """Normalised discounted cumulative gain of a ranking of files, each file counted where it first stands."""
    gains = [1 / math.log2(place + 2) for place, path in enumerate(found[:depth]) if path in relevant]
    ideal = sum(1 / math.log2(place + 2) for place in range(min(depth, len(relevant))))
    return sum(gains) / ideal if ideal else 0.0


def reciprocal_rank(hits: Sequence[bool]) -> float:
    """1 / the place of the first hit, or 0."""
    return next((1 / (place + 1) for place, hit in enumerate(hits) if hit), 0.0)


def files_of(picked: Sequence[Picked], index: RepositoryIndex) -> list[str]:
    """The files of the passages, in order, each once."""
    return list(dict.fromkeys(index.catalogue.paths[index.catalogue.files[item.chunk]] for item in picked))


def file_ndcg(asked: Asked, picked: Sequence[Picked], index: RepositoryIndex) -> float | None:
    """NDCG@10 of one question."""
    return ndcg(files_of(picked, index), asked.files)


def file_mrr(asked: Asked, picked: Sequence[Picked], index: RepositoryIndex) -> float | None:
    """Reciprocal rank of the first cited file."""
    return reciprocal_rank([path in asked.files for path in files_of(picked, index)])


def span_mrr(asked: Asked, picked: Sequence[Picked], index: RepositoryIndex) -> float | None:
    """Reciprocal rank of the first passage that overlaps cited lines; None where the answer cites none."""
    if not asked.spans:
        return None
    places = index.catalogue
    return reciprocal_rank(
        [
            any(
                places.paths[places.files[item.chunk]] == path
                and places.first_lines[item.chunk] <= last
                and first <= places.last_lines[item.chunk]
                for path, first, last in asked.spans
            )
            for item in picked
        ]
    )


Measure = Callable[[Asked, Sequence[Picked], RepositoryIndex], float | None]


def score(prepared: Prepared, measure: Measure, weights: Weights) -> Score:
    """The mean of a measure, by kind."""
    dense_weight = {"lexical": 0.0, "quick": weights.quick, "full": weights.full}
    values = {}
    counted = 0
    for kind in ("lexical", *prepared.similar):
        results = []
        for place, asked in enumerate(prepared.questions.questions):
            similar = prepared.similar[kind][place] if kind in prepared.similar else None
            picked = prepared.index.ask(asked.text, similar, dense_weight[kind], weights, LIMIT)
            results.append(measure(asked, picked, prepared.index))
        known = [value for value in results if value is not None]
        counted = len(known)
        values[kind] = sum(known) / counted if counted else 0.0
    return Score(prepared.questions.name, counted, values)


def prepare(questions: QuestionSet, git_dir: Path, embedders: dict[str, Embedder], cache_dir: Path) -> Prepared:
    """Index one repository and compare every question with every chunk."""
    began = time.perf_counter()
    index = index_repository(git_dir, questions.revision, questions.root)
    indexed = time.perf_counter()
    texts = [asked.text for asked in questions.questions]
    similar = {
        kind: embedder.embed(texts) @ embed_all(index.texts, embedder, cache_dir).T
        for kind, embedder in embedders.items()
    }
    print(
        f"  {questions.name}: {len(index.catalogue.paths)} files, {len(index.texts)} chunks,"
        f" {indexed - began:.1f} s parse and index, {time.perf_counter() - indexed:.1f} s vectors",
        flush=True,
    )
    return Prepared(questions, index, similar)


@cache
def load_embedders(folder: Path) -> dict[str, Embedder]:
    """The local models that are there."""
    from rag_manager.adapters.onnx_model import load_full
    from rag_manager.adapters.static_table import load_quick

    found: dict[str, Embedder] = {}
    for kind, load in (("quick", load_quick), ("full", load_full)):
        try:
            found[kind] = load(folder)
        except Fault as fault:
            print(f"  without the {kind} model: {fault.message}")
    return found


def load_semble(options: argparse.Namespace) -> list[Prepared]:
    """Every semble repository, indexed."""
    embedders = load_embedders(options.models)
    return [
        prepare(questions, options.repositories / questions.mirror / "repo", embedders, options.cache)
        for questions in semble_sets(options.questions / "semble")
        if (options.repositories / questions.mirror / "repo").is_dir()
    ]


def load_swe_qa(options: argparse.Namespace) -> list[Prepared]:
    """Every SWE-QA repository, indexed."""
    embedders = load_embedders(options.models)
    prepared = []
    for name, (mirror, revision) in SWE_QA.items():
        git_dir = options.repositories / mirror / "repo"
        if git_dir.is_dir():
            paths = frozenset(path for path, _ in tree(git_dir, revision))
            questions = swe_qa_set(options.questions / "swe-qa", name, paths)
            prepared.append(prepare(questions, git_dir, embedders, options.cache))
    return prepared


def table(title: str, scores: Sequence[Score], published: dict[str, dict[str, float]] | None = None) -> str:
    """A Markdown table: a line a repository and their mean, the peers' published figures beside."""
    kinds = [kind for kind in KINDS if kind in scores[0].values]
    peers = list(published or {})
    lines = [f"## {title}", "", "| repository | n | " + " | ".join([*kinds, *peers]) + " |"]
    lines.append("|---|---|" + "---|" * (len(kinds) + len(peers)))
    columns = [[item.values[kind] for item in scores] for kind in kinds]
    columns += [[(published or {})[peer].get(item.name, float("nan")) for item in scores] for peer in peers]
    for row, item in enumerate(scores):
        lines.append(
            f"| {item.name} | {item.questions} | " + " | ".join(f"{column[row]:.3f}" for column in columns) + " |"
        )
    means = " | ".join(f"**{np.nanmean(column):.3f}**" for column in columns)
    lines.append(f"| **mean** | {sum(item.questions for item in scores)} | {means} |")
    return "\n".join(lines)


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    home = HomeSettings().home
    parser = argparse.ArgumentParser(prog="python -m bench retrieval", description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=home / "models")
    parser.add_argument("--cache", type=Path, default=home / "cache" / "bench")
    parser.add_argument("--write", type=Path, help="also write the tables to this file")
    return parser.parse_args(arguments)


def main() -> None:
    """Measure, and print Markdown."""
    options = options_of()
    published = json.loads((options.questions / "semble" / "published-ndcg10.json").read_text())
    weights = Weights()
    semble, swe_qa = load_semble(options), load_swe_qa(options)
    text = "\n\n".join(
        [
            table("semble: NDCG@10 over files", [score(item, file_ndcg, weights) for item in semble], published),
            table("SWE-QA: MRR, first cited file", [score(item, file_mrr, weights) for item in swe_qa]),
            table("SWE-QA: MRR, first passage on cited lines", [score(item, span_mrr, weights) for item in swe_qa]),
        ]
    )
    print(text)
    if options.write:
        options.write.write_text(text + "\n")
