"""Let passages grow to the whole definition that they are a part of, as far as a budget goes.

In:  the chunks that were found, best first; the texts of the chunks around them; the catalogue.
Out: spans of lines with their text. What lies in a better one is taken into it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag_manager.stages.catalogue import FUNCTIONS, TYPES, Catalogue

MOST_LINES = 160  # of one definition; a larger one stays in parts


@dataclass(frozen=True)
class Span:
    """Lines of a file around a chunk that was found; `taken` are other found chunks that lie in them."""

    chunk: int
    first: int
    last: int
    text: str
    taken: tuple[int, ...] = ()


def definition_around(chunk: int, catalogue: Catalogue) -> tuple[int, int] | None:
    """The lines of the smallest definition that a chunk is a part of, and of the chunk; None where it has it whole.

    A function before a type: who finds a method wants to read the method, and who finds a whole one has it. Pure.
    """
    first, last = catalogue.first_lines[chunk], catalogue.last_lines[chunk]
    touched = [span for span in catalogue.spans[catalogue.files[chunk]] if span[1] <= last and span[2] >= first]
    functions = [span for span in touched if span[0] in FUNCTIONS]
    parts = [
        (max(last, end) - min(first, begin), min(first, begin), max(last, end))
        for _, begin, end in functions or [span for span in touched if span[0] in TYPES]
        if not first <= begin <= end <= last
    ]
    length, begin, end = min(parts, default=(MOST_LINES, 0, 0))
    return (begin, end) if length < MOST_LINES else None


def type_around(chunk: int, catalogue: Catalogue) -> int | None:
    """The line where the smallest type begins that a chunk is a part of, and does not show itself. Pure."""
    first, last = catalogue.first_lines[chunk], catalogue.last_lines[chunk]
    around = [
        (end - begin, begin)
        for kind, begin, end in catalogue.spans[catalogue.files[chunk]]
        if kind in TYPES and begin < first and end >= last
    ]
    return min(around)[1] if around else None


def chunks_in(file: int, first: int, last: int, catalogue: Catalogue) -> list[int]:
    """The chunks of a file that have any of these lines, in order. Pure."""
    return [
        c for c in catalogue.chunks_of[file] if catalogue.first_lines[c] <= last and catalogue.last_lines[c] >= first
    ]


def grow_passages(
    found: Sequence[int],
    texts: Mapping[int, str],
    catalogue: Catalogue,
    *,
    budget: int,
) -> list[Span]:
    """Return spans, each found chunk in one: as it is, or grown to its definition where the budget allows. Pure.

    Best first: the first grow first. What has no text (it is outside of a scope) is not brought in.
    """
    left = budget - sum(len(texts[chunk]) for chunk in found)
    spans: list[Span] = []
    for chunk in found:
        alone = Span(chunk, catalogue.first_lines[chunk], catalogue.last_lines[chunk], texts[chunk])
        met = next((at for at, span in enumerate(spans) if _meets(span, alone, catalogue)), None)
        if met is not None and (joined := _joined(spans[met], alone, texts, catalogue)):
            left += len(spans[met].text) + len(alone.text) - len(joined.text)
            spans[met] = joined
            continue
        lines = definition_around(chunk, catalogue)
        text = _text(catalogue.files[chunk], *lines, texts, catalogue) if lines else None
        if lines is not None and text is not None and len(text) - len(alone.text) <= left:
            left -= len(text) - len(alone.text)
            left += _take_in(spans, Span(chunk, *lines, text), catalogue)
        else:
            spans.append(alone)
    return spans


def _take_in(spans: list[Span], grown: Span, catalogue: Catalogue) -> int:
    """Put a span that grew at the place of the best that lies in it, or last; the characters that this saved."""
    file = catalogue.files[grown.chunk]
    inside = [
        span
        for span in spans
        if catalogue.files[span.chunk] == file and grown.first <= span.first and span.last <= grown.last
    ]
    if not inside:
        spans.append(grown)
        return 0
    others = [chunk for span in inside[1:] for chunk in (span.chunk, *span.taken)]
    best = replace(grown, chunk=inside[0].chunk, taken=(*inside[0].taken, *others, grown.chunk))
    spans[:] = [best if span is inside[0] else span for span in spans if span is inside[0] or span not in inside]
    return sum(len(span.text) for span in inside)


def _meets(span: Span, alone: Span, catalogue: Catalogue) -> bool:
    """Whether a span that grew has lines of a chunk."""
    grew = (span.first, span.last) != (catalogue.first_lines[span.chunk], catalogue.last_lines[span.chunk])
    same_file = catalogue.files[span.chunk] == catalogue.files[alone.chunk]
    return grew and same_file and span.first <= alone.last and alone.first <= span.last


def _joined(span: Span, alone: Span, texts: Mapping[int, str], catalogue: Catalogue) -> Span | None:
    first, last = min(span.first, alone.first), max(span.last, alone.last)
    text = _text(catalogue.files[span.chunk], first, last, texts, catalogue)
    if text is None or len(text) > len(span.text) + len(alone.text):
        return None
    return Span(span.chunk, first, last, text, (*span.taken, alone.chunk))


def _text(file: int, first: int, last: int, texts: Mapping[int, str], catalogue: Catalogue) -> str | None:
    """These lines of a file, out of its chunks; blank where no chunk has them. None where a text is not at hand."""
    told: dict[int, str] = {}
    for chunk in chunks_in(file, first, last, catalogue):
        begin, rows = catalogue.first_lines[chunk], texts.get(chunk, "").split("\n")
        if chunk not in texts or len(rows) != catalogue.last_lines[chunk] - begin + 1:
            return None  # a line too long for one passage is in several
        told |= {number: row for number, row in enumerate(rows, begin) if number not in told}
    return "\n".join(told.get(number, "") for number in range(first, last + 1))
