"""Passages grow to whole definitions, the like are folded, what stands beside the first is offered: within a budget."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.question import Passage
from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue
from rag_manager.stages.fold_alike import fold_alike
from rag_manager.stages.rank import Picked
from rag_manager.stages.show_passages import NONE, ChunkText, chunks_wanted, show_passages

# src/session.py: imports (1-3), class Session (5-40) with send (11-30) in three passages, close (32-40); then a helper.
CUTS = [(1, 3), (5, 9), (10, 16), (17, 24), (25, 31), (32, 40), (41, 50)]
SYMBOLS = [
    ("Session", "class", "src/session.py", 5, 40),
    ("send", "method", "src/session.py", 11, 30),
    ("close", "method", "src/session.py", 32, 40),
    ("helper", "function", "src/session.py", 41, 50),
    ("big", "function", "src/big.py", 1, 900),
]
ROWS = {number: f"line {number} of the session {number * 7}" for number in range(1, 51)} | {
    1: "import socket",
    4: "",
    31: "",
}


def a_catalogue() -> Catalogue:
    places = [ChunkPlace(f"c{n}", "src/session.py", "code", *cut) for n, cut in enumerate(CUTS)]
    places += [
        ChunkPlace("big", "src/big.py", "code", 100, 120),
        ChunkPlace("copy", "lib/session.py", "code", 210, 216),
    ]
    return make_catalogue(places, SYMBOLS)


def texts_of(catalogue: Catalogue, chunks: Sequence[int]) -> dict[int, ChunkText]:
    def rows(chunk: int) -> list[str]:
        first, last = catalogue.first_lines[chunk], catalogue.last_lines[chunk]
        if chunk == 8:
            first, last = 10, 16
        return [ROWS.get(number, f"x{number}") for number in range(first, last + 1)]

    return {chunk: ChunkText("\n".join(rows(chunk)), "python", (f"name{chunk}",)) for chunk in chunks}


def shown(
    *found: int,
    budget: int = 12_000,
    texts: Mapping[int, ChunkText] | None = None,
    callers: Mapping[int, Sequence[int]] = NONE,
) -> tuple[Passage, ...]:
    catalogue = a_catalogue()
    picked = [Picked(chunk, 1.0 - place / 10, {"lexical": place + 1}) for place, chunk in enumerate(found)]
    given = texts_of(catalogue, chunks_wanted(found, catalogue, callers=callers)) if texts is None else texts
    scores = {"lexical": dict.fromkeys(found, 2.5)}
    return show_passages(picked, given, catalogue, scores, budget=budget, callers=callers)


def lines(passage: Passage) -> tuple[int, int]:
    return passage.first_line, passage.last_line


def test_a_part_of_a_method_grows_to_the_method_with_the_lines_of_its_file() -> None:
    passage = shown(3)[0]

    assert lines(passage) == (11, 30)
    assert passage.text.split("\n") == [ROWS[number] for number in range(11, 31)]
    assert passage.grown_from is not None
    assert (passage.grown_from.first_line, passage.grown_from.last_line, passage.chunk_id) == (17, 24, "c3")
    assert (passage.ranks, passage.scores, passage.symbols) == (
        {"lexical": 1},
        {"lexical": 2.5},
        ("name2", "name3", "name4"),
    )


def test_what_a_passage_has_besides_its_definition_stays_in_it() -> None:
    assert lines(shown(2)[0]) == (10, 30)  # the blank or decorated line before, too
    assert lines(shown(4)[0]) == (11, 31)


def test_found_parts_of_one_definition_become_one_passage_that_names_them() -> None:
    first, *others = shown(3, 5, 4, 2)

    assert lines(first) == (10, 31)
    assert [(one.chunk_id, one.first_line) for one in first.folded] == [("c4", 25), ("c2", 10)]
    assert [(lines(one), one.grown_from) for one in others if one.neighbour_of is None] == [((32, 40), None)]


def test_what_a_better_passage_grew_to_is_taken_into_a_larger_one_at_its_place() -> None:
    [passage] = [one for one in shown(3, 1) if one.ranks]  # a part of send, then the head of its class

    assert (passage.chunk_id, lines(passage)) == ("c3", (5, 40))
    assert [(one.chunk_id, one.first_line) for one in passage.folded] == [("c1", 5)]


def test_the_type_and_the_imports_of_the_first_are_offered_and_say_whose_they_are() -> None:
    found, header, imports = shown(3)

    assert (found.neighbour_of, found.relation) == (None, "")
    assert [(one.relation, lines(one), one.ranks) for one in (header, imports)] == [
        ("type", (5, 9), {}),
        ("imports", (1, 3), {}),
    ]
    assert {one.neighbour_of.chunk_id for one in (header, imports) if one.neighbour_of} == {"c3"}
    assert [one.relation for one in shown(1)] == ["", "imports"]  # the class itself: grown to, or whole
    assert [one.relation for one in shown(6)] == ["", "imports"]


def test_a_head_of_a_file_without_imports_is_no_neighbour() -> None:
    catalogue = a_catalogue()
    texts = texts_of(catalogue, range(9)) | {0: ChunkText('"""About."""', "python", ())}

    assert [one.relation for one in shown(6, texts=texts)] == [""]


def test_a_copy_is_folded_into_the_better_one_and_named() -> None:
    passages = shown(2, 8)

    assert [one.chunk_id for one in passages if one.neighbour_of is None] == ["c2"]
    assert [(one.path, one.first_line, one.last_line) for one in passages[0].folded] == [("lib/session.py", 210, 216)]


@pytest.mark.parametrize("chunk", [7], ids=["a definition of 900 lines"])
def test_what_is_too_long_stays_as_it_was_found(chunk: int) -> None:
    [passage] = shown(chunk)

    assert (lines(passage), passage.grown_from) == ((100, 120), None)


@given(st.permutations(range(9)), st.integers(1, 9), st.integers(0, 4_000))
def test_nothing_that_was_found_is_lost_and_nothing_grows_beyond_the_budget(
    order: list[int], count: int, budget: int
) -> None:
    found, catalogue = order[:count], a_catalogue()
    passages = shown(*found, budget=budget)
    plain = sum(len(text.text) for text in texts_of(catalogue, found).values())

    assert sum(len(one.text) for one in passages) <= max(budget, plain)
    named = {one.chunk_id for one in passages} | {each.chunk_id for one in passages for each in one.folded}
    assert {catalogue.chunk_ids[chunk] for chunk in found} <= named
    for one in passages:
        assert len(one.text.split("\n")) == one.last_line - one.first_line + 1
        assert bool(one.ranks) != (one.neighbour_of is not None)
    assert passages[0].chunk_id == catalogue.chunk_ids[found[0]]
    hits = [(one.path, one.first_line, one.last_line) for one in passages if one.ranks]
    assert not [(a, b) for a in hits for b in hits if a != b and a[0] == b[0] and b[1] <= a[1] and a[2] <= b[2]]


def test_without_the_text_of_what_is_around_it_a_passage_stays_as_it_is() -> None:
    texts = texts_of(a_catalogue(), [3])  # a scope that has no more

    [passage] = shown(3, texts=texts)

    assert (lines(passage), passage.grown_from) == ((17, 24), None)


def test_texts_are_alike_by_what_they_have_in_common_whatever_their_names() -> None:
    body = "\n".join(f"    total += weigh(item_{n}, {n}) * factor[{n}]" for n in range(12))
    other = "\n".join(f"    result.append(store.read(key{n}) or default{n})" for n in range(12))
    texts = [f"def one(items):\n{body}", f"def two(items):\n{body}", other, body[:300], "x = 1", "x = 1", "y = 1"]

    assert fold_alike(texts) == {0: [1, 3], 2: [], 4: [5], 6: []}


@given(st.lists(st.text(alphabet="ab \n(", max_size=60), max_size=12))
def test_every_text_is_kept_or_folded_into_an_earlier_one(texts: list[str]) -> None:
    folded = fold_alike(texts)

    assert sorted([*folded, *(at for like in folded.values() for at in like)]) == list(range(len(texts)))
    assert all(at > kept for kept, like in folded.items() for at in like)


def test_who_calls_what_was_found_stands_after_all_else_that_stands_beside_it() -> None:
    beside = [(one.relation, lines(one)) for one in shown(3, callers={3: (6, 7)}) if one.neighbour_of]

    assert beside == [("type", (5, 9)), ("imports", (1, 3)), ("caller", (41, 50)), ("caller", (100, 120))]


def test_a_caller_that_is_shown_already_or_does_not_fit_is_not_offered() -> None:
    found = shown(3, 6, callers={3: (6, 7)})
    used = sum(len(one.text) for one in found if one.chunk_id != "big")

    assert [one.chunk_id for one in found if one.relation == "caller"] == ["big"]
    assert not [one for one in shown(3, 6, callers={3: (6, 7)}, budget=used) if one.relation == "caller"]
