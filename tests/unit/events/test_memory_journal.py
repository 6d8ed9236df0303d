import pytest

from events.log.memory import MemoryJournal
from tests.support.journal_behaviour import JournalBehaviour


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


class TestMemoryJournal(JournalBehaviour):
    pass
