"""Bulk results and the shape of their rows.

An artifact is an immutable Parquet file in the object store, named by its SHA-256; events carry only its reference.
Each class below is one row of one kind of artifact: the class is the schema (`runtime.parquet` turns it into Arrow).
"""

from enum import StrEnum

from pydantic import Field

from events.base import Value


class ArtifactKind(StrEnum):
    """What the rows of an artifact are."""

    TREE = "tree"
    SOURCES = "sources"
    SYMBOLS = "symbols"
    EDGES = "edges"
    CHUNKS = "chunks"
    OUTCOMES = "outcomes"
    VECTORS = "vectors"
    LEXICON = "lexicon"
    LOCKS = "locks"
    DEPENDENCIES = "dependencies"
    UPLOAD = "upload"  # a part of an uploaded archive, as it came; no rows
    IMPORTS = "imports"
    LINKS = "links"
    CONNECTIONS = "connections"
    CHURN = "churn"
    COMMITS = "commits"


class ArtifactRef(Value):
    """Where one artifact is, and how to know that it is the right one. `shard` orders the artifacts of one kind.

    `made_from` is a digest of what it was made of and by: of its inputs and of the code, grammars or model that read
    them. A later run of the same digest need not be done again. Empty where nobody asks.
    """

    kind: ArtifactKind
    key: str
    sha256: str
    rows: int
    bytes: int
    shard: int = 0
    made_from: str = ""


class TreeRow(Value):
    """One entry of the repository's tree at the commit: accepted (`skipped` is None) or left out, with the reason.

    `file_class` is one of code, test, docs, config, data, generated, vendored, other. `rule` is the line that decided
    (`.repostreamignore:3`), `request` for a file that is read because whoever asked wants it, empty where none did.
    `is_counted`: whether it counts among the languages.
    """

    path: str
    blob_id: str
    mode: str
    size: int
    language: str | None = None
    file_class: str = "other"
    lines: int = 0
    shard: int | None = None
    skipped: str | None = None
    rule: str = ""
    is_counted: bool = True


class SourceRow(Value):
    """One accepted text file. `content` is valid UTF-8 without NUL; `replaced` says that bytes had to be replaced."""

    path: str
    blob_id: str
    language: str | None
    file_class: str
    size: int
    lines: int
    content: str
    replaced: bool = False


class SymbolRow(Value):
    """One definition. Lines are 1-based and inclusive, bytes 0-based and half-open; `parent` is a qualified name.

    `visibility` is public, internal, protected, private or empty; `complexity` McCabe's, of functions and methods;
    `code_lines` those that are neither blank nor comment. The last three are in newer artifacts alone.
    """

    path: str
    language: str
    kind: str
    name: str
    qualified_name: str
    parent: str | None
    signature: str
    docstring: str
    first_line: int
    last_line: int
    first_byte: int
    last_byte: int
    visibility: str = ""
    complexity: int = 0
    code_lines: int = 0


class EdgeRow(Value):
    """One import, call, inheritance or other use as written: `target` is the text, `source` the symbol around or None.

    Newer artifacts also have what follows. `receiver` is what a call is asked of, `receiver_type` the type that the
    file gives to the beginning of it (`X()` for what a call of `X` gives). An import has a row for each `name` that it
    brings from a `module` (empty for the module itself, `*` for all), its `alias`, and the `level` of a relative one.
    `typed` rows say that a field `name` of the class `source`, or a variable of the file, has the type `target`;
    `package` rows that the file is part of the package `target` (of the JVM; Scala may have it in several parts).
    """

    path: str
    kind: str
    source: str | None
    target: str
    line: int
    receiver: str = ""
    receiver_type: str = ""
    module: str = ""
    name: str = ""
    alias: str = ""
    level: int = 0


class ChunkRow(Value):
    """A passage to be searched. `chunk_id` depends on path and text only; `header` names path and enclosing symbols."""

    chunk_id: str
    path: str
    language: str | None
    file_class: str
    first_line: int
    last_line: int
    header: str
    text: str
    symbols: list[str]
    text_sha256: str


class OutcomeRow(Value):
    """What parsing did with one accepted file: parsed, lines (no grammar, cut by lines) or failed, with the reason.

    `error_lines` are where the first of the syntax errors are, by line (`3`, `7-9`); older artifacts have none.
    """

    path: str
    outcome: str
    reason: str | None = None
    symbols: int = 0
    chunks: int = 0
    errors: int = 0
    error_lines: list[str] = Field(default_factory=list)


class DependencyRow(Value):
    """One thing that a manifest asks for, or that a lock file chose. `line` is 1-based, 0 where unknown.

    `scope` is one of runtime, peer, optional, dev, test, build, managed (only a version for whoever needs it),
    constraint and transitive; `group` the extra, group, stage or job; `version` what a lock file chose.
    """

    ecosystem: str
    name: str
    constraint: str
    version: str
    scope: str
    group: str
    path: str
    line: int
    locked: bool = False


class ImportRow(Value):
    """What one name that a file imports means in the repository.

    `resolution` is file, folder, dependency, standard or unknown; `target` the path, or the name of the dependency.
    """

    path: str
    line: int
    written: str
    module: str
    name: str
    alias: str
    level: int
    resolution: str
    target: str
    confidence: float


class LinkRow(Value):
    """A use whose definition was found. Shard and ordinal name rows of `symbols`; -1 is the file.

    `kind` is call, inherit, use (named without being called) or import (where nothing else in the file leads there).

    `level` says how it was found and `confidence` how sure that is: exact, inferred, overloaded, named.
    """

    kind: str
    path: str
    line: int
    source: str
    source_shard: int
    source_ordinal: int
    target_path: str
    target: str
    target_shard: int
    target_ordinal: int
    confidence: float
    level: str


class ConnectionRow(Value):
    """One file in the graph of files (how many others, each once), and the sums of its functions' measures."""

    path: str
    imports: int
    imported_by: int
    calls: int
    called_by: int
    functions: int
    complexity: int
    most_complex: int
    function_lines: int


class ChurnRow(Value):
    """How many of the commits that were read changed one file of the tree (merges aside), and how many people's."""

    path: str
    commits: int
    authors: int


class CommitRow(Value):
    """What one earlier commit says, without secrets, people's addresses and trailers, and which files it changed.

    `number` counts from 0, the newest; `commit` is its id; `paths` are those that the files have at the commit that
    is analysed.
    """

    number: int
    commit: str
    subject: str
    message: str
    paths: list[str]


class VectorRow(Value):
    """One chunk's embedding under one model (L2-normalised)."""

    chunk_id: str
    text_sha256: str
    vector: list[float]
