"""The rows of a tree are objects a block at a time: while they are found, and while something is said of them."""

import random
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from events.artifacts import TreeRow
from processor.stages.choose_files import choose_files
from processor.stages.describe_structure import describe_structure
from processor.stages.written_tree import WrittenTree
from runtime.parquet import each_row, read_rows, write_rows

_MANY = 20_000
_REASONS = (None, None, None, "binary", "too_large")


def rows(number: int) -> Iterator[TreeRow]:
    drawn = random.Random(number)  # no secret
    for place in range(number):
        yield TreeRow(
            path=f"part{place % 7}/folder/file{place}.py",
            blob_id=f"{drawn.getrandbits(160):040x}",
            mode="100644",
            size=drawn.randrange(50_000),
            language=drawn.choice(("python", "go", None)),
            lines=drawn.randrange(900),
            shard=place // 500,
            skipped=drawn.choice(_REASONS),
            is_counted=drawn.random() < 0.9,
        )


def peak_of(work: Callable[[], object]) -> int:
    """The most bytes that Python held at once for it."""
    work()  # what is imported and remembered at the first time
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def written(number: int) -> WrittenTree:
    tree = WrittenTree()
    for row in rows(number):
        tree.append(row)
    tree.finish()
    return tree


@pytest.mark.parametrize("number", [0, 1, 511, 512, 1_000, 1_001, 2_048, 3_333])
def test_how_the_rows_came_does_not_show(number: int) -> None:
    assert written(number).finish() == (write_rows(TreeRow, rows(number)), number)


def test_what_is_counted_is_what_the_rows_say() -> None:
    there, tree = list(rows(2_500)), written(2_500)
    taken = [row for row in there if row.skipped is None]

    assert tree.counts() == {
        "files": len(taken),
        "bytes": sum(row.size for row in taken),
        "lines": sum(row.lines for row in taken),
        "entries": 2_500,
        "skipped": 2_500 - len(taken),
    }
    assert tree.skipped() == {reason: sum(row.skipped == reason for row in there) for reason in ("binary", "too_large")}
    assert tree.languages() == {
        name: sum(row.size for row in taken if (row.language or "other") == name and row.is_counted)
        for name in ("python", "go", "other")
    }
    assert list(tree.languages().values()) == sorted(tree.languages().values(), reverse=True)


def test_a_tree_that_is_written_holds_few_of_its_rows_as_objects() -> None:
    assert peak_of(lambda: written(_MANY)) < 6_000_000  # as a list they are some thirty million


def test_rows_that_are_read_one_after_the_other_are_those_that_are_read_at_once() -> None:
    content = write_rows(TreeRow, rows(1_300))

    assert list(each_row(TreeRow, content)) == read_rows(TreeRow, content) == list(rows(1_300))


@pytest.mark.parametrize("say", [describe_structure, choose_files])
def test_what_is_said_of_a_tree_looks_once_at_each_row_and_holds_few(say: Callable[..., object]) -> None:
    content = write_rows(TreeRow, rows(_MANY))

    assert peak_of(lambda: say(each_row(TreeRow, content))) < 4_000_000
    assert say(each_row(TreeRow, content)) == say(list(rows(_MANY)))
