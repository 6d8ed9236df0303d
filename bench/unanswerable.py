"""How many questions about other projects are refused, and how many about the project itself.

    python -m bench unanswerable --questions FOLDER --repositories FOLDER [--full-chunks N] [--write FILE] [--fit]

`--questions` holds `semble/` and `swe-qa/`; `--repositories` bare clones, `<owner>+<name>/repo`. Each repository is
asked its own questions, general ones that fit every repository, and 150 drawn from those of all others. `--fit` prints
the constants of `ai_engine/stages/evidence_weights.py`, from the repositories that are not held out.
"""

import argparse
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_engine.stages.evidence_weights import Weights
from ai_engine.stages.judge_evidence import ENOUGH, evidence_of, features_of
from bench.retrieval import load_embedders
from bench.retrieval.question_sets import SWE_QA, QuestionSet, semble_sets, swe_qa_set
from bench.retrieval.repository_index import Indexer, RepositoryIndex, VectorStore, tree
from events.question import Evidence
from rag_manager.dense_search import DENSE_DEPTH
from rag_manager.stages.read_question import read_question
from rag_manager.stages.weigh_evidence import weigh_evidence
from runtime.settings import HomeSettings

HELD_OUT = frozenset({"rack", "vitest", "monolog", "fmtlib", "requests", "pylint"})
# Projects of one field, whose questions may have an answer in one another.
FIELDS = (
    {"gson", "newtonsoft-json"},
    {"click", "cobra"},
    {"flask", "fastapi", "rack", "sinatra", "requests"},
    {"pydantic", "zod", "fastapi"},
    {"pytest", "vitest"},
)
GENERAL = (
    "What does this project do?",
    "How do I install it?",
    "How do I run the tests?",
    "What is this repository about?",
    "Which license does it have?",
    "How is the code base organised?",
    "How do I get started?",
    "Give me an overview of the main modules",
)
_FOREIGN = 150  # questions of others that each repository is asked
_FALSE = 0.02  # of its own questions below ENOUGH where the constants are fitted; those never seen lose more
_RIDGE = 100.0


@dataclass(frozen=True)
class Judged:
    """One question asked of one repository. `of` is whose it is: a name, or `general`."""

    repository: str
    of: str
    text: str
    kind: str
    evidence: Evidence

    @property
    def is_own(self) -> bool:
        """Whether it can be answered."""
        return self.of in {self.repository, "general"}

    @property
    def is_near(self) -> bool:
        """Whether it is about a project of the same field."""
        return any({self.repository, self.of} <= field for field in FIELDS)


def question_sets(questions: Path, repositories: Path) -> Iterator[QuestionSet]:
    """The sets whose repositories are there."""
    yield from (each for each in semble_sets(questions / "semble") if (repositories / each.mirror / "repo").is_dir())
    for name, (mirror, revision) in SWE_QA.items():
        git_dir = repositories / mirror / "repo"
        if git_dir.is_dir():
            yield swe_qa_set(questions / "swe-qa", name, frozenset(path for path, _ in tree(git_dir, revision)))


def evidence_from(index: RepositoryIndex, text: str, similar: NDArray[np.float32] | None) -> Evidence:
    """What the service's search would say; vectors are searched exactly."""
    question = read_question(text)
    hits = index.lexicon.search(question.tokens, 1)
    nearest = [] if similar is None else [float(one) for one in np.sort(similar)[::-1][:DENSE_DEPTH]]
    best = hits[0][1] if hits else 0.0
    return weigh_evidence(question, index.lexicon.frequencies(question.tokens), len(index.texts), best, nearest)


def judged(options: argparse.Namespace) -> Iterator[Judged]:
    """Every question asked, by every kind of index."""
    sets = list(question_sets(options.questions, options.repositories))
    asked = [(one.name, each.text) for one in sets for each in one.questions]
    chance = random.Random(5)  # a sample that can be drawn again
    embedders = load_embedders(options.models)
    for one in sets:
        index = Indexer(options.repositories / one.mirror / "repo", one.root).index(one.revision)
        pairs = [pair for pair in asked if pair[0] == one.name] + [("general", text) for text in GENERAL]
        pairs += chance.sample([pair for pair in asked if pair[0] != one.name], _FOREIGN)
        for of, text in pairs:
            yield Judged(one.name, of, text, "lexical", evidence_from(index, text, None))
        for kind, embedder in embedders.items():
            if kind == "full" and len(index.texts) > options.full_chunks:
                continue
            store = VectorStore(embedder, options.cache, one.name)
            vectors = store.of(index.texts)
            store.keep()
            similar = embedder.embed([text for _, text in pairs]) @ vectors.T
            for (of, text), row in zip(pairs, similar, strict=True):
                yield Judged(one.name, of, text, kind, evidence_from(index, text, row))
        print(f"  {one.name}: {len(index.texts)} chunks, {len(pairs)} questions", flush=True)


def share(rows: Iterable[Judged]) -> str:
    """How many of them are refused, of how many."""
    refused = [evidence_of(row.text, row.evidence, row.kind) < ENOUGH for row in rows]
    return f"{100 * sum(refused) / len(refused):.1f} % of {len(refused):,}" if refused else "none asked"


def table(rows: Sequence[Judged]) -> str:
    """A line a kind of index and half of the repositories."""
    lines = [
        "| index | repositories | own refused | general refused | others' refused | of another field |",
        "|---|---|---|---|---|---|",
    ]
    for kind in ("lexical", "quick", "full"):
        for held, half in ((False, "fitted on"), (True, "held out")):
            part = [row for row in rows if row.kind == kind and (row.repository in HELD_OUT) is held]
            others = [row for row in part if not row.is_own]
            cells = (
                share(row for row in part if row.of == row.repository),
                share(row for row in part if row.of == "general"),
                share(others),
                share(row for row in others if not row.is_near),
            )
            lines.append(f"| {kind} | {len({row.repository for row in part})} {half} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def fitted(rows: Sequence[Judged]) -> Weights:
    """Logistic regression over the features and their products; a share _FALSE of the own is below ENOUGH."""
    plain = np.array([features_of(row.evidence) for row in rows])
    own = np.array([row.is_own for row in rows])
    means, spreads = plain.mean(axis=0), plain.std(axis=0) + 1e-9
    wide = np.array([widened(one) for one in (plain - means) / spreads])
    weight = np.where(own, (~own).sum() / own.sum(), 1.0)
    ridge = np.diag([_RIDGE] * (wide.shape[1] - 1) + [1e-6])
    found = np.zeros(wide.shape[1])
    for _ in range(60):
        chance = 1 / (1 + np.exp(-(wide @ found)))
        slope = wide.T @ (weight * (chance - own)) + ridge @ found
        found -= np.linalg.solve((wide * (weight * chance * (1 - chance))[:, None]).T @ wide + ridge, slope)
    found[-1] -= np.quantile((wide @ found)[own], _FALSE)
    return Weights(*(tuple(round(float(one), 5) for one in values) for values in (means, spreads, found)))


def widened(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """The features, their products, 1."""
    places = range(len(features))
    products = [features[a] * features[b] for a in places for b in places if a <= b]
    return np.array([*features, *products, 1.0])


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    home = HomeSettings().home
    parser = argparse.ArgumentParser(prog="python -m bench unanswerable", description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=home / "models")
    parser.add_argument("--cache", type=Path, default=home / "cache" / "bench")
    parser.add_argument("--full-chunks", type=int, default=1_200, help="larger repositories go without the full model")
    parser.add_argument("--rows", type=Path, help="keep what was asked in this file, or take it from there")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--write", type=Path, help="also write the table to this file")
    return parser.parse_args(arguments)


def kept(options: argparse.Namespace) -> list[Judged]:
    """All questions, out of the file where there is one."""
    if options.rows and options.rows.is_file():
        stored: list[Mapping[str, object]] = json.loads(options.rows.read_text())
        return [Judged(**{**row, "evidence": Evidence.model_validate(row["evidence"])}) for row in stored]  # type: ignore[arg-type]  # as they were written
    rows = list(judged(options))
    if options.rows:
        plain = [{**asdict(row), "evidence": row.evidence.model_dump()} for row in rows]
        options.rows.write_text(json.dumps(plain))
    return rows


def main() -> None:
    """Measure, and print Markdown; or fit, and print constants."""
    options = options_of()
    rows = kept(options)
    if options.fit:
        for kind in ("lexical", "quick", "full"):
            part = [r for r in rows if r.kind == kind and r.of != "general" and r.repository not in HELD_OUT]
            print(f'    "{kind}": {fitted(part)},')
        return
    text = table(rows)
    print(text)
    if options.write:
        options.write.write_text(text + "\n")
