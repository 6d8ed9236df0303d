"""Collections of vectors as people read them."""

from tests.unit.cli.test_rebuild_collection import ID, LOST, SPOILT, WHOLE, a_rebuild, a_state
from web_ui.collections import conclusion, earlier, is_right, outcome, rows


def test_what_is_damaged_is_counted_and_listed() -> None:
    one = {"generation_id": ID, "analysis_id": ID, "kind": "full", "vectors": 1_200}
    state = a_state(wrong=2, damaged=[one | {"held": None}, one | {"held": 1_100}])

    assert conclusion(state) == "Of 7 collections 2 do not have the vectors that were written to them."
    assert [(row["Vectors"], row["There"]) for row in rows(state)] == [(1_200, "missing"), (1_200, "1,100")]
    assert conclusion(a_state()) == "All 7 collections have the vectors that were written to them."
    assert rows(a_state()) == []


def test_what_an_earlier_model_serves_is_said_with_what_it_means() -> None:
    known = {"model": "old", "analyses": 6, "newest": [ID], "asked": True}

    assert earlier(a_state(earlier=[known, known | {"model": "", "asked": False}])) == [
        "6 analyses are served by old until they are embedded anew by new.",
        (
            "6 analyses are served by a model without a name until they are embedded anew by new;"
            " their searches are by words alone."
        ),
    ]


def test_what_somebody_went_back_to_is_said_to_stay() -> None:
    known = {"model": "old", "analyses": 1, "newest": [ID], "asked": True, "chosen": True}

    assert earlier(a_state(earlier=[known])) == [
        "1 analyses are served by old since somebody went back to it from new."
    ]


def test_what_was_found_and_what_serves_since_is_said_with_its_checksum() -> None:
    which = f"The full index of analysis {ID} (minilm): the collection that served"

    assert outcome(a_rebuild(WHOLE)) == [f"{which} has all 1,200 vectors, checksum aa."]
    assert outcome(a_rebuild(LOST, WHOLE)) == [
        f"{which} is not there, or cannot be read; it should have 1,200 vectors, checksum aa.",
        "The one that serves now has all 1,200 vectors, checksum aa; nothing was embedded.",
    ]
    assert "1 missing, 2 different, 3 that are no one's, checksum bb" in outcome(a_rebuild(SPOILT))[0]
    assert outcome(a_rebuild(None)) == []
    assert [
        is_right(one) for one in (a_rebuild(WHOLE), a_rebuild(SPOILT), a_rebuild(SPOILT, WHOLE), a_rebuild(None))
    ] == [
        True,
        False,
        True,
        False,
    ]
