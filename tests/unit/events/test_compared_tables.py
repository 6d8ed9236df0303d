"""Rows of two artifacts beside each other: each is the same, added, removed or changed, and none is lost."""

import tracemalloc
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from events.artifacts import ArtifactKind, OutcomeRow
from events.replay.tables import MOST, Compared
from runtime.parquet import write_rows

ROWS = st.lists(
    st.builds(OutcomeRow, path=st.sampled_from("abc"), outcome=st.sampled_from(["parsed", "failed"])), max_size=12
)


def compared(live: Sequence[OutcomeRow], shadow: Sequence[OutcomeRow]) -> Compared:
    found = Compared()
    found.add(ArtifactKind.OUTCOMES, *(write_rows(OutcomeRow, list(rows)) for rows in (live, shadow)))
    return found


@settings(deadline=None)
@given(ROWS, ROWS)
def test_every_row_of_both_sides_is_counted_once(live: list[OutcomeRow], shadow: list[OutcomeRow]) -> None:
    found = compared(live, shadow)

    assert found.live == len(live) == found.same + found.removed + found.changed
    assert found.shadow == len(shadow) == found.same + found.added + found.changed
    assert compared(shadow, live).same == found.same
    assert len(found.examples) == min(MOST, found.added + found.removed + found.changed)


@settings(deadline=None)
@given(ROWS)
def test_the_same_rows_in_another_order_are_the_same(rows: list[OutcomeRow]) -> None:
    found = compared(rows, rows[::-1])

    assert (found.same, found.added, found.removed, found.changed) == (len(rows), 0, 0, 0)


def test_a_row_of_the_same_key_changed_and_is_shown_with_both_sides() -> None:
    found = compared([OutcomeRow(path="a", outcome="parsed")], [OutcomeRow(path="a", outcome="failed", reason="x")])

    assert (found.changed, found.added, found.removed) == (1, 0, 0)
    [example] = found.examples
    assert isinstance(example["before"], dict)
    assert isinstance(example["after"], dict)
    assert (example["before"]["outcome"], example["after"]["outcome"]) == ("parsed", "failed")


def test_a_side_without_rows_has_none_of_them() -> None:
    found = Compared()
    found.add(ArtifactKind.OUTCOMES, write_rows(OutcomeRow, [OutcomeRow(path="a", outcome="parsed")]), None)
    found.equal(5)

    assert (found.live, found.shadow, found.same, found.removed) == (6, 5, 5, 1)


def test_of_two_large_tables_that_differ_in_every_row_no_more_is_held_than_hashes() -> None:
    rows = 4_000
    tables = [
        write_rows(OutcomeRow, [OutcomeRow(path=f"{n:06}", outcome="failed", reason=side * 5_000) for n in range(rows)])
        for side in "ab"
    ]
    found = Compared()

    tracemalloc.start()
    found.add(ArtifactKind.OUTCOMES, *tables)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (found.changed, found.same, len(found.examples)) == (rows, 0, MOST)
    assert peak < 12_000_000, "the rows alone are 40 MB"
