"""From chunks that were found to the passages that are shown, each with why it is there.

In:  the chosen chunks, best first, the texts of the chunks in and around them, the catalogue.
Out: passages: the like folded, grown to whole definitions, with what stands beside them, within a budget.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from events.question import Citation, Passage
from rag_manager.stages.callers_beside import BESIDE
from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.fold_alike import fold_alike
from rag_manager.stages.grow_passages import Span, chunks_in, definition_around, grow_passages, type_around
from rag_manager.stages.rank import Picked

_TYPE, _IMPORTS, _CALLER = "type", "imports", "caller"
NONE: Mapping[int, Sequence[int]] = MappingProxyType({})
_IMPORTING = re.compile(
    r"^\s*(?:import|from|#\s*include|using|use|require(?:_once|_relative)?|extern crate|const .{1,80}require\()",
    re.MULTILINE,
)


@dataclass(frozen=True)
class ChunkText:
    """What a passage shows of a chunk beside its place."""

    text: str
    language: str | None
    symbols: tuple[str, ...]


def chunks_wanted(
    found: Sequence[int],
    catalogue: Catalogue,
    scope: Container[int] | None = None,
    callers: Mapping[int, Sequence[int]] = NONE,
) -> list[int]:
    """Return the chunks whose texts `show_passages` may need: what was found, grows and is beside. Pure."""
    wanted = list(found)
    for chunk in found:
        if lines := definition_around(chunk, catalogue):
            wanted += chunks_in(catalogue.files[chunk], *lines, catalogue)
    wanted += [beside for chunk in found[:BESIDE] for _, beside in _beside(chunk, catalogue)]
    wanted += [caller for several in callers.values() for caller in several]
    return [chunk for chunk in dict.fromkeys(wanted) if scope is None or chunk in scope]


def show_passages(  # what was found, its texts, and how much may be shown of what
    found: Sequence[Picked],
    texts: Mapping[int, ChunkText],
    catalogue: Catalogue,
    scores: Mapping[str, Mapping[int, float]],
    *,
    budget: int,
    callers: Mapping[int, Sequence[int]] = NONE,
) -> tuple[Passage, ...]:
    """Return the passages, best first, then what stands beside the first of them. Pure.

    `scores`: retriever → chunk → its own score. `callers`: found chunk → chunks that call what is in it. Folding and
    growing leave out nothing that fitted before.
    """
    known = [item for item in found if item.chunk in texts]
    folded = fold_alike([texts[item.chunk].text for item in known])
    kept = {known[place].chunk: [known[at].chunk for at in like] for place, like in folded.items()}
    picked = {item.chunk: item for item in known}
    plain = {chunk: text.text for chunk, text in texts.items()}
    spans = grow_passages(list(kept), plain, catalogue, budget=budget)
    passages = [
        _grown(span, catalogue, texts, picked[span.chunk], scores).model_copy(
            update={
                "folded": tuple(
                    _place(chunk, catalogue)
                    for held in (span.chunk, *span.taken)
                    for chunk in ([] if held == span.chunk else [held]) + kept[held]
                )
            }
        )
        for span in spans
    ]
    left = budget - sum(len(span.text) for span in spans)
    return (*passages, *_neighbours(spans, texts, catalogue, callers, left))


def _grown(
    span: Span,
    catalogue: Catalogue,
    texts: Mapping[int, ChunkText],
    item: Picked,
    scores: Mapping[str, Mapping[int, float]],
) -> Passage:
    passage = _passage(span.chunk, catalogue, texts[span.chunk])
    inside = (
        chunks_in(catalogue.files[span.chunk], span.first, span.last, catalogue) if _is_grown(span, catalogue) else ()
    )
    return passage.model_copy(
        update={
            "first_line": span.first,
            "last_line": span.last,
            "text": span.text,
            "symbols": tuple(dict.fromkeys(name for chunk in inside for name in texts[chunk].symbols))
            or passage.symbols,
            "score": round(item.score, 6),
            "ranks": item.ranks,
            "scores": {name: round(own[span.chunk], 4) for name, own in scores.items() if span.chunk in own},
            "grown_from": _place(span.chunk, catalogue) if _is_grown(span, catalogue) else None,
        }
    )


def _neighbours(
    spans: Sequence[Span],
    texts: Mapping[int, ChunkText],
    catalogue: Catalogue,
    callers: Mapping[int, Sequence[int]],
    left: int,
) -> Iterator[Passage]:
    """The beginnings of the types that the first passages are in, what their files import, who calls what is in them.

    As far as it fits: callers after all others.
    """
    shown = [(catalogue.files[span.chunk], span.first, span.last) for span in spans]
    first_ones = [span.chunk for span in spans[:BESIDE]]
    offered = [(of, relation, chunk) for of in first_ones for relation, chunk in _beside(of, catalogue)]
    offered += [(of, _CALLER, chunk) for of in first_ones for chunk in callers.get(of, ())]
    for of, relation, chunk in offered:
        file, first, last = catalogue.files[chunk], catalogue.first_lines[chunk], catalogue.last_lines[chunk]
        is_shown = any(file == at and first <= end and last >= begin for at, begin, end in shown)
        if chunk not in texts or is_shown or len(texts[chunk].text) > left:
            continue
        if relation == _IMPORTS and not _IMPORTING.search(texts[chunk].text):
            continue
        left -= len(texts[chunk].text)
        shown.append((file, first, last))
        update = {"relation": relation, "neighbour_of": _place(of, catalogue)}
        yield _passage(chunk, catalogue, texts[chunk]).model_copy(update=update)


def _beside(chunk: int, catalogue: Catalogue) -> Iterator[tuple[str, int]]:
    file = catalogue.files[chunk]
    line = type_around(chunk, catalogue)
    header = catalogue.chunk_at(file, line) if line is not None else None
    if header is not None and header != chunk:
        yield _TYPE, header
    head = catalogue.chunks_of[file][0]
    if head not in {chunk, header}:
        yield _IMPORTS, head


def _is_grown(span: Span, catalogue: Catalogue) -> bool:
    return (span.first, span.last) != (catalogue.first_lines[span.chunk], catalogue.last_lines[span.chunk])


def _passage(chunk: int, catalogue: Catalogue, text: ChunkText) -> Passage:
    file = catalogue.files[chunk]
    return Passage(
        chunk_id=catalogue.chunk_ids[chunk],
        path=catalogue.paths[file],
        first_line=catalogue.first_lines[chunk],
        last_line=catalogue.last_lines[chunk],
        text=text.text,
        language=text.language,
        file_class=catalogue.classes[file],
        symbols=text.symbols,
    )


def _place(chunk: int, catalogue: Catalogue) -> Citation:
    return Citation(
        path=catalogue.paths[catalogue.files[chunk]],
        first_line=catalogue.first_lines[chunk],
        last_line=catalogue.last_lines[chunk],
        chunk_id=catalogue.chunk_ids[chunk],
    )
