"""What `repostream rebuild read-models` and `doctor` say of a comparison."""

from typing import Any

from cli.doctor import read_models_finding
from cli.rebuild import lines_of
from runtime.client.shapes import RebuildView

ID = "7a0d8f5e-0f4c-4b56-9f6e-3a3f8f0b1234"


def a_rebuild(differing: int = 0, **changes: Any) -> RebuildView:
    table = {"table": "symbols", "rows": 1_200, "rebuilt": 1_204, "checksum": "1", "rebuilt_checksum": "2"}
    table |= {"differing": differing, "ids": [ID] * min(differing, 20)}
    projection = {"projection": "contents", "seq": 9, "events": 41, "seconds": 1.26, "waited": 0.1, "tables": [table]}
    known = {"rebuild_id": ID, "state": "done", "replace": False, "asked_at": "2026-01-01T00:00:00Z", "ended_at": None}
    known |= {"message": None, "agrees": not differing, "projections": [projection | {"agrees": not differing}]}
    return RebuildView.model_validate(known | changes)


def test_what_agrees_is_told_with_how_much_it_was() -> None:
    said = ["contents: 1,204 rows of 41 events in 1.3 s", "Every row was what the log says."]

    assert lines_of(a_rebuild()) == said
    assert read_models_finding(a_rebuild()).detail == "all 1,200 rows of 1 tables are what the log says"


def test_what_differs_is_named_with_what_became_of_it_and_what_to_do() -> None:
    looked = lines_of(a_rebuild(5))

    assert (
        looked[1]
        == f"symbols: 1,200 rows, 1,204 rebuilt; of 5 ids they differed and are left as they are: {ID}, {ID}, {ID}, …"
    )  # as it is printed
    assert looked[-1] == "Put it right with `repostream rebuild read-models`."
    assert lines_of(a_rebuild(1, replace=True))[1:] == [
        f"symbols: 1,200 rows, 1,204 rebuilt; of 1 ids they differed and are replaced: {ID}",
        "What differed was replaced.",
    ]
    finding = read_models_finding(a_rebuild(5))
    assert not finding.ok
    assert finding.detail == "not what the log says: symbols (5 ids). Run `repostream rebuild read-models`."


def test_what_did_not_end_or_failed_is_told_so() -> None:
    waiting, failed = a_rebuild(state="asked", projections=[]), a_rebuild(state="failed", message="It broke.")

    assert lines_of(waiting) == ["It is still being done."]
    assert lines_of(failed) == ["It broke."]
    assert read_models_finding(waiting).ok
    assert not read_models_finding(failed).ok
