"""The graph of the sample repository of `tests.support.orchestrator`: imports of three kinds, calls of two kinds."""

from collections.abc import Callable, Sequence

from pydantic import BaseModel

from events.artifacts import ConnectionRow, ImportRow, LinkRow

MAIN, UTIL = "app/main.py", "app/util.py"


def an_import(module: str, resolution: str, target: str, line: int) -> ImportRow:
    said = {"path": MAIN, "written": module, "module": module, "name": "", "alias": "", "level": 0}
    return ImportRow(**said, line=line, resolution=resolution, target=target, confidence=0.95)


def a_connection(path: str, imports: int, imported_by: int, calls: int, called_by: int) -> ConnectionRow:
    ends = {"imports": imports, "imported_by": imported_by, "calls": calls, "called_by": called_by}
    return ConnectionRow(path=path, **ends, functions=2, complexity=5, most_complex=4, function_lines=9)


IMPORTS: Sequence[BaseModel] = [
    an_import("os", "standard", "os", 1),
    an_import("app.util", "file", UTIL, 2),
    an_import("flask", "dependency", "flask", 3),
]
CONNECTIONS: Sequence[BaseModel] = [a_connection(MAIN, 1, 0, 1, 0), a_connection(UTIL, 0, 1, 0, 1)]


def links_of(place: Callable[[str, int], tuple[int, int]]) -> list[BaseModel]:
    """`main.f0` calls `util.f1`, and so does the file `main` outside of any definition."""
    target, source = place(UTIL, 1), place(MAIN, 0)
    said = {"kind": "call", "path": MAIN, "target_path": UTIL, "target": f"{UTIL}.f1"}
    at = {"target_shard": target[0], "target_ordinal": target[1]}
    named = {"source": f"{MAIN}.f0", "source_shard": source[0], "source_ordinal": source[1]}
    bare = {"source": "", "source_shard": -1, "source_ordinal": -1}
    return [
        LinkRow(**said, **at, **named, line=4, confidence=0.95, level="exact"),
        LinkRow(**said, **at, **bare, line=5, confidence=0.5, level="named"),
    ]
