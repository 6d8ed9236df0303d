"""All event types: name → class, the topic each is relayed on, and the way back from stored JSON."""

from collections.abc import Mapping
from types import MappingProxyType

from events import account, conversation, index, letters, processing, question, repository
from events.base import Envelope, Event

_CLASSES: tuple[type[Event], ...] = (
    repository.RepositoryRegistered,
    repository.RepositoryDeleted,
    processing.ProcessingRequested,
    processing.ProcessingStarted,
    processing.StageRequested,
    processing.StageStarted,
    processing.StageCompleted,
    processing.StageFailed,
    processing.StageParked,
    processing.RetryScheduled,
    processing.TimerFired,
    processing.CancelRequested,
    processing.RetryRequested,
    processing.ProcessingEstimated,
    processing.ProcessingConfirmed,
    processing.ProcessingImported,
    processing.AnalysisDeleted,
    processing.ProcessingCompleted,
    processing.ProcessingRefined,
    processing.ProcessingFailed,
    processing.ProcessingCancelled,
    index.EmbedderChanged,
    index.IndexBuilt,
    index.IndexActivated,
    conversation.ConversationStarted,
    conversation.ConversationDeleted,
    conversation.ConversationImported,
    question.QuestionAsked,
    question.StepTaken,
    question.QuestionAnswered,
    question.QuestionFailed,
    question.QuestionStopped,
    question.AnswerRated,
    account.SignedIn,
    account.SessionRevoked,
    account.AccountDeleted,
    account.TenantDeleted,
    account.SessionSwitched,
    account.TenantCreated,
    account.TenantRenamed,
    account.MemberJoined,
    account.MemberRoleChanged,
    account.MemberLeft,
    account.InvitationMade,
    account.InvitationRevoked,
    account.ShareMade,
    account.ShareRevoked,
    letters.MessageParked,
    letters.MessageRetried,
    letters.MessageDiscarded,
    letters.MessageEdited,
)

EVENTS: Mapping[str, type[Event]] = MappingProxyType({cls.event_type: cls for cls in _CLASSES})

WORKFLOW = "workflow"  # what the orchestrator's workflow decides on
QUESTIONS = "questions"  # what ai_engine answers
ERASURE = "erasure"  # what was deleted: each service erases what it keeps of it
FACTS = "facts"  # heard by nobody through the transport; read models pull them from the feed

_WORKFLOW_EVENTS = frozenset(
    cls.event_type
    for cls in (
        processing.ProcessingRequested,
        processing.StageCompleted,
        processing.StageFailed,
        processing.StageParked,
        processing.TimerFired,
        processing.CancelRequested,
        processing.RetryRequested,
        processing.ProcessingConfirmed,
        processing.ProcessingImported,
        index.EmbedderChanged,
        letters.MessageRetried,
    )
)
_ERASING_EVENTS = frozenset(
    cls.event_type
    for cls in (
        repository.RepositoryDeleted,
        processing.AnalysisDeleted,
        conversation.ConversationDeleted,
        account.AccountDeleted,
        account.TenantDeleted,
    )
)


class UnknownEvent(LookupError):
    """No class is known for an event type and schema version."""


def stage_topic(stage: str) -> str:
    """The topic that the workers of one stage consume."""
    return f"stage.{stage}"


def topic_of(event: Event) -> str:
    """The one topic that an event is relayed on."""
    if isinstance(event, processing.StageRequested):
        return stage_topic(event.stage)
    if isinstance(event, question.QuestionAsked):
        return QUESTIONS
    if event.event_type in _ERASING_EVENTS:
        return ERASURE
    return WORKFLOW if event.event_type in _WORKFLOW_EVENTS else FACTS


# Topics that the relay carries. FACTS is not among them: nobody consumes it by transport.
TOPICS: tuple[str, ...] = (WORKFLOW, QUESTIONS, ERASURE, *(stage_topic(stage) for stage in processing.Stage))

_OWNER = {
    processing.Stage.CLONE: "processor",
    processing.Stage.METADATA: "processor",
    processing.Stage.STRUCTURE: "processor",
    processing.Stage.HISTORY: "processor",
    processing.Stage.PARSE: "processor",
    processing.Stage.LINK: "processor",
    processing.Stage.INDEX: "rag_manager",
    processing.Stage.EMBED: "rag_manager",
    processing.Stage.ACTIVATE: "rag_manager",
    processing.Stage.REFINE: "rag_manager",
    processing.Stage.PROMOTE: "rag_manager",
}

# The consumer groups of each topic. They are created at an explicit place before anybody reads (a group that a
# consumer creates for itself begins at "now" and misses what came before).
CONSUMERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        WORKFLOW: ("orchestrator.workflow",),
        QUESTIONS: ("ai_engine.answer",),
        ERASURE: ("orchestrator.erasure", "rag_manager.erasure"),
        **{stage_topic(stage): (f"{owner}.{stage}",) for stage, owner in _OWNER.items()},
    }
)


def decode(envelope: Envelope) -> Event:
    """The event that an envelope carries. Raises UnknownEvent, or pydantic's ValidationError for a broken payload."""
    cls = EVENTS.get(envelope.event_type)
    if cls is None or envelope.schema_version != cls.schema_version:
        raise UnknownEvent(f"{envelope.event_type} version {envelope.schema_version}")
    return cls.model_validate(envelope.data)
