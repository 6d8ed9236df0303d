"""The overview of a repository as what the components draw. Pure."""

from collections.abc import Sequence

from runtime.client.shapes import AnalysisView, ModuleLinkView, OverviewView, StageView
from web_ui.markdown import read_markdown
from web_ui.words import place, visible

TOP = "(top folder)"
HEAD = ("From", "To", "Imports", "Calls", "For example")
_LINKED = "link"


def is_told(analysis: AnalysisView) -> bool:
    """Whether the analysis is as far as it takes: ready, and its graph there or given up."""
    ready = analysis.state in {"ready", "refined"}
    return ready and all(stage.state in {"completed", "failed", "parked", "cancelled"} for stage in _linking(analysis))


def document(found: OverviewView) -> str:
    """The sections as one text."""
    return "\n\n".join(f"#### {section.title}\n\n{section.text}" for section in found.sections)


def text_data(found: OverviewView) -> dict[str, object]:
    """What the answer component is given: the same checked citations, the same closed list of tags."""
    return {
        "id": "overview",
        "tree": read_markdown(document(found), found.citations, found.url),
        "mode": {"text": "told from facts alone, no model", "tone": ""},
        "notice": "" if found.has_graph else "Without the graph: what modules there are and how they talk is left out.",
        "citations": [],
        "facts": [f"commit {found.commit[:10]}"],
        "passages": [],
    }


def link_rows(links: Sequence[ModuleLinkView]) -> list[tuple[str, ...]]:
    """Rows of the table of modules: from, to, imports, calls, a line."""
    return [
        (
            visible(one.source) or TOP,
            visible(one.target) or TOP,
            f"{one.imports:,}",
            f"{one.calls:,}",
            visible(place(one.path, one.line, one.line)),
        )
        for one in links
    ]


def _linking(analysis: AnalysisView) -> list[StageView]:
    return [stage for stage in analysis.stages if stage.stage == _LINKED]
