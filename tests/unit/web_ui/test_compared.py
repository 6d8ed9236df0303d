"""Two analyses beside each other, in words."""

from datetime import UTC, datetime

from runtime.client.shapes import (
    AnalysisSummary,
    ComparedView,
    ComparisonView,
    CountsView,
    DifferenceView,
    StageCompared,
)
from web_ui import compared

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
NONE = CountsView(added=0, removed=0, changed=0, same=4)


def _side(**more: object) -> ComparedView:
    return ComparedView.model_validate(
        {"analysis_id": "a", "state": "ready", "requested_at": AT, "currency": ""} | more
    )


def _found(**more: object) -> ComparisonView:
    base = {"before": _side(), "after": _side(), "stages": []}
    same = dict.fromkeys(("files", "symbols", "dependencies", "chunks"), NONE)
    return ComparisonView.model_validate(base | same | more)


def test_counts_name_what_came_what_went_and_what_is_different() -> None:
    rows = compared.counts(_found(files=CountsView(added=1_200, removed=2, changed=3, same=4)))

    assert rows[0][0] == "Files"
    assert rows[0][1] == "+1,200"
    assert rows[0][3:] == ("3", "4")
    assert not compared.is_same(_found(chunks=CountsView(added=0, removed=1, changed=0, same=0)))
    assert compared.is_same(_found())


def test_the_two_are_told_side_by_side_and_cost_only_where_it_is_known() -> None:
    sides = compared.sides(_found(before=_side(commit="c0ffee" * 7, seconds=4.0, totals={"files": 3})))
    assert sides[1][1] == "c0ffeec0ff"
    assert [row[0] for row in sides] == ["State", "Commit", "Until ready", "files"]
    assert sides[3][1] == "3"
    assert sides[3][2] != "3"
    priced = compared.sides(_found(after=_side(cost=0.5, currency="USD")))
    assert (priced[3][0], priced[3][2]) == ("Estimated cost", "0.5000 USD")
    paid = compared.sides(_found(after=_side(spent={"tokens": 54_000, "cost_usd": 0.0123})))
    assert (paid[3][0], paid[3][2]) == ("Embedded", "54,000 tokens, $0.01")
    assert compared.stages([StageCompared(stage="parse", before=1.0, after=3.0)])[0][3].startswith("+2")
    assert compared.stages([StageCompared(stage="link", before=None, after=3.0)])[0][3] == ""


def test_of_one_that_was_not_read_whole_nothing_is_said_to_be_gone_without_a_word() -> None:
    assert compared.lacking(_found()) == []
    [other] = compared.lacking(_found(before=_side(state="running", lacks=["parse"])))
    assert other.startswith("The other one is running and has no whole result of parse: what is told as added may")
    [this] = compared.lacking(_found(after=_side(state="failed", lacks=["metadata", "parse"])))
    assert this.startswith("This one is failed and has no whole result of metadata, parse: what is told as removed may")


def test_of_what_changed_only_the_differing_facts_are_told() -> None:
    changed = DifferenceView(
        name=["a.py", "function", "a.f"],
        kind="changed",
        before={"signatures": ["def f()"], "code_lines": 3},
        after={"signatures": ["def f(x)"], "code_lines": 3},
    )
    added = DifferenceView(name=["new.py"], kind="added", before=None, after={"size": 3, "left_out": None})
    content = DifferenceView(name=["a.py"], kind="changed", before={"size": 3}, after={"size": 3})

    assert compared.rows([changed, added, content]) == [
        ("changed", "a.py · function · a.f", "signatures def f() → def f(x)"),
        ("added", "new.py", "size 3"),
        ("changed", "a.py", "content"),
    ]


def test_an_address_that_names_nothing_means_files_of_every_kind() -> None:
    assert (compared.read_what("symbols"), compared.read_what("x"), compared.read_what(None)) == (
        "symbols",
        "files",
        "files",
    )
    assert (compared.read_kind("added"), compared.read_kind("x")) == ("added", None)


def test_an_analysis_to_choose_names_its_time_commit_and_state() -> None:
    one = AnalysisSummary.model_validate(
        {
            "analysis_id": "a",
            "repository_id": "r",
            "url": "https://example.org/a/b",
            "name": "a/b",
            "ref": "main",
            "commit": "c0ffee" * 7,
            "state": "ready",
            "version": 3,
            "requested_at": AT,
        }
    )
    assert compared.option(one, UTC) == "2026-01-02 03:04 UTC, commit c0ffeec0ff of main, ready"
