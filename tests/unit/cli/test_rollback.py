"""What `repostream rollback` chooses and says."""

from typing import Any

import pytest

from cli.rollback import before, lines_of
from runtime.client import ApiError
from runtime.client.shapes import KeptGenerations

ANALYSIS, NEW, OLD, OLDER = (f"7a0d8f5e-0f4c-4b56-9f6e-3a3f8f0b000{number}" for number in range(4))


def one(generation_id: str, model: str, *, serves: bool = False, **more: Any) -> dict[str, Any]:
    known = {"generation_id": generation_id, "model": model, "chunks": 1_210, "vectors": 1_200, "serves": serves}
    known |= {"since": "2026-01-02T00:00:00Z", "kept_until": None if serves else "2026-01-03T10:20:00Z", "asked": True}
    return known | more


def kept(*items: dict[str, Any]) -> KeptGenerations:
    return KeptGenerations.model_validate({"analysis_id": ANALYSIS, "wanted": "new", "items": [*items]})


def test_without_a_name_it_is_the_one_that_served_before() -> None:
    assert before(kept(one(NEW, "new", serves=True), one(OLD, "old"), one(OLDER, "older"))) == OLD
    assert before(kept(one(OLD, "old", serves=True), one(NEW, "new"))) == NEW


def test_one_of_the_same_model_is_passed_over_and_so_is_one_that_nobody_can_ask_where_another_can_be() -> None:
    replaced, mute = one(OLD, "new"), one(OLDER, "older", asked=False)
    serving = one(NEW, "new", serves=True)

    assert before(kept(serving, replaced, mute, one(ANALYSIS, "oldest"))) == ANALYSIS
    assert before(kept(serving, replaced, mute)) == OLDER, "the API says what is missing"
    with pytest.raises(ApiError, match="generation_unknown"):
        before(kept(serving, replaced))


def test_where_nothing_is_kept_that_is_said() -> None:
    for found in (kept(), kept(one(NEW, "new", serves=True))):
        with pytest.raises(ApiError, match="generation_unknown"):
            before(found)


def test_each_is_a_line_and_the_way_to_another_is_told() -> None:
    assert lines_of(kept(one(NEW, "new", serves=True), one(OLD, "old", asked=False), one(OLDER, "older"))) == [
        f"{NEW}  serves  1,200 vectors of new",
        (
            f"{OLD}  kept until 2026-01-03 10:20 UTC  1,200 vectors of old (not the one that is set),"
            " whose questions nobody embeds: name it by REPOSTREAM_FORMER_EMBEDDER…"
        ),
        f"{OLDER}  kept until 2026-01-03 10:20 UTC  1,200 vectors of older (not the one that is set)",
        f"Go to another by `repostream rollback {ANALYSIS} --to {OLDER}`.",
    ]
    assert lines_of(kept()) == ["No full generation of it is there."]
