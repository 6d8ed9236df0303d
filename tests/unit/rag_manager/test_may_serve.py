from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID

import pytest

from events.index import GenerationKind as Kind
from rag_manager.stages.may_serve import Serving, may_serve


def a_generation(analysis: int, kind: Kind) -> Serving:
    number = analysis * 10 + list(Kind).index(kind)
    return Serving(UUID(int=number), UUID(int=analysis), kind, datetime(2026, 1, analysis, tzinfo=UTC))


@pytest.mark.parametrize(
    ("candidate", "current", "takes_over"),
    [
        ((1, Kind.LEXICAL), None, True),
        ((1, Kind.QUICK), (1, Kind.LEXICAL), True),
        ((1, Kind.FULL), (1, Kind.QUICK), True),
        ((1, Kind.QUICK), (1, Kind.FULL), False),
        ((1, Kind.QUICK), (1, Kind.QUICK), True),
        ((2, Kind.LEXICAL), (1, Kind.QUICK), False),
        ((2, Kind.LEXICAL), (1, Kind.LEXICAL), True),
        ((2, Kind.QUICK), (1, Kind.FULL), True),
        ((1, Kind.FULL), (2, Kind.LEXICAL), False),
        ((1, Kind.FULL), (2, Kind.QUICK), False),
    ],
)
def test_better_follows_worse_and_newer_follows_older(
    candidate: tuple[int, Kind], current: tuple[int, Kind] | None, takes_over: bool
) -> None:
    assert may_serve(a_generation(*candidate), a_generation(*current) if current else None) is takes_over


def test_whatever_the_order_of_news_the_newest_and_best_serves_in_the_end() -> None:
    of_each = [[a_generation(analysis, kind) for kind in Kind] for analysis in (1, 2)]
    for order in permutations([0, 0, 0, 1, 1, 1]):
        waiting = [iter(generations) for generations in of_each]
        current: Serving | None = None
        for analysis in order:
            candidate = next(waiting[analysis])
            if may_serve(candidate, current):
                current = candidate
        assert current == of_each[1][2]
