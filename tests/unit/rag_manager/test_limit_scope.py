"""A search that is limited to a folder, a file, a language or a definition."""

import pytest

from events.question import Scope
from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue
from rag_manager.stages.follow_relation import Edge
from rag_manager.stages.limit_scope import limit_scope
from rag_manager.stages.put_forward import put_forward
from rag_manager.stages.rank import Rankings, rank
from rag_manager.stages.read_question import read_question

PLACES = [
    ("src/session.py", "code", 1, 20, "python"),
    ("src/session.py", "code", 21, 40, "python"),
    ("src/web/app.ts", "code", 1, 20, "typescript"),
    ("src/webpack.ts", "code", 1, 20, "typescript"),
    ("README.md", "docs", 1, 9, None),
]
SYMBOLS = [
    ("Session", "class", "src/session.py", 1, 30),
    ("send", "method", "src/session.py", 18, 25),
    ("send", "function", "src/web/app.ts", 3, 6),
]


@pytest.fixture
def catalogue() -> Catalogue:
    return make_catalogue([ChunkPlace(f"c{n}", *place) for n, place in enumerate(PLACES)], SYMBOLS)


@pytest.mark.parametrize(
    ("scope", "chunks"),
    [
        ({"folder": "src"}, {0, 1, 2, 3}),
        ({"folder": "/src/web/"}, {2}),
        ({"path": "src/session.py"}, {0, 1}),
        ({"language": "TypeScript"}, {2, 3}),
        ({"symbol": "send"}, {0, 1, 2}),
        ({"symbol": "Session.send"}, {0, 1}),
        ({"symbol": "session::Send", "language": "python"}, {0, 1}),
        ({"symbol": "send", "folder": "src/web"}, {2}),
        ({"folder": "src", "language": "markdown"}, set()),
        ({"folder": "sr"}, set()),
        ({"symbol": "gone"}, set()),
        ({"symbol": "Gone.send"}, set()),
        ({}, {0, 1, 2, 3, 4}),
    ],
)
def test_all_that_is_given_must_hold(scope: dict[str, str], chunks: set[int], catalogue: Catalogue) -> None:
    assert limit_scope(Scope(**scope), catalogue) == chunks


def test_what_a_question_names_is_not_found_outside_of_the_scope(catalogue: Catalogue) -> None:
    scope = limit_scope(Scope(folder="src/web"), catalogue)

    named = rank(read_question("Session"), Rankings([2], scope=scope), catalogue, limit=5)
    given = rank(read_question("explain src/session.py now"), Rankings([2], scope=scope), catalogue, limit=5)

    assert [item.chunk for item in named.passages] == [2]
    assert [item.chunk for item in given.passages] == [2]
    assert [(step.retriever, step.found) for step in given.plan] == [("lexical", 1), ("path", 0)]


def test_edges_that_lead_out_of_the_scope_are_left_out(catalogue: Catalogue) -> None:
    scope = limit_scope(Scope(folder="src/web"), catalogue)
    edges = [Edge("call", True, path, 5, "x", 1, 0.9) for path in ("src/session.py", "src/web/app.ts")]

    [forward] = put_forward(read_question("who calls send?"), {}, edges, catalogue, scope)

    assert [chunk for chunk, _ in forward.found] == [2]
