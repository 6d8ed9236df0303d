"""Which files of two trees are different, and pages of what is."""

from typing import Any

from orchestrator.adapters.comparison import compared_trees, page_of
from orchestrator.api.paging import Page


def _row(path: str, blob: str = "b", **more: Any) -> dict[str, Any]:
    return {"path": path, "blob_id": blob, "size": 3, "lines": 1, "language": None, "skipped": None} | more


def test_files_differ_by_content_or_by_whether_they_were_left_out() -> None:
    before = [_row("gone"), _row("same"), _row("other"), _row("left")]
    after = [_row("same", size=4), _row("other", "c"), _row("left", skipped="binary"), _row("new")]
    found, counts = compared_trees(before, after)

    assert [(one.kind, one.name) for one in found] == [
        ("removed", ["gone"]),
        ("changed", ["left"]),
        ("added", ["new"]),
        ("changed", ["other"]),
    ]
    assert (counts.added, counts.removed, counts.changed, counts.same) == (1, 1, 2, 1)
    assert found[0].after is None
    assert found[1].after == {"size": 3, "lines": 1, "language": None, "left_out": "binary"}


def test_pages_follow_each_other_and_each_is_of_one_kind_where_that_is_asked() -> None:
    found, _counts = compared_trees([], [_row(f"f{n}") for n in range(5)])
    first = page_of(found, Page(limit=3), None)
    second = page_of(found, Page(first.next, 3), None)

    assert [one.name[0] for one in (*first.items, *second.items)] == [f"f{n}" for n in range(5)]
    assert (first.total, second.next) == (5, None)
    assert page_of(found, Page(), "removed").items == []
