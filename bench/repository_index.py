"""A repository at a commit, through the product's own stages: sources, chunks, lexicon, vectors, ranking."""

import atexit
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from events.artifacts import SourceRow
from processor.languages.detect import file_class_of, language_of
from processor.stages.parse import parse_source
from rag_manager.adapters.tantivy_lexicon import TantivyLexicon, TantivyOpen
from rag_manager.ports import Embedder, LexiconPart
from rag_manager.search import DENSE_DEPTH, LEXICAL_DEPTH
from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue
from rag_manager.stages.passage_text import embedding_text, lexical_text, text_hash
from rag_manager.stages.rank import Picked, Rankings, Weights, rank
from rag_manager.stages.read_question import read_question

_MAX_BYTES = 1_000_000
_SKIPPED_CLASSES = frozenset({"vendored", "generated"})


@dataclass(frozen=True)
class RepositoryIndex:
    """Everything a search needs. `texts` is what was embedded of each chunk."""

    catalogue: Catalogue
    lexicon: TantivyOpen
    texts: Sequence[str]

    def ask(
        self, text: str, dense: NDArray[np.float32] | None, dense_weight: float, weights: Weights, limit: int
    ) -> list[Picked]:
        """Rank as the service does; `dense` are the similarities of all chunks, searched exactly."""
        question = read_question(text)
        lexical = [chunk for chunk, _ in self.lexicon.search(question.tokens, LEXICAL_DEPTH)]
        nearest: list[int] = []
        if dense is not None:
            nearest = [int(chunk) for chunk in np.argsort(-dense, kind="stable")[:DENSE_DEPTH]]
        rankings = Rankings(lexical, nearest, dense_weight if dense is not None else 0.0)
        return rank(question, rankings, self.catalogue, limit=limit, weights=weights)


def index_repository(git_dir: Path, revision: str, root: str) -> RepositoryIndex:
    """Read, parse and index what is under `root` at `revision`."""
    chunks: list[Mapping[str, object]] = []
    symbols: list[tuple[str, str, str, int]] = []
    for source in sources(git_dir, revision, root):
        parsed = parse_source(source)
        chunks.extend({**row, "file_class": source.file_class} for row in parsed.chunks)
        symbols.extend((str(s["name"]), str(s["kind"]), source.path, int(str(s["first_line"]))) for s in parsed.symbols)
    unique = list({str(row["chunk_id"]): row for row in reversed(chunks)}.values())[::-1]
    documents = [lexical_text(str(row["header"]), str(row["text"])) for row in unique]
    folder = tempfile.mkdtemp(prefix="bench-lexicon-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    lexicon = TantivyLexicon(Path(folder))
    packed, _ = lexicon.build([LexiconPart("0" * 64, len(documents), lambda: documents)])
    places = [
        ChunkPlace(
            str(row["chunk_id"]),
            str(row["path"]),
            str(row["file_class"]),
            int(str(row["first_line"])),
            int(str(row["last_line"])),
        )
        for row in unique
    ]
    return RepositoryIndex(
        catalogue=make_catalogue(places, symbols),
        lexicon=lexicon.open(hashlib.sha256(packed).hexdigest(), packed),
        texts=[embedding_text(str(row["header"]), str(row["text"])) for row in unique],
    )


def embed_all(texts: Sequence[str], embedder: Embedder, cache: Path) -> NDArray[np.float32]:
    """The vectors of `texts`, shape (texts, dimension), kept in `cache` by model and content."""
    key = text_hash("\x00".join([embedder.name, *texts]))
    file = cache / f"{key}.npy"
    if file.is_file():
        return np.asarray(np.load(file))
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    vectors = np.empty((len(texts), embedder.dimension), np.float32)
    for start in range(0, len(order), embedder.max_batch):
        batch = order[start : start + embedder.max_batch]
        vectors[batch] = embedder.embed([texts[place] for place in batch])
    cache.mkdir(parents=True, exist_ok=True)
    np.save(file, vectors)
    return vectors


def tree(git_dir: Path, revision: str) -> list[tuple[str, str]]:
    """(path, blob) of every regular file at `revision`."""
    listed = _git(git_dir, "ls-tree", "-r", "-z", revision).split(b"\0")
    entries = []
    for line in filter(None, listed):
        meta, path = line.split(b"\t", 1)
        mode, _, blob = meta.decode().split()
        if mode in {"100644", "100755"}:
            entries.append((path.decode("utf-8", "replace"), blob))
    return entries


def sources(git_dir: Path, revision: str, root: str) -> Iterator[SourceRow]:
    """The text files under `root`, as the clone stage would hand them over."""
    entries = [(path, blob) for path, blob in tree(git_dir, revision) if not root or path.startswith(f"{root}/")]
    asked = "\n".join(blob for _, blob in entries).encode() + b"\n"
    reply = subprocess.run(
        ["git", f"--git-dir={git_dir}", "cat-file", "--batch"], input=asked, capture_output=True, check=True
    ).stdout
    offset = 0
    for path, blob in entries:
        end = reply.index(b"\n", offset)
        if reply[offset:end].endswith(b" missing"):
            offset = end + 1
            continue
        size = int(reply[offset:end].split()[2])
        content = reply[end + 1 : end + 1 + size]
        offset = end + 1 + size + 1
        if size > _MAX_BYTES or b"\0" in content[:8_000]:
            continue
        text = content.decode("utf-8", "replace")
        language = language_of(path, text[:2_000])
        yield SourceRow(
            path=path,
            blob_id=blob,
            language=language,
            file_class=file_class_of(path, language, text[:2_000]),
            size=size,
            lines=text.count("\n") + 1,
            content=text,
        )


def _git(git_dir: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", f"--git-dir={git_dir}", *arguments], capture_output=True, check=True).stdout
