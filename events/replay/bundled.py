"""The events in a bundle: read without believing any of it, and held to the one stream that they are said to be. Pure.

In:  a member of a bundle, a line an event, and what the manifest says of it.
Out: its envelopes, all of one analysis, or of one conversation; or the reason why it is not taken.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope, Event
from events.catalog import UnknownEvent, decode
from events.conversation import ConversationStarted
from events.log.drafts import has_nul
from events.processing import ProcessingRequested, StageCompleted
from events.question import AnswerRated, QuestionAnswered, QuestionAsked, QuestionFailed, QuestionStopped, StepTaken
from events.upcasts import upcast

LEFT_OUT = frozenset({ArtifactKind.LEXICON, ArtifactKind.UPLOAD})  # made again; and what the sources came of
MOST_TALK = 20_000  # events of a conversation
_MOST_SAID = 4_000_000  # bytes of one of them
_MOST_LISTED = 8_000  # characters of what stands in lists: a question, a title
MOST_TURNS = 6  # earlier turns that a question is asked with
_MOST_TOLD = 100_000  # characters of an answer among them, and of the facts that a question is asked with
_MOST_NUMBER = 10**12  # tokens, seconds, dollars: read models add them up
_Ending = QuestionAnswered | QuestionFailed | QuestionStopped
_AboutQuestion = _Ending | StepTaken | AnswerRated


class BadBundle(Exception):
    """A file that is not taken: a code, and a sentence that says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def artifacts_of(events: Sequence[Envelope]) -> tuple[ArtifactRef, ...]:
    """The artifacts of an analysis that belong into its bundle, each once."""
    found: dict[str, ArtifactRef] = {}
    for envelope in events:
        if envelope.event_type == StageCompleted.event_type:
            for ref in StageCompleted.model_validate(envelope.data).artifacts:
                if ref.kind not in LEFT_OUT:
                    found.setdefault(ref.sha256, ref)
    return tuple(found.values())


def read_analysis(text: bytes, analysis_id: UUID, artifacts: Collection[str]) -> tuple[Envelope, ...]:
    """The events of an analysis whose artifacts are there, by their checksums. Raises BadBundle."""
    events, decoded = _read(text)
    if not decoded or not isinstance(decoded[0], ProcessingRequested):
        raise BadBundle("bundle_event", "Its events do not begin with the request of an analysis.")
    there = all(ref.sha256 in artifacts for ref in artifacts_of(events))
    if not (there and decoded[0].analysis_id == analysis_id and _is_stream(events, f"analysis/{analysis_id}")):
        raise BadBundle("bundle_foreign", "Its events are not those of one analysis, or lack an artifact.")
    return events


def read_conversation(text: bytes, conversation_id: UUID) -> tuple[Envelope, ...]:
    """The events of a conversation in which every question has its end. Raises BadBundle."""
    lines = text.splitlines()
    if len(lines) > MOST_TALK or any(len(line) > _MOST_SAID for line in lines):
        raise BadBundle("bundle_too_large", f"A conversation may have {MOST_TALK:,} events of {_MOST_SAID:,} bytes.")
    events, decoded = _read(text)
    if not decoded or not isinstance(decoded[0], ConversationStarted):
        raise BadBundle("bundle_event", "Its events do not begin with the beginning of a conversation.")
    if not all(isinstance(event, QuestionAsked | _AboutQuestion) for event in decoded[1:]):
        raise BadBundle("bundle_event", "An event in it is none that a conversation is made of.")
    listed = [
        event.title if isinstance(event, ConversationStarted) else getattr(event, "query", "") for event in decoded
    ]
    if any(len(text) > _MOST_LISTED for text in listed):
        raise BadBundle("bundle_too_large", f"A title or a question may have {_MOST_LISTED:,} characters.")
    if not all(_is_told_in_bounds(event) for event in decoded if isinstance(event, QuestionAsked)):
        raise BadBundle("bundle_too_large", f"A question goes with {MOST_TURNS} turns of {_MOST_TOLD:,} characters.")
    if any(abs(number) > _MOST_NUMBER for envelope in events for number in _numbers(envelope.data)):
        raise BadBundle("bundle_event", "An event in it has a number that none of ours has.")
    if not (_is_stream(events, f"conversation/{conversation_id}") and _is_in_order(decoded[1:])):
        raise BadBundle("bundle_foreign", "Its events are not those of one conversation, in their order.")
    return events


def _is_told_in_bounds(event: QuestionAsked) -> bool:
    """Whether what goes with a question is no more than would go with one here."""
    texts = [event.facts, *(text for turn in event.history for text in turn)]
    return len(event.history) <= MOST_TURNS and all(len(text) <= _MOST_TOLD for text in texts)


def check_together(analysis: Sequence[Envelope], conversation: Sequence[Envelope]) -> None:
    """Hold both to one repository of one team. Raises BadBundle."""
    whose = {(events[0].tenant_id, events[0].repository_id) for events in (analysis, conversation) if events}
    if len(whose) > 1:
        raise BadBundle("bundle_foreign", "The conversation in it is not about the repository that was analysed.")


def _read(text: bytes) -> tuple[tuple[Envelope, ...], list[Event]]:
    try:
        events = tuple(upcast(Envelope.model_validate_json(line)) for line in text.splitlines())
        decoded = [decode(envelope) for envelope in events]
        for event in decoded:
            _check_stored(event)
    except (UnknownEvent, ValueError) as error:  # pydantic's ValidationError is one
        raise BadBundle("bundle_event", "An event in it is none that this release reads.") from error
    if any(envelope.timestamp.tzinfo is None for envelope in events):
        raise BadBundle("bundle_event", "An event in it has a time without its zone.")
    return events, decoded


def _check_stored(event: Event) -> None:
    """Refuse what would be another event once the log had stored it. Raises ValueError."""
    stored = event.model_dump_json()
    if has_nul(stored):
        raise ValueError("a NUL character")
    type(event).model_validate(json.loads(stored))  # JSON has no infinite number, and says that there is none


def _is_stream(events: Sequence[Envelope], stream: str) -> bool:
    """Whether they are the whole of one stream, of one repository of one team, each once."""
    first = events[0]
    same = all(
        (e.stream_id, e.tenant_id, e.repository_id) == (stream, first.tenant_id, first.repository_id) for e in events
    )
    is_whole = [envelope.version for envelope in events] == list(range(1, len(events) + 1))
    return same and is_whole and len({envelope.event_id for envelope in events}) == len(events)


def _is_in_order(events: Sequence[Event]) -> bool:
    """Whether each question is asked once, before what is said of it, and has its end."""
    asked, ended = set[UUID](), set[UUID]()
    for event in events:
        if isinstance(event, QuestionAsked):
            if event.question_id in asked or (event.again is not None and event.again not in asked):
                return False
            asked.add(event.question_id)
        elif isinstance(event, _AboutQuestion):
            if event.question_id not in asked:
                return False
            if isinstance(event, _Ending):
                ended.add(event.question_id)
    return asked == ended


def _numbers(value: object) -> Iterator[int | float]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)
    elif isinstance(value, int | float):
        yield value
