"""The questions of every set, each with the index that it is asked of."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.retrieval.docstrings import docstring_questions
from bench.retrieval.histories import by_subject, history_sets
from bench.retrieval.messages import message_questions
from bench.retrieval.others import Others, OthersOf
from bench.retrieval.question_sets import SWE_QA, Asked, QuestionSet, semble_sets, swe_qa_set
from bench.retrieval.relations import Graph, graph_of, relation_questions
from bench.retrieval.repository_index import Indexer, RepositoryIndex, Vectors, VectorStore, tree
from rag_manager.ports import Embedder

# At these commits, so that a run can be repeated. Constants of the ranking were chosen on the first list and never on
# the second.
TUNED = {
    "psf/requests": "1f6589ec",
    "pallets/flask": "2ac89889",
    "pallets/click": "2c8cd3ac",
    "spf13/cobra": "adbc881",
    "google/gson": "9835b6f9",
    "rack/rack": "8bf4eb07",
    "honojs/hono": "28a9c128",
}
HELD_OUT = {
    "BurntSushi/ripgrep": "3fce3b5b",
    "serilog/serilog": "60935b4d",
    "square/okio": "4164f297",
    "giampaolo/psutil": "d77cf39ab",
    "vapor/vapor": "13efaeefd",
    "phoenixframework/phoenix": "167c46950",
}
MOST_DOCSTRINGS = 80  # of one repository, spread evenly over it
MOST_OUTRIGHT = 60  # questions of one repository for a relation or by a message
FEWEST = 10  # a mean of fewer says nothing


@dataclass(frozen=True)
class Case:
    """One question, what it is asked of, and the similarity of each chunk by model."""

    repository: str
    asked: Asked
    index: RepositoryIndex
    similar: Mapping[str, Vectors]
    graph: Graph | None = None
    others: Others | None = None


@dataclass(frozen=True)
class Stores:
    """Where the vectors of a run are kept; `peers` embeds other systems' passages, where they are made, too."""

    embedders: Mapping[str, Embedder]
    folder: Path
    peers: Embedder | None = None

    def cases(self, name: str, questions: QuestionSet, indexes: Sequence[RepositoryIndex]) -> Iterator[Case]:
        """One case a question. `indexes` holds one for all, or one for each."""
        stores = {model: VectorStore(embedder, self.folder, name) for model, embedder in self.embedders.items()}
        every = list(dict.fromkeys(text for index in indexes for text in index.texts))
        known = {model: store.of(every) for model, store in stores.items()}
        rows = {text: row for row, text in enumerate(every)}
        others = OthersOf(self.peers, self.folder, name, indexes) if self.peers else None
        places: dict[int, list[int]] = {}
        for number, asked in enumerate(questions.questions):
            index = indexes[number % len(indexes)]
            chosen = places.setdefault(id(index), [rows[text] for text in index.texts])
            similar = {
                model: known[model][chosen] @ embedder.embed([asked.text])[0]
                for model, embedder in self.embedders.items()
            }
            theirs = others.of(number % len(indexes), asked.text) if others else None
            yield Case(questions.name, asked, index, similar, others=theirs)


def semble_cases(folder: Path, repositories: Path, stores: Stores) -> Iterator[Case]:
    """The questions of the semble project, on the repositories that are there."""
    for questions in semble_sets(folder / "semble"):
        git_dir = repositories / questions.mirror / "repo"
        if git_dir.is_dir():
            index = Indexer(git_dir, questions.root).index(questions.revision)
            yield from stores.cases(f"semble-{questions.name}", questions, [index])


def swe_qa_cases(folder: Path, repositories: Path, stores: Stores) -> Iterator[Case]:
    """The questions of SWE-QA, on the repositories that are there."""
    for name, (mirror, revision) in SWE_QA.items():
        git_dir = repositories / mirror / "repo"
        if git_dir.is_dir():
            paths = frozenset(path for path, _ in tree(git_dir, revision))
            questions = swe_qa_set(folder / "swe-qa", name, paths)
            yield from stores.cases(f"swe-qa-{name}", questions, [Indexer(git_dir).index(revision)])


def docstring_cases(chosen: Mapping[str, str], repositories: Path, stores: Stores) -> Iterator[Case]:
    """Docstring → function, every docstring blanked."""
    for name, revision in chosen.items():
        git_dir = _git_dir(repositories, name)
        if git_dir.is_dir():
            indexer = Indexer(git_dir)
            sources, asked = docstring_questions(indexer.sources(revision))
            if len(asked) < FEWEST:
                continue
            step = max(1, -(-len(asked) // MOST_DOCSTRINGS))
            questions = QuestionSet(name, "", revision, "", tuple(asked[::step]))
            yield from stores.cases(f"docstrings-{git_dir.parent.name}", questions, [indexer.index_sources(sources)])


def history_cases(
    chosen: Mapping[str, str],
    repositories: Path,
    stores: Stores,
    count: int,
    asked_by: Callable[[str, str], str | None] = by_subject,
) -> Iterator[Case]:
    """Commit → files, each asked of the tree before it, by its subject or by what it says of an issue."""
    for name, revision in chosen.items():
        git_dir = _git_dir(repositories, name)
        if git_dir.is_dir():
            indexer = Indexer(git_dir)
            commits = history_sets(git_dir, name, revision, count, asked_by)
            if len(commits) < FEWEST:
                continue
            indexes = [indexer.index(commit.revision) for commit in commits]
            together = QuestionSet(name, "", revision, "", tuple(commit.questions[0] for commit in commits))
            yield from stores.cases(f"history-{git_dir.parent.name}", together, indexes)


def relation_cases(chosen: Mapping[str, str], repositories: Path, stores: Stores) -> Iterator[Case]:
    """Who calls, who inherits, what is called."""
    for name, revision in chosen.items():
        git_dir = _git_dir(repositories, name)
        if git_dir.is_dir():
            indexer = Indexer(git_dir)
            sources = indexer.sources(revision)
            graph = graph_of(sources, indexer.parsed(sources))
            asked = list(relation_questions(graph, {source.path: source.file_class for source in sources}))
            questions = _spread(name, revision, asked)
            for case in stores.cases(f"relations-{git_dir.parent.name}", questions, [indexer.index_sources(sources)]):
                yield replace(case, graph=graph)


def message_cases(chosen: Mapping[str, str], repositories: Path, stores: Stores) -> Iterator[Case]:
    """Message → the lines that make it."""
    for name, revision in chosen.items():
        git_dir = _git_dir(repositories, name)
        if git_dir.is_dir():
            indexer = Indexer(git_dir)
            sources = indexer.sources(revision)
            questions = _spread(name, revision, list(message_questions(sources)))
            yield from stores.cases(f"messages-{git_dir.parent.name}", questions, [indexer.index_sources(sources)])


def _spread(name: str, revision: str, asked: Sequence[Asked]) -> QuestionSet:
    step = max(1, -(-len(asked) // MOST_OUTRIGHT))
    return QuestionSet(name, "", revision, "", tuple(asked[::step]))


def _git_dir(repositories: Path, name: str) -> Path:
    return repositories / name.replace("/", "+") / "repo"
