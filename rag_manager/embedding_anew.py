"""Notice that generations which serve are not of the model that embeds now, and have others built beside them.

What is said is an event of the analysis: the workflow asks for its vectors again, as durably as for anything else. The
generation that serves goes on until the new one is whole; its questions are embedded by the model that made it. What a
person went back to stays until another model is set, also where the one that it was chosen over comes back later, and
for as long as its questions can be embedded.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from events.base import Context, Draft, derived_id
from events.index import EmbedderChanged
from events.log.journal import Journal
from rag_manager.going_back import Models
from rag_manager.jobs.base import Backends
from rag_manager.rows import choosing
from rag_manager.rows.choosing import OfAnother

_log = structlog.get_logger(__name__)

AT_ONCE = 4  # repositories that are embedded anew side by side: others' analyses must not wait for all of them
_PATIENCE = timedelta(hours=1)  # after which one that did not come through no longer keeps the others waiting


def _now() -> datetime:
    return datetime.now(UTC)


class EmbeddingAnew:
    """A round of the chores. Safe beside other processes: what they say of the same generation is the same event."""

    def __init__(
        self, backends: Backends, journal: Journal, models: Models, *, clock: Callable[[], datetime] = _now
    ) -> None:
        self._backends = backends
        self._journal = journal
        self._models = models
        self._clock = clock
        self._said: dict[OfAnother, datetime] = {}

    async def __call__(self) -> list[OfAnother]:
        """Say it of as many as may be at work; return those that it was said of now.

        What was said before this process began counts from then: the log returns what it has.
        """
        wanted = self._models.wanted
        await choosing.forget_choices(self._backends.engine, wanted)
        serving = await choosing.of_other_models(self._backends.engine, wanted)
        others = [one for one in serving if not (one.chosen and self._models.can_ask(one.model))]
        self._said = {one: at for one, at in self._said.items() if one in others}
        waiting = [one for one in others if one not in self._said]
        under_way = sum(map(self._is_under_way, self._said.values()))
        chosen = list[OfAnother]()
        for one in waiting:
            if under_way >= AT_ONCE:
                break
            draft = _draft(one, wanted, self._clock())
            [said] = await self._journal.append(f"analysis/{one.analysis_id}", [draft])
            self._said[one] = said.timestamp
            under_way += self._is_under_way(said.timestamp)
            chosen.append(one)
        if chosen:
            _log.info("embedder_changed", wanted=wanted, begun=len(chosen), waiting=len(waiting) - len(chosen))
        return chosen

    def _is_under_way(self, said: datetime) -> bool:
        return self._clock() - said < _PATIENCE


def _draft(one: OfAnother, wanted: str, at: datetime) -> Draft:
    context = Context(tenant_id=one.tenant_id, correlation_id=one.analysis_id, repository_id=one.repository_id)
    event = EmbedderChanged(
        analysis_id=one.analysis_id, generation_id=one.generation_id, model=one.model, wanted=wanted
    )
    return Draft(
        # One that came to serve once more is another matter, though it was said of it before.
        event_id=derived_id("embedder changed", one.generation_id, wanted, one.moved_at),
        occurred_at=at,
        context=context,
        event=event,
    )
