"""Saying that a repository does not answer a question, and by what that is decided."""

import math
from uuid import UUID

import pytest

from ai_engine.stages.check_citations import check_citations
from ai_engine.stages.evidence_weights import WEIGHTS
from ai_engine.stages.judge_evidence import ENOUGH, evidence_for, evidence_of, features_of
from ai_engine.stages.refuse import may_say_not_found, says_not_found, tell_not_found
from events.question import Evidence, Passage, QuestionAsked, SearchReply

# As `rag_manager` gives it for "how commands are structured and invoked" asked of click, and of monolog.
KNOWN = Evidence(chunks=485, terms=4, unknown=0.0, rare=0.0, weight=10.0, best=9.0, nearest=0.62, tenth=0.5, around=0.4)
STRANGE = Evidence(
    chunks=485, terms=9, unknown=0.7, rare=0.8, weight=50.0, best=3.0, nearest=0.2, tenth=0.15, around=0.1
)
MIDDLING = Evidence(
    chunks=485, terms=8, unknown=0.25, rare=0.3, weight=30.0, best=14.0, nearest=0.45, tenth=0.35, around=0.3
)
QUESTION = "how are reverse proxies for gRPC balanced"


def reply_of(evidence: Evidence, passage: Passage, model: str) -> SearchReply:
    """What a search in a full generation of `model` gave."""
    return SearchReply(
        analysis_id=UUID(int=3),
        commit="c0ffee",
        generation_id=UUID(int=4),
        generation_kind="full",
        model=model,
        passages=(passage,),
        took_ms=1.0,
        evidence=evidence,
    )


@pytest.mark.parametrize("kind", ["lexical", "quick", "full"])
def test_what_a_repository_knows_is_told_from_what_it_does_not(kind: str) -> None:
    vectors = {} if kind != "lexical" else {"nearest": None, "tenth": None, "around": None}

    assert evidence_of(QUESTION, KNOWN.model_copy(update=vectors), kind) >= ENOUGH
    assert evidence_of(QUESTION, STRANGE.model_copy(update=vectors), kind) < ENOUGH


@pytest.mark.parametrize(
    "question",
    [
        "What does this project do?",
        "How do I install it?",
        "How do I run the tests?",
        "Which license does it have?",
        "How is the code base organised?",
        "Wie werden Anfragen zum Server verteilt?",  # its words say nothing about an English repository
        "Comment les requêtes arrivent aux serveurs?",
        "Como el servidor reparte las peticiones?",
    ],
)
def test_what_every_repository_can_be_asked_is_never_refused(question: str) -> None:
    assert evidence_of(question, STRANGE, "quick") == 1.0


@pytest.mark.parametrize(
    "question",
    [
        # The same words in a long question, and a phrase without any of English's small words.
        "How does the class that reads a manifest set up its cache directory before it is handed to the verification?",
        "message placeholder processor, reverse proxies balanced",
    ],
)
def test_what_only_looks_general_or_foreign_is_judged_by_its_evidence(question: str) -> None:
    assert evidence_of(question, STRANGE, "quick") < ENOUGH


def test_a_repository_of_a_few_passages_is_shown_rather_than_judged() -> None:
    assert evidence_of(QUESTION, STRANGE.model_copy(update={"chunks": 20}), "quick") == 1.0


def test_a_generation_whose_vectors_are_away_is_judged_by_its_words() -> None:
    words = {"nearest": None, "tenth": None, "around": None}

    assert evidence_of(QUESTION, STRANGE.model_copy(update=words), "full") < ENOUGH


@pytest.mark.parametrize("kind", ["lexical", "quick", "full"])
def test_a_name_that_nothing_has_speaks_against_an_answer_and_one_that_is_there_for_it(kind: str) -> None:
    plain = evidence_of(QUESTION, MIDDLING, kind)
    absent = evidence_of(QUESTION, MIDDLING.model_copy(update={"names": 1, "unknown_names": 1}), kind)
    there = evidence_of(QUESTION, MIDDLING.model_copy(update={"names": 1}), kind)

    assert absent < plain
    assert absent < there


def test_full_vectors_of_another_embedder_are_judged_by_words() -> None:
    asked = QuestionAsked(question_id=UUID(int=1), repository_id=UUID(int=2), query=QUESTION)
    passage = Passage(chunk_id="a", path="a.py", first_line=3, last_line=4, text="x")
    fitted, other = (
        evidence_for(asked, reply_of(MIDDLING, passage, model))
        for model in ("all-minilm-l6-v2-int8-53aa5117-1", "openai:text-embedding-3-small")
    )

    assert fitted == evidence_of(QUESTION, MIDDLING, "full")
    assert other == evidence_of(QUESTION, MIDDLING, "lexical") != fitted


def test_the_constants_fit_the_features() -> None:
    for kind, weights in WEIGHTS.items():
        vectors = {"nearest": None, "tenth": None, "around": None} if kind == "lexical" else {}
        count = len(features_of(KNOWN.model_copy(update=vectors)))
        assert len(weights.means) == len(weights.spreads) == count
        assert len(weights.weights) == count + count * (count + 1) // 2 + 1
        assert all(map(math.isfinite, (*weights.means, *weights.spreads, *weights.weights)))


def test_a_refusal_names_the_commit_and_the_nearest_places_as_citations() -> None:
    nearest = Passage(chunk_id="a", path="a.py", first_line=3, last_line=4, text="x\ny", symbols=("App",))
    text = tell_not_found([nearest], "c0ffee" * 6)
    checked = check_citations(text, [nearest], {"a.py": 4})

    assert text.startswith("Not found in this repository at `c0ffeec0ffee`.")
    assert "- [a.py:3-4] defines `App`" in text
    assert checked.text == text
    assert len(checked.citations) == 1
    assert tell_not_found([], "c0ffee") == "Not found in this repository at `c0ffee`."


@pytest.mark.parametrize("said", ["NOT FOUND", "NOT FOUND.\n", "`NOT FOUND`", "**NOT FOUND**"])
def test_a_model_that_finds_nothing_says_so_by_one_sign(said: str) -> None:
    assert says_not_found(said)
    assert all(may_say_not_found(said[:n]) for n in range(len(said) + 1))


@pytest.mark.parametrize("said", ["It is NOT FOUND in a map [a.py:1].", "NOT FOUND raises a 404 [a.py:1]", ""])
def test_an_answer_about_what_is_not_found_is_none(said: str) -> None:
    assert not says_not_found(said)
