"""What other systems have of an index: their passages with vectors and words, and a map by references."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bench.retrieval.cuts import CUTTERS, Cut, File, Place, cut_all
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
    """The same for the trees of one repository, by the quick model; a text is embedded once."""

    def __init__(self, embedder: Embedder, folder: Path, name: str) -> None:
        self._embedder = embedder
        self._stores = {way: VectorStore(embedder, folder, f"{name}-{way}") for way in CUTTERS}
        self._cut: dict[str, dict[tuple[str, str], Sequence[Cut]]] = {way: {} for way in CUTTERS}

    def tree(self, index: RepositoryIndex) -> tuple[Tree, Mapping[str, Vectors]]:
        """One tree as the others see it, and the vectors of its passages by the way they were cut."""
        cuts = {way: Cuts(list(cut_all(index.files, cutter, self._cut[way]))) for way, cutter in CUTTERS.items()}
        return Tree(index.files, cuts), {way: self._stores[way].of(made.texts) for way, made in cuts.items()}

    def of(self, tree: tuple[Tree, Mapping[str, Vectors]], question: str) -> Others:
        """What there is for a question asked of one of the trees."""
        vector = self._embedder.embed([question])[0]
        return Others(tree[0], {way: vectors @ vector for way, vectors in tree[1].items()})

    def keep(self) -> None:
        """Write what was embedded."""
        for store in self._stores.values():
            store.keep()
