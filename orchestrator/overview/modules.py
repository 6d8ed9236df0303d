"""The main modules of a repository, and how much leads from one to another.

In:  the folders with code, the edges between files, the definitions that are used most.
Out: at most twelve modules with their edges. A folder that holds most of the code is told by its parts; where nothing
     leads from one folder to another, the most connected files are the modules.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from orchestrator.overview.facts import Definition, Edge, Folder
from runtime.folders import is_aside

MOST = 12
_MOST_EDGES = 24
_DEFINITIONS = 3
_LARGE, _MOST_OF_IT = 0.15, 0.5  # of the lines: above, a folder is told by its parts; above, by however many there are


@dataclass(frozen=True)
class Module:
    """A folder with all that is below it but its own modules, or a file; `path` is empty for the top folder."""

    path: str
    is_file: bool
    files: int
    lines: int
    languages: tuple[str, ...]
    definitions: tuple[Definition, ...]


@dataclass(frozen=True)
class ModuleEdge:
    """How many imports and calls lead from one module to another, and where one of them stands."""

    source: str
    target: str
    imports: int
    calls: int
    path: str
    line: int

    @property
    def weight(self) -> int:
        """Imports and calls together."""
        return self.imports + self.calls


@dataclass(frozen=True)
class Modules:
    """The modules, the larger ones first; the edges between them, most first; how many smaller modules there are."""

    modules: tuple[Module, ...]
    edges: tuple[ModuleEdge, ...]
    smaller: int = 0


def modules_of(folders: Sequence[Folder], edges: Sequence[Edge], definitions: Sequence[Definition]) -> Modules:
    """Pure: the same facts, the same modules."""
    main = [one for one in folders if not is_aside(one.path)] or list(folders)
    told = _by_folder(main, _split(main), edges, definitions)
    files = _busiest(edges, {one.path for one in main})
    return _by_file(files, edges, definitions) if files and not told.edges else told


def folder_of(path: str) -> str:
    """The folder that a file is in."""
    return path.rpartition("/")[0]


def _split(folders: Sequence[Folder]) -> list[str]:
    """The roots of the modules: folders that are told apart."""
    lines: Counter[str] = Counter()
    for one in folders:
        lines[one.path] += one.lines
    whole = max(1, sum(lines.values()))
    roots, tried = {""}, set[str]()
    while True:
        sizes = _sizes(lines, roots)
        open_ones = [root for root in roots - tried if sizes[root] > _LARGE * whole]
        if not open_ones:
            return sorted(root for root in roots if sizes[root])
        largest = min(open_ones, key=lambda root: (-sizes[root], root))
        tried.add(largest)
        parts = _children(lines, largest, roots)
        if parts and (len(roots) + len(parts) <= MOST or sizes[largest] > _MOST_OF_IT * whole):
            roots |= parts


def _sizes(lines: Counter[str], roots: set[str]) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for path, number in lines.items():
        sizes[_root_of(path, roots)] += number
    return sizes


def _children(lines: Iterable[str], root: str, roots: set[str]) -> set[str]:
    """The folders right below a root that have code in them, or below them."""
    inside = f"{root}/" if root else ""
    below = [path for path in lines if path != root and path.startswith(inside) and _root_of(path, roots) == root]
    return {inside + path[len(inside) :].split("/", 1)[0] for path in below}


def _root_of(folder: str, roots: set[str]) -> str:
    while folder and folder not in roots:
        folder = folder_of(folder)
    return folder


def _by_folder(
    folders: Sequence[Folder], roots: list[str], edges: Sequence[Edge], definitions: Sequence[Definition]
) -> Modules:
    known = {*roots, ""}
    files, lines = Counter[str](), Counter[str]()
    languages: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in folders:
        root = _root_of(one.path, known)
        files[root] += one.files
        lines[root] += one.lines
        languages[root][one.language or "other"] += one.lines
    ranked = sorted(files, key=lambda root: (-lines[root], root))
    shown = ranked[:MOST]
    mine = _definitions_by(definitions, lambda path: _root_of(folder_of(path), known))
    modules = tuple(
        Module(root, False, files[root], lines[root], _most(languages[root]), mine[root][:_DEFINITIONS])
        for root in shown
    )
    joined = _joined(
        [one for one in edges if not is_aside(folder_of(one.source))],
        lambda path, is_folder: _root_of(path if is_folder else folder_of(path), known),
        set(shown),
    )
    return Modules(modules, joined, len(ranked) - len(shown))


def _busiest(edges: Sequence[Edge], folders: set[str]) -> list[str]:
    """The most connected files of these folders."""
    degree: Counter[str] = Counter()
    for one in edges:
        if not one.to_folder and folder_of(one.source) in folders and folder_of(one.target) in folders:
            degree[one.source] += 1
            degree[one.target] += 1
    return sorted(degree, key=lambda path: (-degree[path], path))[:MOST]


def _by_file(files: list[str], edges: Sequence[Edge], definitions: Sequence[Definition]) -> Modules:
    mine = _definitions_by(definitions, lambda path: path)
    modules = tuple(Module(path, True, 1, 0, (), mine[path][:_DEFINITIONS]) for path in files)
    return Modules(modules, _joined(edges, lambda path, is_folder: "" if is_folder else path, set(files)))


def _definitions_by(
    definitions: Sequence[Definition], module_of: Callable[[str], str]
) -> defaultdict[str, tuple[Definition, ...]]:
    mine: defaultdict[str, tuple[Definition, ...]] = defaultdict(tuple)
    for one in definitions:
        if not is_aside(folder_of(one.path)):
            mine[module_of(one.path)] += (one,)
    return mine


def _most(languages: Counter[str]) -> tuple[str, ...]:
    return tuple(name for name, _ in sorted(languages.items(), key=lambda item: (-item[1], item[0]))[:2])


def _joined(edges: Iterable[Edge], module_of: Callable[[str, bool], str], shown: set[str]) -> tuple[ModuleEdge, ...]:
    """The edges between modules; the heaviest of those that are joined gives the line."""
    joined: dict[tuple[str, str], ModuleEdge] = {}
    for one in sorted(edges, key=lambda edge: (-edge.imports - edge.calls, edge.source, edge.target)):
        ends = module_of(one.source, False), module_of(one.target, one.to_folder)
        if ends[0] == ends[1] or not shown.issuperset(ends):
            continue
        had = joined.get(ends)
        imports, calls = one.imports + (had.imports if had else 0), one.calls + (had.calls if had else 0)
        path, line = (had.path, had.line) if had else (one.source, one.line)
        joined[ends] = ModuleEdge(*ends, imports, calls, path, line)
    ranked = sorted(joined.values(), key=lambda edge: (-edge.weight, edge.source, edge.target))
    return tuple(ranked[:_MOST_EDGES])
