"""The questions of every set, each with the index that it is asked of."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.retrieval.docstrings import docstring_questions
from bench.retrieval.messages import message_questions
from bench.retrieval.others import Others, OthersOf
from bench.retrieval.past import earlier_at
from bench.retrieval.question_sets import SWE_QA, Asked, QuestionSet, everyday_sets, semble_sets, swe_qa_set
from bench.retrieval.relations import Graph, graph_of, relation_questions
from bench.retrieval.repository_index import Indexer, RepositoryIndex, Vectors, VectorStore, tree
from rag_manager.earlier_changes import Earlier
from rag_manager.ports import Embedder
from rag_manager.stages.question_vector import question_vector
from rag_manager.stages.read_question import read_question

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
    earlier: Earlier | None = None


@dataclass(frozen=True)
class Stores:
    """Where the vectors of a run are kept; `peers` embeds other systems' passages, where they are made, too."""

    embedders: Mapping[str, Embedder]
    folder: Path
    peers: Embedder | None = None

    def cases(self, name: str, repository: str, asked: Iterable[tuple[Asked, RepositoryIndex]]) -> Generator[Case]:
        """One case a question, in order. Vectors are kept under `name`, also where not all cases are taken."""
        stores = {model: VectorStore(embedder, self.folder, name) for model, embedder in self.embedders.items()}
        others = OthersOf(self.peers, self.folder, name) if self.peers else None
        tree, known, theirs = None, {}, None
        try:
            for one, index in asked:
                if index is not tree:
                    tree, known = index, {model: store.of(index.texts) for model, store in stores.items()}
                    theirs = others.tree(index) if others else None
                meant = read_question(one.text).meant
                similar = {
                    model: known[model] @ question_vector(embedder, meant) for model, embedder in self.embedders.items()
                }
                beside = others.of(theirs, one.text) if others and theirs else None
                yield Case(repository, one, index, similar, others=beside)
        finally:
            for store in stores.values():
                store.keep()
            if others:
                others.keep()

    def of_set(self, name: str, questions: QuestionSet, index: RepositoryIndex) -> Iterator[Case]:
        """One case a question, all of them asked of one tree."""
        return self.cases(name, questions.name, ((asked, index) for asked in questions.questions))


def semble_cases(folder: Path, repositories: Path, stores: Stores) -> Iterator[Case]:
    """The questions of the semble project, on the repositories that are there."""
    return _cases_of("semble", semble_sets(folder / "semble"), repositories, stores)


def everyday_cases(repositories: Path, stores: Stores, *, held_out: bool) -> Iterator[Case]:
    """Our own questions in everyday words, on the repositories that are there."""
    return _cases_of("everyday", everyday_sets(held_out=held_out), repositories, stores)


def _cases_of(name: str, sets: Iterable[QuestionSet], repositories: Path, stores: Stores) -> Iterator[Case]:
    for questions in sets:
        git_dir = repositories / questions.mirror / "repo"
        if git_dir.is_dir():
            index = Indexer(git_dir, questions.root).index(questions.revision)
            cases = stores.of_set(f"{name}-{questions.name}", questions, index)
            yield from with_past(cases, git_dir, questions.revision)


def swe_qa_cases(folder: Path, repositories: Path, stores: Stores) -> Iterator[Case]:
    """The questions of SWE-QA, on the repositories that are there."""
    for name, (mirror, revision) in SWE_QA.items():
        git_dir = repositories / mirror / "repo"
        if git_dir.is_dir():
            paths = frozenset(path for path, _ in tree(git_dir, revision))
            questions = swe_qa_set(folder / "swe-qa", name, paths)
            cases = stores.of_set(f"swe-qa-{name}", questions, Indexer(git_dir).index(revision))
            yield from with_past(cases, git_dir, revision)


def docstring_cases(chosen: Mapping[str, str], repositories: Path, stores: Stores) -> Iterator[Case]:
    """Docstring → function, every docstring blanked."""
    for name, revision in chosen.items():
        git_dir = git_dir_of(repositories, name)
        if git_dir.is_dir():
            indexer = Indexer(git_dir)
            sources, asked = docstring_questions(indexer.sources(revision))
            if len(asked) < FEWEST:
                continue
            step = max(1, -(-len(asked) // MOST_DOCSTRINGS))
            questions = QuestionSet(name, "", revision, "", tuple(asked[::step]))
            cases = stores.of_set(f"docstrings-{git_dir.parent.name}", questions, indexer.index_sources(sources))
            yield from with_past(cases, git_dir, revision)


def relation_cases(chosen: Mapping[str, str], repositories: Path, stores: Stores) -> Iterator[Case]:
    """Who calls, who inherits, what is called."""
    for name, revision in chosen.items():
        git_dir = git_dir_of(repositories, name)
        if git_dir.is_dir():
            indexer = Indexer(git_dir)
            sources = indexer.sources(revision)
            graph = graph_of(sources, indexer.parsed(sources))
            asked = list(relation_questions(graph, {source.path: source.file_class for source in sources}))
            questions = _spread(name, revision, asked)
            for case in stores.of_set(f"relations-{git_dir.parent.name}", questions, indexer.index_sources(sources)):
                yield replace(case, graph=graph)


def message_cases(chosen: Mapping[str, str], repositories: Path, stores: Stores) -> Iterator[Case]:
    """Message → the lines that make it."""
    for name, revision in chosen.items():
        git_dir = git_dir_of(repositories, name)
        if git_dir.is_dir():
            indexer = Indexer(git_dir)
            sources = indexer.sources(revision)
            questions = _spread(name, revision, list(message_questions(sources)))
            yield from stores.of_set(f"messages-{git_dir.parent.name}", questions, indexer.index_sources(sources))


def with_past(cases: Iterable[Case], git_dir: Path, revision: str) -> Iterator[Case]:
    """The same, with what the commits say that led to a revision."""
    for case in cases:
        yield replace(case, earlier=earlier_at(git_dir, revision))


def _spread(name: str, revision: str, asked: Sequence[Asked]) -> QuestionSet:
    step = max(1, -(-len(asked) // MOST_OUTRIGHT))
    return QuestionSet(name, "", revision, "", tuple(asked[::step]))


def git_dir_of(repositories: Path, name: str) -> Path:
    return repositories / name.replace("/", "+") / "repo"
