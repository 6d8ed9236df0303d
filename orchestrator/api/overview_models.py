"""The overview of an analysed repository, as the API shows it."""

from uuid import UUID

from pydantic import BaseModel, Field

from events.question import Citation
from orchestrator.api.strict import Body


class OverviewRequest(Body):
    """Have it told. `model` is one of the configured ones; the default where it is left out."""

    model: str | None = Field(default=None, max_length=200)


class OverviewSectionView(BaseModel):
    """One section as Markdown with citations `[path:first-last]`.

    `key` is what, built, modules, entries or commands; a section that no fact supports is not there.
    """

    key: str
    title: str
    text: str


class ModuleView(BaseModel):
    """A main module: a folder with what is below it, or a file; `path` is empty for the top folder."""

    path: str
    is_file: bool
    files: int
    lines: int
    languages: list[str]


class ModuleLinkView(BaseModel):
    """How many imports and calls lead from one module to another; one of them stands at `path`, `line`."""

    source: str
    target: str
    imports: int
    calls: int
    path: str
    line: int


class OverviewView(BaseModel):
    """What a repository is, from facts alone. `has_graph` says whether the graph was there to tell of modules.

    `diagram` is a map of the modules as Mermaid text, empty where there is none; `markdown` all of it in one document.
    """

    analysis_id: UUID
    repository_id: UUID
    name: str
    url: str
    commit: str
    has_graph: bool
    sections: list[OverviewSectionView]
    modules: list[ModuleView]
    links: list[ModuleLinkView]
    diagram: str
    citations: list[Citation]
    questions: list[str]
    markdown: str
