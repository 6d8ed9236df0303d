"""Who calls the functions that were found: a place of each, to stand beside the passage.

In:  the chunks that were found, the calls that lead to functions in them, the catalogue.
Out: the functions to ask about; for each found chunk those of its callers, working code first, then the surest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag_manager.stages.catalogue import FUNCTIONS, Catalogue

BESIDE = 3  # of the first passages what stands beside them is offered
_FUNCTIONS = 4  # of one passage; one that has more is about none of them
_CALLERS = 2  # of one passage


@dataclass(frozen=True)
class Called:
    """A function by where it begins, and the found chunk that has it, or a part of it."""

    chunk: int
    path: str
    line: int


@dataclass(frozen=True)
class Call:
    """A call of the `place`-th function that was asked about: where it is written, and how sure it is."""

    place: int
    path: str
    line: int
    confidence: float


def called_in(found: Sequence[int], catalogue: Catalogue) -> list[Called]:
    """Return the functions of the first of the found chunks. Pure."""
    asked: list[Called] = []
    for chunk in found[:BESIDE]:
        file, first, last = catalogue.files[chunk], catalogue.first_lines[chunk], catalogue.last_lines[chunk]
        spans = catalogue.spans[file]
        begun = sorted({begin for kind, begin, end in spans if kind in FUNCTIONS and begin <= last and end >= first})
        if len(begun) <= _FUNCTIONS:
            asked += [Called(chunk, catalogue.paths[file], line) for line in begun]
    return asked


def callers_beside(
    asked: Sequence[Called], calls: Iterable[Call], catalogue: Catalogue, wanted: frozenset[str] = frozenset()
) -> dict[int, tuple[int, ...]]:
    """Return found chunk → chunks of callers. `wanted` is what the question asks for beside (tests …). Pure."""
    places: dict[int, dict[int, tuple[bool, float, int]]] = {}
    for call in calls:
        file, held = catalogue.numbers.get(call.path), asked[call.place].chunk
        caller = catalogue.chunk_at(file, call.line) if file is not None else None
        if file is not None and caller is not None and caller != held:
            order = (catalogue.noise[file] not in {None, *wanted}, -call.confidence, caller)
            of_one = places.setdefault(held, {})
            of_one[caller] = min(order, of_one.get(caller, order))
    return {held: tuple(_first(of_one)) for held, of_one in places.items()}


def _first(places: Mapping[int, tuple[bool, float, int]]) -> list[int]:
    return sorted(places, key=lambda caller: places[caller])[:_CALLERS]
