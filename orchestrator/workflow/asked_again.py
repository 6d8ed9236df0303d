"""A parked question, asked again as an administrator wants it. Pure.

In:  the conversation, the event that asked, and the id of the new attempt.
Out: the same question as another attempt at it, or None where nobody waits for it any more.
"""

from collections.abc import Iterable
from uuid import UUID

from events.base import Envelope
from events.question import QuestionAnswered, QuestionAsked, QuestionStopped

_OVER = frozenset({QuestionAnswered.event_type, QuestionStopped.event_type})


def asked_again(history: Iterable[Envelope], parked: Envelope, question_id: UUID) -> QuestionAsked | None:
    """The new attempt; None where it was answered, stopped or asked again since. Raises ValidationError."""
    asked = QuestionAsked.model_validate(parked.data)
    first = asked.again or asked.question_id
    for each in history:
        is_ended = each.event_type in _OVER and each.data.get("question_id") == str(asked.question_id)
        is_later = each.event_type == QuestionAsked.event_type and each.version > parked.version
        if is_ended or (is_later and each.data.get("again") == str(first)):
            return None
    return asked.model_copy(update={"question_id": question_id, "again": first})
