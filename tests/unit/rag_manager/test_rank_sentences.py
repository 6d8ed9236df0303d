import pytest

from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue
from rag_manager.stages.lift_named import lift_named
from rag_manager.stages.order_passages import PER_FILE, order_passages
from rag_manager.stages.rank import Rankings, rank
from rag_manager.stages.read_question import read_question

PLACES = [("src/sessions.py", "code", 1 + 10 * n, 10 + 10 * n) for n in range(5)] + [
    ("src/cookies.py", "code", 1, 30),
    ("tests/test_sessions.py", "test", 1, 30),
]
SYMBOLS = [
    ("openSession", "method", "src/sessions.py", 13, 13),
    ("saveSession", "method", "src/sessions.py", 25, 25),
    ("limit", "variable", "src/sessions.py", 33, 33),
    ("sign_cookie", "function", "src/cookies.py", 4, 4),
    ("test_sign_cookie", "function", "tests/test_sessions.py", 4, 4),
]
SENTENCE = "Compute the signature that proves a cookie was given out here and sign it with the newest key"
WORDS = "sign cookie"


@pytest.fixture
def catalogue() -> Catalogue:
    return make_catalogue([ChunkPlace(f"c{n}", *place) for n, place in enumerate(PLACES)], SYMBOLS)


def test_names_belong_to_the_chunk_they_begin_in_and_variables_to_none(catalogue: Catalogue) -> None:
    assert catalogue.named == {1: ["openSession"], 2: ["saveSession"], 5: ["sign_cookie"], 6: ["test_sign_cookie"]}


def test_a_chunk_rises_by_the_share_of_a_name_that_the_question_spells(catalogue: Catalogue) -> None:
    lifted = lift_named({0: 0.5, 1: 0.5, 2: 0.5}, read_question("how to open a session"), catalogue, 1.0)

    assert lifted == {0: 0.5, 1: 1.0, 2: 0.75}


def test_a_file_gives_few_passages_while_others_have_some(catalogue: Catalogue) -> None:
    scores = {0: 0.9, 1: 0.8, 2: 0.7, 3: 0.6, 4: 0.5, 5: 0.1}

    chosen = [chunk for chunk, _ in order_passages([(0, 1.0), (1, 0.9)], scores, catalogue, limit=6)]

    assert chosen == [0, 1, 2, 5, 3, 4]
    assert PER_FILE == 3
    assert len(order_passages([(0, 1.0), (1, 0.9)], scores, catalogue, limit=2)) == 2


def test_a_sentence_finds_the_passage_itself_and_a_few_words_the_file(catalogue: Catalogue) -> None:
    rankings = Rankings(lexical=[0, 1, 2, 5, 3, 6])

    sentence = rank(read_question(SENTENCE), rankings, catalogue, limit=6).passages
    words = rank(read_question("sessions " + WORDS), rankings, catalogue, limit=6).passages

    assert sentence[0].chunk == 5
    assert {item.chunk for item in words[:3]} == {0, 1, 2}
    assert sentence[0].score == max(item.score for item in sentence)


def test_what_ends_as_a_statement_finds_its_passage_however_short_it_is(catalogue: Catalogue) -> None:
    rankings = Rankings(lexical=[0, 1, 2, 5, 3, 6])

    assert not read_question("sign.").statement
    assert rank(read_question("Sign it with the newest key."), rankings, catalogue, limit=6).passages[0].chunk == 5
    assert rank(read_question("Sign it with the newest key"), rankings, catalogue, limit=6).passages[0].chunk == 0


def test_of_a_statement_scores_count_and_not_the_places_alone(catalogue: Catalogue) -> None:
    far = {"lexical": {3: 9.0, 4: 2.0}, "dense": {4: 0.8, 3: 0.7}}
    near = {"lexical": {3: 9.0, 4: 8.9}, "dense": {4: 0.8, 3: 0.1}}

    def first(text: str, scores: dict[str, dict[int, float]]) -> int:
        rankings = Rankings([3, 4], [4, 3], 1.0, scores=scores)
        return rank(read_question(text), rankings, catalogue, limit=2).passages[0].chunk

    assert first("Gives the newest entry out.", far) == 3
    assert first("Gives the newest entry out.", near) == 4
    assert first("Gives the newest entry out", far) == first("Gives the newest entry out", near)


def test_a_word_of_a_name_may_be_the_beginning_of_one_in_the_question(catalogue: Catalogue) -> None:
    long = lift_named({1: 0.5}, read_question("open sessionless"), catalogue, 1.0)
    short = lift_named({1: 0.5, 2: 0.5}, read_question("open a sess"), catalogue, 1.0)
    other = lift_named({1: 0.5}, read_question("se op"), catalogue, 1.0)

    assert (long, short, other) == ({1: 1.0}, {1: 1.0, 2: 0.75}, {1: 0.5})
