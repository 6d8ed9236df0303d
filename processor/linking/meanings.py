"""What an import means: a file, a folder of files, a dependency, the language itself, or nothing known. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from processor.linking.files import Files
from processor.linking.levels import EXACT, INFERRED, NAMED
from processor.linking.script_paths import ScriptPaths


class Imported(NamedTuple):
    """One row of an import: the file that has it, and what it says."""

    file: int
    module: str
    name: str
    alias: str
    level: int
    line: int


class Meaning(NamedTuple):
    """`what` is file, folder, dependency, standard or unknown; `file` a number or -1, `target` a path or a name."""

    what: str
    target: str = ""
    file: int = -1
    confidence: float = 0.0


UNKNOWN = Meaning("unknown")


class SwiftTarget(NamedTuple):
    """A module of a Swift package: a folder that it may be in, and the folder of its package."""

    name: str
    folder: str
    package: str


@dataclass(frozen=True)
class Known:
    """What else of the repository says what a name means.

    `dependencies` are names as manifests write them, in lower case, by ecosystem; `go_modules` folder → module;
    `packages` name → folder of JavaScript packages of the repository itself; `script_paths` folder → what TypeScript's
    configuration in it says; `namespaces` beginning of a PHP namespace → the folders that it is loaded from; `crates`
    name, as Rust's code writes it → the file that a crate of the repository begins with; `swift_targets` of each
    `Package.swift`, `swift_products` module → package that it comes from; `dart_packages` name → folders.
    """

    dependencies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    go_modules: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    script_paths: Mapping[str, ScriptPaths] = field(default_factory=dict)
    namespaces: Mapping[str, Sequence[str]] = field(default_factory=dict)
    crates: Mapping[str, str] = field(default_factory=dict)
    swift_targets: Sequence[SwiftTarget] = ()
    swift_products: Mapping[str, str] = field(default_factory=dict)
    dart_packages: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def has(self, ecosystem: str, name: str) -> bool:
        """Whether a manifest asks for it."""
        return name.lower() in self.dependencies.get(ecosystem, ())


Resolve: TypeAlias = Callable[[Imported], Meaning]


def a_file(files: Files, number: int, confidence: float = EXACT) -> Meaning:
    """The meaning that is a file."""
    return Meaning("file", files.paths[number], number, confidence)


def found(files: Files, hit: tuple[int, bool] | None, confidence: float = INFERRED) -> Meaning | None:
    """The meaning of a file that was found by the end of its path; less sure where others end so too."""
    if hit is None:
        return None
    return a_file(files, hit[0], confidence if hit[1] else NAMED)
