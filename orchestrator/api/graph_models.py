"""The graph of an analysed repository, as the API shows it: who calls whom, what imports mean, what is how large."""

from pydantic import BaseModel


class LinkView(BaseModel):
    """One use whose definition was found: `kind` is call, inherit, use (named without being called) or import.

    An import counts where nothing else in its file leads to the definition.

    `symbol_id`, `name`, `kind_of_symbol` and `symbol_path` are of the definition at the other end: what uses it, of
    callers; what is used, of callees. They are null and empty where a file does so outside of any definition. `level`
    says how it was found: exact, inferred, overloaded or named; `confidence` how sure that is, from 0 to 1.
    """

    kind: str
    path: str
    line: int
    symbol_id: str | None
    name: str
    kind_of_symbol: str
    symbol_path: str
    symbol_line: int
    confidence: float
    level: str


class ImportView(BaseModel):
    """One name that a file imports. `resolution` is file, folder, dependency, standard or unknown.

    `target` is the path of the file or folder, or the name of the dependency.
    """

    path: str
    line: int
    written: str
    module: str
    name: str
    alias: str
    resolution: str
    target: str
    confidence: float


class ConnectionView(BaseModel):
    """One file in the graph of files, each other file counted once; and the complexity of its functions together."""

    path: str
    imports: int
    imported_by: int
    calls: int
    called_by: int
    functions: int
    complexity: int
    most_complex: int


class ModuleEdgeView(BaseModel):
    """How many imports and calls lead from the files of one folder (or from one file) to those of another."""

    source: str
    target: str
    imports: int
    calls: int


class ModuleMap(BaseModel):
    """The edges between folders, or between what is right below one, most first; at most 200."""

    items: list[ModuleEdgeView]


class TreemapItem(BaseModel):
    """A file, or a folder with all that is below it. `language` is that of most of its bytes.

    `changes` are the commits that changed each file, added up; 0 where the history was not asked for.
    """

    path: str
    name: str
    is_file: bool
    files: int
    size: int
    lines: int
    language: str | None
    functions: int
    complexity: int
    changes: int = 0


class Treemap(BaseModel):
    """What is right below a folder, the largest first; at most 500 of `total`."""

    folder: str
    items: list[TreemapItem]
    total: int


class LinkPage(BaseModel):
    """A page of callers or callees; `total` counts them over all pages."""

    items: list[LinkView]
    total: int
    next: str | None = None


class ImportPage(BaseModel):
    """A page of imports; `total` counts them over all pages."""

    items: list[ImportView]
    total: int
    next: str | None = None


class ConnectionPage(BaseModel):
    """A page of files, the most connected first."""

    items: list[ConnectionView]
    next: str | None = None
