"""Files that stand beside the code, and tests that are only mentioned."""

import pytest

from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue
from rag_manager.stages.noise import aside_of
from rag_manager.stages.rank_files import rank_files
from rag_manager.stages.read_question import read_question

PLACES = [
    ("hooks/state.d.ts", "code", 1, 20),
    ("hooks/state.js", "code", 1, 60),
    ("package.json", "config", 1, 30),
    ("testing/test_collect.py", "test", 1, 50),
    ("core/python.py", "code", 1, 50),
]


@pytest.fixture
def catalogue() -> Catalogue:
    return make_catalogue([ChunkPlace(f"c{n}", *place) for n, place in enumerate(PLACES)], [])


def first(question: str, scores: dict[int, float], catalogue: Catalogue) -> str:
    [best, *_] = rank_files(scores, read_question(question), catalogue)
    return catalogue.paths[best[0]]


@pytest.mark.parametrize(
    ("path", "file_class", "kind"),
    [
        ("index.d.ts", "code", "types"),
        ("index.d.cts", "code", "types"),
        ("pkg/thing.pyi", "code", "types"),
        ("package.json", "config", "config"),
        ("messages.xml", "data", "config"),
        ("src/index.ts", "code", None),
        ("src/d.ts", "code", None),
        ("README.md", "docs", None),
    ],
)
def test_what_stands_beside_the_code_is_told_by_path_and_class(path: str, file_class: str, kind: str | None) -> None:
    assert aside_of(path, file_class) == kind


def test_code_comes_before_what_declares_it_unless_types_are_asked_for(catalogue: Catalogue) -> None:
    scores = {0: 0.9, 1: 0.6}

    assert first("How is the state kept?", scores, catalogue) == "hooks/state.js"
    assert first("What is the type of the state?", scores, catalogue) == "hooks/state.d.ts"


def test_code_comes_before_configuration_unless_that_is_asked_for(catalogue: Catalogue) -> None:
    scores = {2: 0.9, 4: 0.6}

    assert first("How is the interpreter for node chosen?", scores, catalogue) == "core/python.py"
    assert first("Which version of node is needed?", scores, catalogue) == "package.json"


@pytest.mark.parametrize(
    "question",
    [
        "How are test functions collected?",
        "How are tests that failed last time run first?",
        "How is it decided that a test is skipped?",
        "How does the test runner capture output?",
    ],
)
def test_a_question_about_a_program_that_runs_tests_does_not_ask_for_its_own(
    question: str, catalogue: Catalogue
) -> None:
    assert read_question(question).mentioned == {"test"}
    assert first(question, {3: 0.7, 4: 0.6}, catalogue) == "core/python.py"


@pytest.mark.parametrize(
    "question",
    [
        "How is collecting tested?",
        "Where are the tests for collecting?",
        "Which unit tests cover the collector?",
        "What does the test that validates collecting do?",
        "What does test_collect_empty check?",
        "What is there to test in TestCollector?",
        "Tests of collecting",
    ],
)
def test_a_question_that_means_tests_finds_them(question: str, catalogue: Catalogue) -> None:
    assert read_question(question).mentioned == frozenset()
    assert first(question, {3: 0.9, 4: 0.6}, catalogue) == "testing/test_collect.py"
