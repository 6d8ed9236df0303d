"""How each kind of stream adds up to what people see of it, for looking at it as it was. Pure."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from events import index, repository
from events.base import Envelope
from events.catalog import UnknownEvent, decode
from events.replay.history import Evolve, Shown
from orchestrator.api.models import ConversationView, QuestionView
from orchestrator.projections import analyses, conversations
from orchestrator.projections.analyses import AnalysisRecord

Json = dict[str, Any]
# Of an analysis's view: what is computed when it is shown, and what every event changes.
_COMPUTED = {"stages", "version", "outcomes", "reused", "damaged"}


@dataclass
class Generation:
    """One generation of a search index, and the versions in which it was built and activated; 0 for not yet."""

    kind: str
    chunks: int
    model: str | None
    built_in: int = 0
    activated_in: int = 0


@dataclass
class AnalysisPast:
    """An analysis, and its index: the generations, and the one that searches go to.

    `passed_over` are the versions of events that this code cannot read.
    """

    record: AnalysisRecord | None = None
    generations: dict[str, Generation] = field(default_factory=dict)
    searched: str | None = None
    passed_over: list[int] = field(default_factory=list)


@dataclass
class ConversationPast:
    """A conversation, and its questions by their ids."""

    view: ConversationView | None = None
    questions: dict[UUID, QuestionView] = field(default_factory=dict)
    passed_over: list[int] = field(default_factory=list)


@dataclass
class Said:
    """What was said last of each kind and how often: of streams that have nothing else to be folded into."""

    last: dict[str, Json] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)


@dataclass
class RepositoryPast:
    """A repository from when it was registered until it was deleted."""

    url: str = ""
    host: str = ""
    name: str = ""
    folder: str = ""
    registered_at: datetime | None = None
    deleted_at: datetime | None = None


def _analysis(past: AnalysisPast, envelope: Envelope) -> AnalysisPast:
    try:
        past.record = analyses.apply(past.record, envelope)
        if envelope.event_type in {index.IndexBuilt.event_type, index.IndexActivated.event_type}:
            _generation(past, envelope)
    except (UnknownEvent, ValidationError, ValueError):
        past.passed_over.append(envelope.version)
    return past


def _generation(past: AnalysisPast, envelope: Envelope) -> None:
    event = decode(envelope)
    if not isinstance(event, index.IndexBuilt | index.IndexActivated):
        return
    name = str(event.generation_id)
    known = past.generations.setdefault(name, Generation(event.kind.value, event.chunks, event.model))
    known.chunks, known.model = event.chunks, event.model
    if isinstance(event, index.IndexBuilt):
        known.built_in = envelope.version
    else:
        known.activated_in, past.searched = envelope.version, name


def _shown_analysis(past: AnalysisPast) -> Json:
    if past.record is None:
        return {}
    view = past.record.view.model_dump(mode="json", exclude=_COMPUTED)
    stages = to_jsonable_python(past.record.stages)
    generations = {name: dict(vars(one)) for name, one in past.generations.items()}
    shown = view | {"stages": stages, "index": {"searched": past.searched, "generations": generations}}
    return shown | ({"passed_over": [*past.passed_over]} if past.passed_over else {})


def _conversation(past: ConversationPast, envelope: Envelope) -> ConversationPast:
    try:
        if past.view is None:
            past.view = conversations.started(envelope)
        elif (question := conversations.apply(past.questions, envelope)) is not None:
            past.questions[question.question_id] = question
    except (UnknownEvent, ValidationError, ValueError):
        past.passed_over.append(envelope.version)
    return past


def _shown_conversation(past: ConversationPast) -> Json:
    if past.view is None:
        return {}
    questions = {str(name): one.model_dump(mode="json") for name, one in past.questions.items()}
    shown = past.view.model_dump(mode="json", exclude={"questions", "version"}) | {"questions": questions}
    return shown | ({"passed_over": [*past.passed_over]} if past.passed_over else {})


def _repository(past: RepositoryPast, envelope: Envelope) -> RepositoryPast:
    if envelope.event_type == repository.RepositoryRegistered.event_type:
        event = repository.RepositoryRegistered.model_validate(envelope.data)
        past.url, past.host, past.name, past.folder = event.url, event.host, event.name, event.folder
        past.registered_at = past.registered_at or envelope.timestamp
    elif envelope.event_type == repository.RepositoryDeleted.event_type:
        past.deleted_at = envelope.timestamp
    return past


def _said(past: Said, envelope: Envelope) -> Said:
    past.last[envelope.event_type] = envelope.data
    past.times[envelope.event_type] = past.times.get(envelope.event_type, 0) + 1
    return past


def _fold_of(kind: type[Any], evolve: Evolve[Any], shown: Callable[[Any], Json] | None = None) -> Shown[Any]:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def pack(past: object) -> bytes:
        return zlib.compress(adapter.dump_json(past), 1)

    def unpack(packed: bytes) -> Any:  # noqa: ANN401  # a `kind`
        return adapter.validate_json(zlib.decompress(packed))

    def as_it_is(past: object) -> Json:
        known: Json = to_jsonable_python(past)
        return known

    return Shown(kind, evolve, pack, unpack, shown or as_it_is)


_FOLDS: dict[str, Shown[Any]] = {
    "analysis": _fold_of(AnalysisPast, _analysis, _shown_analysis),
    "conversation": _fold_of(ConversationPast, _conversation, _shown_conversation),
    "repository": _fold_of(RepositoryPast, _repository),
}
_OTHER = _fold_of(Said, _said)


def fold_of(stream_id: str) -> Shown[Any]:
    """How the streams of the kind of `stream_id` add up."""
    return _FOLDS.get(stream_id.partition("/")[0], _OTHER)
