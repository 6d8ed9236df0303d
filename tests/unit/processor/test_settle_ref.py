import pytest

from processor.stages.settle_ref import MOST, names_in, settle_ref

KNOWN = {"refs/heads/main", "refs/heads/fix", "refs/heads/fix/a", "refs/tags/v1", "refs/tags/src/v2", "refs/heads/v1"}


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("main", ("main", "")),
        ("main/src/app", ("main", "src/app")),
        ("fix/a", ("fix/a", "")),
        ("fix/a/src", ("fix/a", "src")),
        ("fix/b/src", ("fix", "b/src")),
        ("src/v2/lib", ("src/v2", "lib")),
        ("v1/x", ("v1", "x")),
        ("nope/x", None),
        ("mainly", None),
    ],
)
def test_the_longest_ref_that_the_host_has_wins(rest: str, expected: tuple[str, str] | None) -> None:
    assert settle_ref(rest, KNOWN) == expected


def test_no_more_names_are_looked_for_than_a_ref_may_have_parts() -> None:
    assert names_in("a/b") == ["refs/heads/a", "refs/tags/a", "refs/heads/a/b", "refs/tags/a/b"]
    assert len(names_in("/".join("x" * 64))) == 2 * MOST
