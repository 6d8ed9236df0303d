"""Which chunks a search is limited to.

In:  a scope (folder, file, language, definition; all that are given must hold) and the catalogue.
Out: the numbers of the chunks in it.
"""

import re
from collections.abc import Iterator

from events.question import Scope
from rag_manager.stages.catalogue import Catalogue, Definition

_OTHER = "other"  # as an analysis counts the files whose language is not known


def limit_scope(scope: Scope, catalogue: Catalogue) -> frozenset[int]:
    """Return the chunks in `scope`; none where nothing is. Names of languages and definitions in any case. Pure."""
    files = {file for file, path in enumerate(catalogue.paths) if _holds(scope, path, catalogue.languages[file])}
    if scope.symbol:
        return frozenset(_defining(scope.symbol, files, catalogue))
    return frozenset(chunk for file in files for chunk in catalogue.chunks_of[file])


def _holds(scope: Scope, path: str, language: str | None) -> bool:
    folder = scope.folder.strip("/")
    return (
        (not folder or path.startswith(f"{folder}/"))
        and (not scope.path or path == scope.path.strip("/"))
        and (not scope.language or (language or _OTHER).lower() == scope.language.lower())
    )


def _defining(symbol: str, files: set[int], catalogue: Catalogue) -> Iterator[int]:
    """The chunks that have lines of a definition: of `Session.send`, of those inside a `Session`."""
    *owners, name = (part.strip("_").lower() for part in re.split(r"\.|::|#|->", symbol))
    outer = catalogue.definitions.get(owners[-1], ()) if owners else ()
    for place in catalogue.definitions.get(name, ()):
        if place.file in files and (not owners or any(_inside(place, each) for each in outer)):
            for chunk in catalogue.chunks_of[place.file]:
                if catalogue.first_lines[chunk] <= place.last_line and place.first_line <= catalogue.last_lines[chunk]:
                    yield chunk


def _inside(place: Definition, outer: Definition) -> bool:
    return place.file == outer.file and outer.first_line <= place.first_line <= outer.last_line
