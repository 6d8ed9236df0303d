"""An analysis is shown as of its newest event, of which only those that the read model does not have are read."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from events.base import LOCAL_TENANT, Envelope
from events.processing import Stage
from orchestrator.api.dependencies import record_of
from orchestrator.api.problems import ApiProblem
from orchestrator.projections.analyses import AnalysisRecord, fold
from tests.support.analyses import ANALYSIS, Story, completed, ready_story

WHO: Any = SimpleNamespace(tenant_id=LOCAL_TENANT)


class Parts:
    """What a request works with: the read model has the first `stored` events, the log all of `history`."""

    def __init__(self, history: list[Envelope], stored: int) -> None:
        self.read = self.journals = self.looks = self
        self._history, self._stored = history, stored
        self.events_read = 0

    async def record(self, _tenant: UUID, _analysis: UUID) -> AnalysisRecord | None:
        return fold(self._history[: self._stored])

    def of(self, _tenant: UUID) -> "Parts":
        return self

    async def read_stream(self, _stream_id: str, *, after: int = 0) -> list[Envelope]:
        found = [event for event in self._history if event.version > after]
        self.events_read += len(found)
        return found

    async def note(self, *_: object) -> None: ...


def a_history() -> list[Envelope]:
    story: Story = ready_story()
    story.given(completed(Stage.REFINE))
    return story.history


async def test_the_record_of_the_read_model_goes_on_with_the_events_since() -> None:
    history = a_history()
    for stored in range(len(history) + 1):
        parts: Any = Parts(history, stored)
        assert await record_of(parts, WHO, ANALYSIS) == fold(history)
        assert parts.events_read == len(history) - max(0, stored - 1)


async def test_of_what_was_deleted_the_record_alone_is_not_shown() -> None:
    parts: Any = Parts(a_history(), 3)

    async def nothing(_stream_id: str, *, after: int = 0) -> list[Envelope]:
        return []

    parts.read_stream = nothing
    with pytest.raises(ApiProblem) as raised:
        await record_of(parts, WHO, ANALYSIS)
    assert raised.value.code == "not_found"
