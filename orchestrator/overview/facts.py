"""What an overview is made of. Lines are 1-based and inclusive. Only code counts: no tests, no documents."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Folder:
    """The code right in one folder, in one language; `path` is empty for the top."""

    path: str
    language: str | None
    files: int
    lines: int


@dataclass(frozen=True)
class Edge:
    """From one file to another, or to a folder (`to_folder`): imports and calls, and a line of the first of them."""

    source: str
    target: str
    to_folder: bool
    imports: int
    calls: int
    line: int


@dataclass(frozen=True)
class Definition:
    """A definition, and how many other files use it."""

    path: str
    kind: str
    name: str
    docstring: str
    first_line: int
    last_line: int
    used: int = 0


@dataclass(frozen=True)
class Need:
    """A dependency at run time, and the line of the manifest that asks for it; 0 where nobody knows."""

    name: str
    constraint: str
    path: str
    line: int


@dataclass(frozen=True)
class Facts:
    """All of it. `metadata` and `structure` are what the stages said; `texts` the files that were read, by path."""

    name: str
    url: str
    commit: str
    metadata: Mapping[str, object] = field(default_factory=dict)
    structure: Mapping[str, object] = field(default_factory=dict)
    folders: tuple[Folder, ...] = ()
    edges: tuple[Edge, ...] = ()
    definitions: tuple[Definition, ...] = ()
    mains: tuple[Definition, ...] = ()
    needs: tuple[Need, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
