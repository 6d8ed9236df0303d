"""Who calls the functions that were found."""

from rag_manager.stages.callers_beside import Call, called_in, callers_beside
from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue

PLACES = [
    ChunkPlace("send", "src/session.py", "code", 1, 10),
    ChunkPlace("many", "src/session.py", "code", 11, 30),
    ChunkPlace("app", "src/app.py", "code", 1, 20),
    ChunkPlace("main", "src/main.py", "code", 1, 20),
    ChunkPlace("test", "tests/test_app.py", "test", 1, 20),
]
SYMBOLS = [
    ("Session", "class", "src/session.py", 1, 30),
    ("send", "method", "src/session.py", 3, 10),
    *((f"m{line}", "method", "src/session.py", line, line + 2) for line in range(11, 30, 3)),
    ("app", "function", "src/app.py", 2, 20),
]


def a_catalogue() -> Catalogue:
    return make_catalogue(PLACES, SYMBOLS)


def test_the_functions_of_the_first_passages_are_asked_about_and_those_of_many_are_not() -> None:
    asked = called_in([0, 1, 2, 3], a_catalogue())

    assert [(one.chunk, one.path, one.line) for one in asked] == [(0, "src/session.py", 3), (2, "src/app.py", 2)]


def test_working_code_comes_before_tests_and_sure_calls_before_guessed_ones() -> None:
    asked = called_in([0], a_catalogue())
    calls = [
        Call(0, "tests/test_app.py", 5, 1.0),
        Call(0, "src/main.py", 5, 0.5),
        Call(0, "src/app.py", 5, 0.9),
        Call(0, "src/app.py", 6, 0.9),
        Call(0, "src/session.py", 5, 1.0),  # itself
        Call(0, "src/gone.py", 5, 1.0),
    ]

    assert callers_beside(asked, calls, a_catalogue()) == {0: (2, 3)}
    assert callers_beside(asked, calls, a_catalogue(), frozenset({"test"})) == {0: (4, 2)}
