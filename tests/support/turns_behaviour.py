"""What every `Turns` does. A test module subclasses this and gives the fixture `turns`."""

from uuid import UUID, uuid4

import pytest

from ai_engine.ports import Turn, Turns

TENANT, WHAT = UUID(int=7), "ab" * 32
ONE, TWO = UUID(int=1), UUID(int=2)


class TurnsBehaviour:
    async def test_one_has_the_turn_and_has_it_still_when_it_comes_again(self, turns: Turns) -> None:
        taken = [await turns.take(TENANT, WHAT, who, 30) for who in (ONE, TWO, ONE)]

        assert taken == [Turn.OWN, Turn.OF_ANOTHER, Turn.OWN]
        assert await turns.take(TENANT, "cd" * 32, TWO, 30) is Turn.OWN, "of something else"
        assert await turns.take(uuid4(), WHAT, TWO, 30) is Turn.OWN, "of somebody else"

    @pytest.mark.parametrize("how", ["give_back", "end", "open"])
    async def test_nobody_passes_on_what_another_one_has(self, turns: Turns, how: str) -> None:
        await turns.take(TENANT, WHAT, ONE, 30)
        await getattr(turns, how)(TENANT, WHAT, TWO)

        assert await turns.take(TENANT, WHAT, TWO, 30) is Turn.OF_ANOTHER
        assert await turns.take(TENANT, WHAT, ONE, 30) is Turn.OWN

    async def test_what_is_over_is_nobodys_until_it_must_be_recorded(self, turns: Turns) -> None:
        await turns.take(TENANT, WHAT, ONE, 30)
        await turns.end(TENANT, WHAT, ONE)
        await turns.give_back(TENANT, WHAT, ONE)

        assert await turns.take(TENANT, WHAT, TWO, 30) is Turn.OVER

    async def test_what_is_open_is_everybodys_at_once(self, turns: Turns) -> None:
        await turns.take(TENANT, WHAT, ONE, 30)
        await turns.open(TENANT, WHAT, ONE)
        await turns.end(TENANT, WHAT, TWO)

        assert [await turns.take(TENANT, WHAT, who, 30) for who in (ONE, TWO, uuid4())] == [Turn.OWN] * 3
