"""What `repostream rebuild collection` and `doctor` say of collections of vectors."""

from typing import Any

from cli.doctor import collections_finding, embedder_finding
from cli.rebuild_collection import lines_of
from runtime.client.shapes import CollectionRebuild, CollectionsState

ID = "7a0d8f5e-0f4c-4b56-9f6e-3a3f8f0b1234"
WHOLE = {"vectors": 1_200, "held": 1_200, "missing": 0, "extra": 0, "different": 0}
WHOLE |= {"checksum": "aa", "held_checksum": "aa", "agrees": True}
LOST = WHOLE | {"held": None, "missing": 1_200, "held_checksum": "0", "agrees": False}
SPOILT = WHOLE | {"held": 1_202, "missing": 1, "extra": 3, "different": 2, "held_checksum": "bb", "agrees": False}


def a_rebuild(before: dict[str, Any] | None, after: dict[str, Any] | None = None, **more: Any) -> CollectionRebuild:
    known = {"rebuild_id": ID, "generation_id": ID, "analysis_id": ID, "repository_id": ID, "kind": "full"}
    known |= {"model": "minilm", "state": "done", "replace": after is not None, "asked_at": "2026-01-01T00:00:00Z"}
    return CollectionRebuild.model_validate(known | {"before": before, "after": after} | more)


def a_state(**more: Any) -> CollectionsState:
    known: dict[str, Any] = {"checked": 7, "wrong": 0, "damaged": [], "wanted": "new", "earlier": []}
    return CollectionsState.model_validate(known | more)


def test_a_collection_that_is_right_is_told_with_its_checksum() -> None:
    assert lines_of(a_rebuild(WHOLE)) == [
        f"full generation {ID} of analysis {ID} (minilm)",
        "The collection that served: has all 1,200 vectors, checksum aa",
    ]


def test_what_differs_is_told_with_what_to_do() -> None:
    lost, spoilt = lines_of(a_rebuild(LOST)), lines_of(a_rebuild(SPOILT))

    assert (
        lost[1]
        == "The collection that served: is not there, or cannot be read; it should have 1,200 vectors, checksum aa"
    )
    assert spoilt[1] == (
        "The collection that served: has 1 missing, 2 different, 3 that are no one's, checksum bb;"
        " it should have 1,200 vectors, checksum aa"
    )
    assert lost[2] == spoilt[2] == f"Put it right with `repostream rebuild collection {ID}`."


def test_what_took_over_is_told_and_why_nothing_did() -> None:
    assert lines_of(a_rebuild(LOST, WHOLE))[2] == (
        "The one that serves now: has all 1,200 vectors, checksum aa; nothing was embedded"
    )
    assert lines_of(a_rebuild(None, state="failed", message="It was deleted.")) == ["It was deleted."]


def test_doctor_names_missing_and_short_collections_and_the_command() -> None:
    damaged = [
        {"generation_id": ID, "analysis_id": ID, "kind": "full", "vectors": 1_200, "held": held}
        for held in (None, 1_100)
    ]

    finding = collections_finding(a_state(damaged=damaged, wrong=9))

    assert not finding.ok
    assert finding.detail == (
        f"of generation {ID} (analysis {ID}, full) is missing;"
        f" of generation {ID} (analysis {ID}, full) has 1,100 of 1,200 vectors; and 7 more."
        " They are made again by themselves within minutes;"
        f" at once by `repostream rebuild collection {ID}`."
    )
    assert collections_finding(a_state()).detail == "all 7 have the vectors that were written to them"


def test_doctor_tells_which_analyses_an_earlier_model_serves_and_what_comes_next() -> None:
    known = {"model": "old", "analyses": 6, "newest": [ID], "asked": True}
    unknown = {"model": "older", "analyses": 1, "newest": [ID], "asked": False}

    finding = embedder_finding(a_state(earlier=[known, unknown]))

    assert finding.ok
    assert finding.detail.startswith(
        f"new is set. old serves 6 analyses ({ID}, …); older serves 1 analyses ({ID}),"
        " searched by words alone until REPOSTREAM_FORMER_EMBEDDER… names that model. They are embedded anew"
    )
    assert "To go back, set REPOSTREAM_EMBEDDER… as it was and start rag_manager again" in finding.detail
    assert embedder_finding(a_state()).detail == "nothing is served by another model than new"


def test_doctor_says_of_what_somebody_went_back_to_that_it_stays() -> None:
    chosen = {"model": "old", "analyses": 1, "newest": [ID], "asked": True, "chosen": True}

    told = embedder_finding(a_state(earlier=[chosen])).detail

    assert f"old serves 1 analyses ({ID}), to which somebody went back." in told
    assert "stays; `repostream rollback ANALYSIS` goes forward again." in told
    assert "embedded anew" not in told
