"""What earlier changes speak for: which files, by how much, and what that does to the ranking."""

from pathlib import Path

import pytest

from rag_manager.adapters.tantivy_lexicon import TantivyLexicon
from rag_manager.earlier_changes import Earlier, earlier_of
from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue
from rag_manager.stages.rank import Rankings, rank
from rag_manager.stages.read_question import read_question
from rag_manager.stages.vote_for_files import VOTERS, Told, Votes, passages_voted_for, vote_for_files

PLACES = [
    ("src/router.py", "code", 1, 20),
    ("src/router.py", "code", 21, 60),
    ("src/cookies.py", "code", 1, 30),
    ("src/helpers.py", "code", 1, 30),
    ("tests/test_router.py", "test", 1, 50),
]


@pytest.fixture
def catalogue() -> Catalogue:
    return make_catalogue([ChunkPlace(f"c{n}", *place) for n, place in enumerate(PLACES)], [])


def earlier(tmp_path: Path, *commits: tuple[str, str, str, list[str]]) -> Earlier:
    return earlier_of(commits, TantivyLexicon(tmp_path / "never"))


def votes_of(nearest: list[tuple[Told, float]], catalogue: Catalogue, question: str = "why is it slow") -> Votes | None:
    return vote_for_files(nearest, read_question(question), catalogue)


def test_the_commits_whose_words_are_nearest_are_found_in_memory_alone(tmp_path: Path) -> None:
    held = earlier(
        tmp_path,
        ("c1", "Sign cookies anew", "", ["src/cookies.py"]),
        ("c2", "Route faster", "the trie was walked twice", ["src/router.py"]),
        *((f"d{n}", "Route again", "", ["src/router.py"]) for n in range(VOTERS + 5)),
    )

    [(told, score)] = held.nearest(read_question("trie").tokens)
    assert (told.commit, told.subject, told.paths, score > 0) == ("c2", "Route faster", ["src/router.py"], True)
    assert len(held.nearest(read_question("who routes again?").tokens)) == VOTERS
    assert held.nearest(["nowhere"]) == held.nearest([]) == []
    assert earlier(tmp_path).nearest(["trie"]) == []
    assert not (tmp_path / "never").exists()


def test_a_commit_divides_its_score_among_its_files_and_tests_have_no_vote(catalogue: Catalogue) -> None:
    nearest = [
        (Told("0123456789abcdef", "Walk once", ["src/router.py", "tests/test_router.py"]), 4.0),
        (Told("b", "Sign", ["src/cookies.py", "gone.py"]), 6.0),
        (Told("c", "Both", ["src/router.py"]), 1.0),
    ]

    votes = votes_of(nearest, catalogue)

    assert votes is not None
    by_path = {catalogue.paths[file]: share for file, share in votes.of_files.items()}
    assert by_path == {"src/router.py": 1.0, "src/cookies.py": 1.0}
    assert votes.about == "Walk once (0123456789)"
    asked = votes_of(nearest, catalogue, "which test is slow")
    assert asked is not None
    assert {catalogue.paths[file] for file in asked.of_files} == {*by_path, "tests/test_router.py"}
    assert votes_of([(Told("a", "Tests", ["tests/test_router.py"]), 4.0)], catalogue) is None
    assert votes_of([], catalogue) is None


def test_the_best_passage_of_a_file_gains_and_only_in_scope(catalogue: Catalogue) -> None:
    votes = Votes({0: 1.0, 1: 0.5, 2: 0.2}, "")

    assert passages_voted_for(votes, {0: 0.1, 1: 0.3, 2: 0.2}, catalogue, range(5)) == {1: 1.0, 2: 0.5}
    assert passages_voted_for(votes, {0: 0.1, 1: 0.3, 2: 0.2}, catalogue, {0, 3}) == {0: 1.0}


def test_what_was_changed_for_the_like_comes_before_what_has_the_words(catalogue: Catalogue) -> None:
    question = read_question("why is it slow")
    plain = rank(question, Rankings([3, 1, 2]), catalogue, limit=3)
    voted = rank(question, Rankings([3, 1, 2], votes=Votes({0: 1.0}, "Walk once (0123456789)")), catalogue, limit=3)

    assert catalogue.paths[catalogue.files[plain.passages[0].chunk]] == "src/helpers.py"
    assert voted.passages[0].chunk == 1
    assert (voted.passages[0].ranks["changes"], "changes" in voted.passages[1].ranks) == (1, False)
    [step] = [step for step in voted.plan if step.retriever == "changes"]
    assert (step.found, step.weight, step.about) == (1, 0.2, "Walk once (0123456789)")
    assert "changes" not in {step.retriever for step in plain.plan}


@pytest.mark.parametrize(
    ("text", "votes"),
    [
        ("Walk the tree once", True),
        ("It is slow\n\nHow is the tree walked?", True),
        ("why is it slow? ", False),
        ("Walks the whole tree once.", False),
    ],
)
def test_reports_and_tasks_are_voted_on_and_what_asks_or_describes_is_not(
    catalogue: Catalogue, text: str, votes: bool
) -> None:
    nearest = [(Told("a", "Walk once", ["src/router.py"]), 4.0)]

    assert (votes_of(nearest, catalogue, text) is not None) is votes
