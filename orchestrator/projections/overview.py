"""The small read models, which must be quick: repositories, analyses, conversations, questions."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from events.catalog import UnknownEvent
from events.conversation import ConversationDeleted, ConversationStarted
from events.index import IndexActivated
from events.processing import AnalysisDeleted
from events.repository import RepositoryDeleted, RepositoryRegistered
from orchestrator.api.models import QuestionView
from orchestrator.projections import analyses, conversations
from orchestrator.projections.analyses import AnalysisRecord
from orchestrator.projections.deleted import without_deleted
from orchestrator.projections.embedding_costs import count_embedding
from orchestrator.projections.question_costs import count_answers, count_deleted
from orchestrator.projections.runner import Step

_log = structlog.get_logger(__name__)

_REGISTER = text("""
INSERT INTO app.repositories (repository_id, tenant_id, url, host, name, registered_at)
VALUES (:repository_id, :tenant_id, :url, :host, :name, :registered_at) ON CONFLICT DO NOTHING
""")
_DELETE = tuple(
    text(f"DELETE FROM app.{table} WHERE repository_id = :id")  # noqa: S608  # our own names
    for table in ("questions", "conversations", "analyses", "repositories")
)
_DELETE_CONVERSATION = tuple(
    text(f"DELETE FROM app.{table} WHERE conversation_id = :id")  # noqa: S608  # our own names
    for table in ("questions", "conversations")
)
_DELETE_ANALYSIS = (
    text("DELETE FROM app.analyses WHERE analysis_id = :id"),
    text("UPDATE app.repositories SET serving = NULL WHERE repository_id = :repository AND serving = :id"),
)
_SERVE = text("UPDATE app.repositories SET serving = :id WHERE repository_id = :repository")
_READ_MARKS = text("SELECT analysis_id, xmin::text FROM app.analyses WHERE analysis_id = ANY (:ids)")
_READ_ANALYSIS = text("SELECT record::text FROM app.analyses WHERE analysis_id = :id")
_WRITE_ANALYSIS = text("""
INSERT INTO app.analyses (analysis_id, tenant_id, repository_id, state, version, requested_at, record)
VALUES (:analysis_id, :tenant_id, :repository_id, :state, :version, :requested_at, CAST(:record AS jsonb))
ON CONFLICT (analysis_id) DO UPDATE SET state = excluded.state, version = excluded.version, record = excluded.record
""")
_WRITE_CONVERSATION = text("""
INSERT INTO app.conversations (conversation_id, tenant_id, user_id, repository_id, title, started_at, version)
VALUES (:conversation_id, :tenant_id, :user_id, :repository_id, :title, :started_at, :version) ON CONFLICT DO NOTHING
""")
_READ_QUESTIONS = text("SELECT record::text FROM app.questions WHERE question_id = ANY (:ids)")
_WRITE_QUESTION = text("""
INSERT INTO app.questions (question_id, conversation_id, tenant_id, repository_id, state, asked_at, version, record)
VALUES (:question_id, :conversation_id, :tenant_id, :repository_id, :state, :asked_at, :version, CAST(:record AS jsonb))
ON CONFLICT (question_id) DO UPDATE SET state = excluded.state, version = excluded.version, record = excluded.record
""")
_MOST_KNOWN = 8  # analyses at work whose record is kept: the largest are a few megabytes


class _Known:
    """Records as they were written last. One counts only while its row is the one that was written.

    A write may be rolled back, another process may be further, and a rebuild puts another record in its place: the row
    has the mark of the transaction that wrote it.
    """

    def __init__(self) -> None:
        self._records: OrderedDict[UUID, tuple[str, AnalysisRecord]] = OrderedDict()

    async def read(self, connection: AsyncConnection, analysis_id: UUID) -> AnalysisRecord | None:
        """The record that is stored."""
        mark = (await _marks(connection, [analysis_id])).get(analysis_id)
        known = self._records.pop(analysis_id, None)
        if known is not None and known[0] == mark:
            return known[1]
        if mark is None:
            return None
        stored = (await connection.execute(_READ_ANALYSIS, {"id": analysis_id})).scalar_one()
        return AnalysisRecord.model_validate_json(stored)

    async def keep(self, connection: AsyncConnection, records: Sequence[AnalysisRecord]) -> None:
        """They were written, and those of them that are at work are soon read again."""
        running = {record.view.analysis_id: record for record in records if analyses.is_running(record)}
        for analysis_id, mark in (await _marks(connection, [*running]) if running else {}).items():
            self._records[analysis_id] = (mark, running[analysis_id])
        while len(self._records) > _MOST_KNOWN:
            self._records.popitem(last=False)


async def _marks(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = await connection.execute(_READ_MARKS, {"ids": list(ids)})
    return {row.analysis_id: row.xmin for row in rows}


class Overview:
    """The projection `overview`. An event that cannot be read is logged and passed over; the rest goes on."""

    name = "overview"
    version = 3
    batch = 500
    tables: Mapping[str, str] = MappingProxyType(
        {
            "repositories": "repository_id",
            "analyses": "analysis_id",
            "conversations": "conversation_id",
            "questions": "question_id",
        }
    )
    touched = ("accepted_questions", "embedding_costs")

    def __init__(self) -> None:
        self._known = _Known()

    def on(self, _connection: object) -> "Overview":
        """As `Rebuildable.on`: it looks at nothing but what it writes, and knows nothing of what serves."""
        return Overview()

    async def prepare(self, envelopes: Sequence[Envelope]) -> Step:
        """All of them are taken; everything is done in the transaction."""

        async def write(connection: AsyncConnection) -> None:
            left = await without_deleted(connection, envelopes)
            await _apply_all(connection, left, self._known)
            kept = {envelope.event_id for envelope in left}
            for envelope in envelopes:  # whose repository, or whoever asked, is gone already
                if envelope.event_id not in kept:
                    await count_deleted(connection, envelope)

        return Step(len(envelopes), write)

    async def clear(self, connection: AsyncConnection) -> None:
        """Remove all rows."""
        await connection.execute(text(f"TRUNCATE {', '.join(f'app.{table}' for table in self.tables)}"))


async def _apply_all(connection: AsyncConnection, envelopes: Sequence[Envelope], known: _Known) -> None:
    records: dict[str, AnalysisRecord | None] = {}
    questions = await _Questions.about(connection, envelopes)
    for envelope in envelopes:
        kind = envelope.stream_id.partition("/")[0]
        try:
            if kind == "analysis":
                await _analysis(connection, envelope, records, known)
            elif kind == "repository":
                await _repository(connection, envelope, questions)
            elif kind == "conversation":
                await _conversation(connection, envelope, questions)
        except (UnknownEvent, ValidationError, ValueError) as error:
            _log.warning("event_passed_over", seq=envelope.seq, type=envelope.event_type, error=repr(error)[:300])
    changed = [record for record in records.values() if record is not None]
    if changed:
        await connection.execute(_WRITE_ANALYSIS, [_analysis_row(record) for record in changed])
        await known.keep(connection, changed)
    await questions.write()
    await count_embedding(connection, envelopes)


async def _analysis(
    connection: AsyncConnection, envelope: Envelope, records: dict[str, AnalysisRecord | None], known: _Known
) -> None:
    """Fold into the record, read once a batch."""
    analysis_id = UUID(envelope.stream_id.partition("/")[2])
    named = {"id": analysis_id, "repository": envelope.repository_id}
    if envelope.event_type == AnalysisDeleted.event_type:
        records[envelope.stream_id] = None
        for statement in _DELETE_ANALYSIS:
            await connection.execute(statement, named)
        return
    if envelope.event_type == IndexActivated.event_type:
        await connection.execute(_SERVE, named)
    if envelope.stream_id not in records:
        records[envelope.stream_id] = await known.read(connection, analysis_id)
    records[envelope.stream_id] = analyses.apply(records[envelope.stream_id], envelope)


def _analysis_row(record: AnalysisRecord) -> dict[str, object]:
    view = record.view
    return {
        "analysis_id": view.analysis_id,
        "tenant_id": record.tenant_id,
        "repository_id": view.repository_id,
        "state": view.state.value,
        "version": view.version,
        "requested_at": view.requested_at,
        "record": record.model_dump_json(),
    }


class _Questions:
    """The questions that the events of a batch are about: read together, and written together."""

    def __init__(self, connection: AsyncConnection, known: dict[UUID, QuestionView]) -> None:
        self._connection = connection
        self._known = known
        self._changed: dict[UUID, tuple[Envelope, QuestionView]] = {}

    @classmethod
    async def about(cls, connection: AsyncConnection, envelopes: Sequence[Envelope]) -> "_Questions":
        """Those that are stored."""
        ids = sorted({found for envelope in envelopes if (found := _question_id(envelope)) is not None})
        stored = (await connection.execute(_READ_QUESTIONS, {"ids": ids})).scalars() if ids else ()
        known = [question for record in stored if (question := _stored(record)) is not None]
        return cls(connection, {question.question_id: question for question in known})

    def apply(self, envelope: Envelope) -> bool:
        """Let the question that an event is about be as it is after the event; whether it is known."""
        question = conversations.apply(self._known, envelope)
        if question is not None:
            self._known[question.question_id] = question
            self._changed[question.question_id] = (envelope, question)
        return question is not None

    async def write(self) -> None:
        """Put down what changed, and what the questions that ended took."""
        changed, self._changed = [*self._changed.values()], {}
        if changed:
            await self._connection.execute(_WRITE_QUESTION, [_question_row(*each) for each in changed])
        await count_answers(self._connection, [question for _, question in changed])

    async def delete_conversation(self, conversation_id: UUID) -> None:
        """Remove a conversation with its questions, among them some of this batch perhaps."""
        await self._delete(_DELETE_CONVERSATION, conversation_id, lambda each: each.conversation_id == conversation_id)

    async def delete_repository(self, repository_id: UUID) -> None:
        """Remove a repository with all that is about it."""
        await self._delete(_DELETE, repository_id, lambda each: each.repository_id == repository_id)

    async def _delete(self, statements: Sequence[TextClause], id_: UUID, goes: Callable[[QuestionView], bool]) -> None:
        await self.write()
        self._known = {key: question for key, question in self._known.items() if not goes(question)}
        for statement in statements:
            await self._connection.execute(statement, {"id": id_})


def _question_id(envelope: Envelope) -> UUID | None:
    if not envelope.stream_id.startswith(conversations.PREFIX):
        return None
    try:
        return UUID(str(envelope.data.get("question_id")))
    except ValueError:  # it is about none, or cannot be read
        return None


def _stored(record: str) -> QuestionView | None:
    try:
        return QuestionView.model_validate_json(record)
    except ValidationError as error:
        _log.warning("question_passed_over", error=repr(error)[:300])
        return None


def _question_row(envelope: Envelope, question: QuestionView) -> dict[str, object]:
    return {
        "question_id": question.question_id,
        "conversation_id": question.conversation_id,
        "tenant_id": envelope.tenant_id,
        "repository_id": question.repository_id,
        "state": question.state,
        "asked_at": question.asked_at,
        "version": envelope.version,
        "record": question.model_dump_json(),
    }


async def _repository(connection: AsyncConnection, envelope: Envelope, questions: _Questions) -> None:
    repository_id = UUID(envelope.stream_id.partition("/")[2])
    if envelope.event_type == RepositoryRegistered.event_type:
        event = RepositoryRegistered.model_validate(envelope.data)
        row = event.model_dump(exclude={"folder"}) | {
            "repository_id": repository_id,
            "tenant_id": envelope.tenant_id,
        }
        await connection.execute(_REGISTER, row | {"registered_at": envelope.timestamp})
    elif envelope.event_type == RepositoryDeleted.event_type:
        await questions.delete_repository(repository_id)


async def _conversation(connection: AsyncConnection, envelope: Envelope, questions: _Questions) -> None:
    if envelope.event_type == ConversationDeleted.event_type:
        await questions.delete_conversation(conversations.conversation_id_of(envelope.stream_id))
    elif envelope.event_type == ConversationStarted.event_type:
        row = conversations.started(envelope).model_dump(exclude={"questions"})
        who = {"tenant_id": envelope.tenant_id, "user_id": envelope.user_id, "version": envelope.version}
        await connection.execute(_WRITE_CONVERSATION, row | who)
    else:
        is_known = questions.apply(envelope)
        if not is_known:
            await count_deleted(connection, envelope)
