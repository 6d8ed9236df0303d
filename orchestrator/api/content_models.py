"""What is in an analysed repository, as the API shows it: files, symbols, dependencies, lines."""

from pydantic import BaseModel


class FileView(BaseModel):
    """One entry of the tree at the commit. `outcome` is parsed, lines, failed or null where it was skipped.

    `reason` says why it was cut by lines, `errors` how many syntax errors the parser met, `error_lines` where the first
    of them are (`3`, `7-9`). `rule` is the line of the repository's own rules that decided (`.repostreamignore:3`), or
    `request` where whoever asked wants it read.
    """

    path: str
    language: str | None
    file_class: str
    size: int
    lines: int
    outcome: str | None = None
    reason: str | None = None
    errors: int = 0
    error_lines: list[str] = []
    skipped: str | None = None
    rule: str = ""
    failed: str | None = None


class SymbolView(BaseModel):
    """One definition. `id` names it in its analysis.

    `visibility` is public, internal, protected, private or empty where nobody knows; `complexity` McCabe's, 0 for what
    is no function; `code_lines` are those that are neither blank nor comment.
    """

    id: str
    path: str
    kind: str
    name: str
    qualified_name: str
    signature: str
    docstring: str
    first_line: int
    last_line: int
    visibility: str = ""
    complexity: int = 0
    code_lines: int = 0


class DependencyView(BaseModel):
    """One mention of a dependency in a manifest, or in a lock file (`locked`); `line` is 0 where it is not known.

    `scope` is one of runtime, peer, optional, dev, test, build, managed (only a version, for whoever needs it),
    constraint and transitive; `version` is what a lock file chose, empty where none did.
    """

    ecosystem: str
    name: str
    constraint: str
    version: str
    scope: str
    group: str
    path: str
    line: int
    locked: bool


class CellView(BaseModel):
    """What lines of a notebook's file say: `lines`, from `first_line` on, of its cell `number`, as they are read."""

    number: int
    kind: str
    language: str
    first_line: int
    lines: list[str]


class LinesView(BaseModel):
    """Lines of one file at the analysed commit, as stored; of a notebook also the cells that they are of."""

    path: str
    commit: str
    language: str | None
    first_line: int
    last_line: int
    line_count: int
    text: str
    cells: list[CellView] = []
