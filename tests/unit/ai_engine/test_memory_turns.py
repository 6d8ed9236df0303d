import pytest

from tests.fakes.turns import MemoryTurns
from tests.support.turns_behaviour import TurnsBehaviour


@pytest.fixture
def turns() -> MemoryTurns:
    return MemoryTurns()


class TestMemoryTurns(TurnsBehaviour):
    pass
