"""A conversation that was held elsewhere, as a stream of this installation. Pure.

In:  its events as a bundle has them, and what the stream, the repository and the analysis are called here.
Out: the same events under ids of this installation, in their order, none of them later than now.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from events.base import Context, Draft, Envelope, Event, derived_id
from events.catalog import decode
from events.conversation import ConversationStarted
from events.question import QuestionAsked

_NAMED = ("question_id", "again", "analysis_id")


def imported_conversation(
    history: Sequence[Envelope], stream_id: str, context: Context, at: datetime, analyses: Mapping[UUID, UUID]
) -> list[Draft]:
    """The drafts of the conversation as `context` has it. `analyses` are those that were taken over with it.

    Any other that was asked about is called by an id that nothing here has. Which model was asked for is left out:
    another one answers here.
    """
    places = {envelope.event_id: derived_id(stream_id, place) for place, envelope in enumerate(history)}

    def here(id_: UUID, name: str) -> UUID:
        known = analyses.get(id_) if name == "analysis_id" else None
        return known or derived_id(stream_id, "analysis" if name == "analysis_id" else "question", id_)

    def renamed(event: Event) -> Event:
        ids: dict[str, object] = {
            name: here(id_, name) for name in _NAMED if (id_ := getattr(event, name, None)) is not None
        }
        if isinstance(event, ConversationStarted | QuestionAsked):
            ids["repository_id"] = context.repository_id
        if isinstance(event, QuestionAsked):
            ids["model"] = None
        return event.model_copy(update=ids)

    return [
        Draft(
            event_id=places[envelope.event_id],
            occurred_at=min(envelope.timestamp, at),
            context=context.model_copy(update={"causation_id": _cause(envelope, places)}),
            event=renamed(decode(envelope)),
        )
        for envelope in history
    ]


def _cause(envelope: Envelope, places: Mapping[UUID, UUID]) -> UUID | None:
    """What led to it, where that is an event of the conversation as well."""
    return places.get(envelope.causation_id) if envelope.causation_id is not None else None
