"""Which rows of an index are copied from an earlier one, and where they stand then."""

import json
import random

import pytest

from rag_manager.stages.layout import Layout, Span, common_spans, from_json, starts_of, to_json


def rows_of(parts: list[tuple[str, int]]) -> list[str]:
    return [f"{name}{number}" for name, count in parts for number in range(count)]


def test_parts_that_stand_together_there_and_here_are_one_span() -> None:
    there = [("a", 2), ("b", 3), ("c", 1), ("d", 4)]
    here = [("a", 2), ("b", 3), ("new", 5), ("d", 4)]

    assert common_spans(there, here) == [Span(0, 5, 0), Span(6, 4, 4)]
    assert starts_of(here) == [0, 2, 5, 10]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_copied_and_what_is_new_are_all_rows_in_their_places(seed: int) -> None:
    chance = random.Random(seed)  # some layouts, no secret
    pool = [(f"part{number}-", chance.randint(0, 4)) for number in range(12)]
    there = chance.sample(pool, 8)
    here = chance.sample(pool, 8)
    before, after = rows_of(there), dict[int, str]()
    for span in common_spans(there, here):
        for place in range(span.start, span.start + span.count):
            assert after.setdefault(place + span.shift, before[place]) == before[place]
    for (name, count), start in zip(here, starts_of(here), strict=True):
        if name not in dict(there):
            after |= {start + number: f"{name}{number}" for number in range(count)}

    assert [after[place] for place in sorted(after)] == rows_of(here)


def test_nothing_is_copied_from_nothing() -> None:
    assert common_spans([], [("a", 2)]) == []
    assert common_spans([("a", 2)], []) == []


def test_a_layout_is_read_back_as_it_was_stored() -> None:
    layout = Layout("recipe", [("a", 1)], [("b", 2), ("c", 0)], [])

    assert from_json(json.loads(json.dumps(to_json(layout)))) == layout
