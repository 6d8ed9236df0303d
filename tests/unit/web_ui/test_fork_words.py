"""Forks as people make and read them."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.api.forks import view
from orchestrator.projections.forks import fork
from orchestrator.workflow import Policy
from runtime.client.shapes import ChangeView, ForkView
from tests.support import histories
from web_ui import forked

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def a_fork(history: str, version: int, **changes: object) -> ForkView:
    events = histories.load(history).events
    made = view(events[0].stream_id, events, fork(events, version, changes, Policy()))
    return ForkView.model_validate_json(made.model_dump_json())


def as_written(field: forked.Field) -> str | bool:
    return field.is_set if field.kind == "yes" else field.said


@given(st.dictionaries(st.text(min_size=1, max_size=8), JSON, max_size=6))
def test_a_form_that_nobody_wrote_in_changes_nothing(data: dict[str, object]) -> None:
    assert forked.changes(data, {field.name: as_written(field) for field in forked.fields(data)}) == {}


@given(JSON, JSON)
def test_what_is_written_as_json_is_read_as_that(before: object, after: object) -> None:
    if isinstance(before, str | bool) or isinstance(after, str | bool):
        return  # a text stays the text that was written, and a switch is no text
    [field] = forked.fields({"x": after})
    read = forked.changes({"x": before}, {"x": field.said})

    assert read.get("x", before) == after


def test_texts_stay_texts_and_what_cannot_be_read_is_left_to_the_api() -> None:
    data = {"kind": "transient", "attempt": 1, "ref": None, "artifacts": [1], "partial": False}

    assert forked.changes(data, {"kind": "1", "attempt": "one", "ref": "main", "artifacts": "[", "partial": True}) == {
        "kind": "1",
        "attempt": "one",
        "ref": "main",
        "artifacts": "[",
        "partial": True,
    }
    assert forked.changes(data, {"attempt": "", "artifacts": "NaN"}) == {"attempt": None, "artifacts": "NaN"}
    assert [field.kind for field in forked.fields(data)] == ["line", "line", "line", "yes", "lines"]


def test_an_address_has_short_changes_that_are_nobodys_words() -> None:
    said = forked.address("analysis/1", {"kind": "permanent"})

    assert forked.read_address(said) == {"kind": "permanent"}
    assert forked.read_address(forked.address("analysis/1", {})) == {}
    assert forked.address("conversation/1", {"query": "x"}) is None
    assert forked.address("analysis/1", {"url": "x" * 2_000}) is None
    assert [forked.read_address(bad) for bad in (None, "", "[1]", "{", "[" * 100_000)] == [None] * 5
    assert [forked.read_version(each) for each in ("17", None, "", "x", "0", "-1", "9" * 99)] == [
        17, None, None, None, None, None, 999_999_999,
    ]  # fmt: skip


def test_both_histories_stand_beside_each_other_event_by_event() -> None:
    events = histories.load("host_was_away").events
    at = next(each.version for each in events if each.event_type == "processing.stage.failed")

    same, other = a_fork("host_was_away", at), a_fork("host_was_away", at, kind="permanent")

    assert {how for how, *_ in forked.beside(same)} == {"the same"}
    assert forked.conclusion(same) == "It goes on as it really did."
    rows = forked.beside(other)
    real = [said for _how, said, _fork in rows if said]
    assert real == [
        f"{each.version} {each.event_type}" + (f" · {each.stage}" if each.stage else "") for each in events[at:]
    ]
    alone = [fork for how, _real, fork in rows if how == "in the fork alone"]
    assert any("repository.processing.failed" in each for each in alone)
    assert forked.conclusion(other).startswith("It goes on otherwise: ")
    assert f"{len(other.unused)} recorded events without a place in it" in forked.conclusion(other)
    assert forked.lengths(other) == [f"{len(events)} events really", f"{other.fork_events} events in the fork"]
    assert all("nothing" in row for row in forked.decisions(other))
    assert forked.differences(other.edited) == [("kind", "transient", "permanent")]


def test_a_decision_at_the_same_place_that_says_something_else_is_not_called_the_same() -> None:
    events = histories.load("whole").events
    parsed = next(e for e in events if e.event_type == "processing.stage.completed" and e.stage == "parse")

    made = a_fork("whole", parsed.version, counts={"symbols": 999})

    [(how, real, fork)] = [row for row in forked.beside(made) if row[0] != "the same"]
    assert (how, real) == ("otherwise", fork)
    assert real.endswith("repository.processing.completed")


def test_what_lies_behind_the_end_of_a_cut_list_is_not_called_missing() -> None:
    whole = a_fork("whole", 2)
    cut = whole.model_copy(update={"events": whole.events[:3], "left_out": 40})

    assert {how for how, *_ in forked.beside(cut)} == {"the same"}
    assert forked.lengths(cut)[-1] == "40 more entries are not shown"


def test_changes_and_what_is_missing_are_rows_of_plain_text() -> None:
    found = [
        ChangeView(path="/a~1b/c", kind="added", after={"x": "\u202e1"}),
        ChangeView(path="", kind="removed", before=None),
        ChangeView(path="/n", kind="changed", before=None, after=0),
    ]
    assert forked.differences(found) == [
        ("a/b / c", "nothing", '{"x": "\\u202e1"}'),
        ("all", "none", "nothing"),
        ("n", "none", "0"),
    ]
    clone = next(e.version for e in histories.load("whole").events if e.event_type == "processing.stage.completed")
    made = a_fork("whole", clone, artifacts=[])
    assert all(len(row) == 1 for row in forked.missing(made.not_recorded))
