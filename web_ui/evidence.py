"""The passages that an answer rests on, as rows of the evidence below it. Pure."""

from runtime.client.shapes import Citation, Passage
from web_ui.words import count

_SNIPPET_LINES = 12
_BESIDE = {"type": "the type around", "imports": "the head of the file of", "caller": "calls what is in"}


def place_of(citation: Citation | Passage) -> dict[str, object]:
    """Where it is."""
    return {"path": citation.path, "first": citation.first_line, "last": citation.last_line}


def passage_row(passage: Passage) -> dict[str, object]:
    """A passage with all that says why it is there."""
    lines = passage.text.split("\n")
    more = "\n…" if len(lines) > _SNIPPET_LINES else ""
    return place_of(passage) | {
        "score": f"{passage.score:.3f}",
        "ranks": [(name, rank, _own(passage, name)) for name, rank in sorted(passage.ranks.items(), key=_by_rank)],
        "why": _why(passage),
        "symbols": ", ".join(passage.symbols[:8]),
        "snippet": "\n".join(lines[:_SNIPPET_LINES]) + more,
    }


def _why(passage: Passage) -> str:
    """What besides the retrievers brought a passage, or its lines, there; empty where they alone did."""
    if (near := passage.neighbour_of) is not None:
        return f"{_BESIDE.get(passage.relation, passage.relation)} {near.path}:{near.first_line}-{near.last_line}"
    grown, folded = passage.grown_from, len(passage.folded)
    parts = (
        f"grown from lines {grown.first_line}-{grown.last_line}" if grown is not None else "",
        f"{count(folded, 'other place')} folded in" if folded else "",
    )
    return ", ".join(part for part in parts if part)


def _own(passage: Passage, retriever: str) -> str:
    return f"{passage.scores[retriever]:.3g}" if retriever in passage.scores else ""


def _by_rank(row: tuple[str, int]) -> int:
    return row[1]
