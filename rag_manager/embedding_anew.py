"""Notice that generations which serve are not of the model that embeds now, and have others built beside them.

What is said is an event of the analysis: the workflow asks for its vectors again, as durably as for anything else. The
generation that serves goes on until the new one is whole; its questions are embedded by the model that made it.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from events.base import Context, Draft, derived_id
from events.index import EmbedderChanged
from events.log.journal import Journal
from rag_manager.jobs.base import Backends
from rag_manager.rows import generations
from rag_manager.rows.generations import OfAnother

_log = structlog.get_logger(__name__)

AT_ONCE = 4  # repositories that are embedded anew side by side: others' analyses must not wait for all of them
_PATIENCE = 3_600.0  # seconds after which one that did not come through no longer keeps the others waiting


class EmbeddingAnew:
    """A round of the chores. Safe beside other processes: what they say of the same generation is the same event."""

    def __init__(
        self, backends: Backends, journal: Journal, wanted: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`wanted` is the name of the model that embeds for full generations."""
        self._backends = backends
        self._journal = journal
        self._wanted = wanted
        self._clock = clock
        self._said: dict[OfAnother, float] = {}

    async def __call__(self) -> list[OfAnother]:
        """Say it of as many as may be at work; return those that it was said of now."""
        others = await generations.of_other_models(self._backends.engine, self._wanted)
        self._said = {one: at for one, at in self._said.items() if one in others}
        waiting = [one for one in others if one not in self._said]
        under_way = sum(self._clock() - at < _PATIENCE for at in self._said.values())
        chosen = waiting[: max(0, AT_ONCE - under_way)]
        for one in chosen:
            await self._journal.append(f"analysis/{one.analysis_id}", [_draft(one, self._wanted)])
            self._said[one] = self._clock()
        if chosen:
            _log.info("embedder_changed", wanted=self._wanted, begun=len(chosen), waiting=len(waiting) - len(chosen))
        return chosen


def _draft(one: OfAnother, wanted: str) -> Draft:
    context = Context(tenant_id=one.tenant_id, correlation_id=one.analysis_id, repository_id=one.repository_id)
    event = EmbedderChanged(
        analysis_id=one.analysis_id, generation_id=one.generation_id, model=one.model, wanted=wanted
    )
    return Draft(
        event_id=derived_id("embedder changed", one.generation_id, wanted),
        occurred_at=datetime.now(UTC),
        context=context,
        event=event,
    )
