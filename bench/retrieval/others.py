"""What other systems have of an index: their passages with vectors and words, and a map by references."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bench.retrieval.cuts import CUTTERS, Cut, Cutter, File, Place, cut_all
from bench.retrieval.repo_map import RepoMap
from bench.retrieval.repository_index import RepositoryIndex, Vectors, VectorStore, open_lexicon
from rag_manager.adapters.tantivy_lexicon import TantivyOpen
from rag_manager.ports import Embedder

_WORD = re.compile(r"\w+")


class Cuts:
    """The passages of one tree, cut in one way."""

    def __init__(self, cuts: Sequence[Cut]) -> None:
        self.places: Sequence[Place] = [cut.place for cut in cuts]
        self.texts: Sequence[str] = [cut.text for cut in cuts]

    @cached_property
    def lexicon(self) -> TantivyOpen:
        """BM25 over plain words in lower case."""
        return open_lexicon([" ".join(_WORD.findall(text.lower())) for text in self.texts])


class Tree:
    """One tree as the others see it."""

    def __init__(self, files: Sequence[File], cuts: Mapping[str, Cuts]) -> None:
        self._files = files
        self.cuts = cuts

    @cached_property
    def map(self) -> RepoMap:
        """Made when it is first asked for."""
        return RepoMap(self._files)


@dataclass(frozen=True)
class Others:
    """One tree, and the similarity of one question to its passages, by the way they were cut."""

    tree: Tree
    similar: Mapping[str, Vectors]

    def near(self, way: str, limit: int) -> list[int]:
        """Numbers of the nearest passages that were cut in one way."""
        return [int(cut) for cut in np.argsort(-self.similar[way], kind="stable")[:limit]]


class OthersOf:
    """The same for all trees of one set of questions, by the quick model; a text is embedded once."""

    def __init__(self, embedder: Embedder, folder: Path, name: str, indexes: Sequence[RepositoryIndex]) -> None:
        self._embedder = embedder
        made = {way: list(_all_cut(indexes, cutter)) for way, cutter in CUTTERS.items()}
        self._trees = [
            Tree(index.files, {way: cuts[number] for way, cuts in made.items()}) for number, index in enumerate(indexes)
        ]
        self._known: dict[str, Vectors] = {}
        self._rows: dict[str, list[list[int]]] = {}
        for way, trees in made.items():
            numbers: dict[str, int] = {}
            self._rows[way] = [[numbers.setdefault(text, len(numbers)) for text in cuts.texts] for cuts in trees]
            self._known[way] = VectorStore(embedder, folder, f"{name}-{way}").of(list(numbers))

    def of(self, number: int, question: str) -> Others:
        """What there is for a question asked of one of the trees."""
        vector = self._embedder.embed([question])[0]
        similar = {way: self._known[way][rows[number]] @ vector for way, rows in self._rows.items()}
        return Others(self._trees[number], similar)


def _all_cut(indexes: Sequence[RepositoryIndex], cutter: Cutter) -> Iterator[Cuts]:
    known: dict[tuple[str, str], Sequence[Cut]] = {}
    for index in indexes:
        yield Cuts(list(cut_all(index.files, cutter, known)))
