import pytest

from processor.adapters.git_refs import MOST_NAMES, read_refs
from processor.api import RefsRequest, answer
from runtime.faults import Permanent

A, B, C = "a" * 40, "b" * 40, "c" * 40
LINES = [
    "ref: refs/heads/main\tHEAD",
    f"{A}\tHEAD",
    f"{A}\trefs/heads/main",
    f"{B}\trefs/heads/v1",
    f"{C}\trefs/pull/7/head",
    f"{C}\trefs/tags/v1",
    f"{A}\trefs/tags/v1^{{}}",
    "nonsense",
]


def test_refs_are_read_with_the_commit_that_a_tag_is_on() -> None:
    found = read_refs(iter(LINES), {"refs/tags/v1", "refs/heads/v1", "refs/pull/7/head"})

    assert (found.default_branch, found.head) == ("main", A)
    assert (found.branches, found.tags) == (("main", "v1"), ("v1",))
    assert found.commits == {"refs/tags/v1": A, "refs/heads/v1": B, "refs/pull/7/head": C}


def test_all_are_counted_and_some_are_kept() -> None:
    found = read_refs((f"{A}\trefs/heads/b{number}" for number in range(MOST_NAMES + 9)), ())

    assert (found.branch_count, len(found.branches)) == (MOST_NAMES + 9, MOST_NAMES)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (RefsRequest(url="u"), (None, "", A)),
        (RefsRequest(url="u", ref="v1"), ("v1", "", B)),
        (RefsRequest(url="u", ref="refs/tags/v1"), ("refs/tags/v1", "", A)),
        (RefsRequest(url="u", ref="f" * 40), ("f" * 40, "", "f" * 40)),
        (RefsRequest(url="u", rest="v1/src"), ("v1", "src", B)),
    ],
)
def test_what_was_asked_for_is_found_among_them(wanted: RefsRequest, expected: tuple[str, str, str]) -> None:
    found = read_refs(iter(LINES), {"refs/tags/v1", "refs/heads/v1"})

    reply = answer(wanted, found)
    assert (reply.ref, reply.path, reply.commit) == expected


@pytest.mark.parametrize(
    ("lines", "wanted", "code"),
    [
        ([], RefsRequest(url="u"), "repository_empty"),
        ([f"{A}\trefs/heads/x"], RefsRequest(url="u"), "ref_not_found"),
        (LINES, RefsRequest(url="u", ref="nope"), "ref_not_found"),
        (LINES, RefsRequest(url="u", rest="nope/x"), "ref_not_found"),
    ],
)
def test_what_is_not_there_is_refused_by_name(lines: list[str], wanted: RefsRequest, code: str) -> None:
    with pytest.raises(Permanent) as caught:
        answer(wanted, read_refs(iter(lines), ()))

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("wanted", "asks_for_all"),
    [
        (RefsRequest(url="u", ref="2ac8988"), True),
        (RefsRequest(url="u", rest="2ac8988"), True),
        (RefsRequest(url="u", rest="2ac8988/src"), True),
        (RefsRequest(url="u", ref="nope"), False),
        (RefsRequest(url="u", rest="nope/2ac8988"), False),
    ],
)
def test_a_short_id_is_not_said_to_be_nobodys_but_asked_for_in_full(wanted: RefsRequest, asks_for_all: bool) -> None:
    with pytest.raises(Permanent) as caught:
        answer(wanted, read_refs(iter(LINES), ()))

    assert ("give all 40 characters" in caught.value.message) is asks_for_all
