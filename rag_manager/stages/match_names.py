"""Find what a question names outright: a definition, or a file.

In:  a question that was read, and the catalogue.
Out: chunks that begin a definition of a name in it, best first; files whose path it gives.
"""

from rag_manager.stages.catalogue import Catalogue, Definition
from rag_manager.stages.read_question import Question

MAX_MATCHES = 20  # a name defined in more places than this tells nothing
_TYPES = frozenset({"class", "interface", "struct", "enum", "trait", "type", "module", "record", "object", "namespace"})


def match_names(question: Question, catalogue: Catalogue) -> list[int]:
    """Return the chunks where names of the question are defined: types first, tests and the like last. Pure."""
    names = (question.lone_name,) if question.lone_name else question.names
    found: list[int] = []
    for name in names:
        places = catalogue.definitions.get(name, ())
        ordered = sorted(places, key=lambda place: _order(name, place, question, catalogue))
        for place in ordered[:MAX_MATCHES]:
            chunk = catalogue.chunk_at(place.file, place.first_line)
            if chunk is not None:
                found.append(chunk)
    return list(dict.fromkeys(found))


def match_paths(question: Question, catalogue: Catalogue) -> list[int]:
    """Return the numbers of the files whose path ends in a path of the question, shortest path first. Pure.

    A report has paths of its examples and of other projects, too: there one counts that a single working file ends in.
    """
    named = [_ending_in(part, catalogue) for part in question.paths]
    if question.report:
        named = [[file for file in files if catalogue.noise[file] in {None, *question.asked}] for files in named]
        named = [files for files in named if len(files) == 1]
    found = {file for files in named for file in files}
    return sorted(found, key=lambda file: (len(catalogue.paths[file]), file))[:MAX_MATCHES]


def _ending_in(part: str, catalogue: Catalogue) -> list[int]:
    files = catalogue.endings.get(part.rpartition("/")[2], ())
    return [file for file in files if f"/{catalogue.paths[file].lower()}".endswith(f"/{part}")]


def _order(name: str, place: Definition, question: Question, catalogue: Catalogue) -> tuple[bool, bool, bool, int, int]:
    noisy = catalogue.noise[place.file] not in {None, *question.asked}
    own_file = name in catalogue.stems[place.file]
    return noisy, not own_file, place.kind.lower() not in _TYPES, place.file, place.first_line
