"""The beginning and the end of a run under a lease, each by one statement: lease, inbox and log at once."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope, Subject
from events.conversation import ConversationDeleted
from events.delivery.leases import LeaseLost
from events.delivery.work import Append, Result
from events.log.postgres import rows_json
from events.processing import AnalysisDeleted, CancelRequested
from events.question import QuestionAsked, QuestionStopped

_STOPPED = ":stream, :version, :types, :of_question, :question, CAST(:subjects AS text[])"
_IS_STOPPED = text(f"SELECT es.is_stopped({_STOPPED})")
_BEGIN = text(f"""
SELECT token, is_open, is_stopped
FROM es.begin_run(:run_id, :worker, :seconds, :consumer, :topic, :seq, :id, {_STOPPED})
""")  # noqa: S608  # our own names
_CONCLUDE = text("""
SELECT es.conclude_run(:run_id, :token, :consumer, :topic, CAST(:seqs AS bigint[]), CAST(:ids AS uuid[]), :outcome,
  CAST(:stream AS text), CAST(:events AS jsonb))
""")
_STOPPING = [cls.event_type for cls in (CancelRequested, AnalysisDeleted, ConversationDeleted)]


class Begun(NamedTuple):
    """The token of the lease, None while somebody else's runs; whether there is work, and whether it was stopped."""

    token: int | None
    is_open: bool
    is_stopped: bool


class Holder(NamedTuple):
    """Who works for which consumer on which run of a topic."""

    run_id: UUID
    worker: str
    consumer: str
    topic: str


async def begin(connection: AsyncConnection, holder: Holder, envelope: Envelope, seconds: float) -> Begun:
    """Take the lease of a message's run for so many seconds. Where nothing is to be done, none is kept."""
    values = holder._asdict() | {"seconds": seconds, "seq": envelope.seq, "id": envelope.event_id}
    row = (await connection.execute(_BEGIN, values | _stoppable(envelope))).one()
    return Begun(row.token, row.is_open, row.is_stopped)


async def is_stopped(connection: AsyncConnection, envelope: Envelope) -> bool:
    """Whether what a message asks for was cancelled, deleted or stopped."""
    return bool((await connection.execute(_IS_STOPPED, _stoppable(envelope))).scalar_one())


async def conclude(  # whose run, what of, and what is said of it
    connection: AsyncConnection,
    holder: Holder,
    token: int,
    envelopes: Sequence[Envelope],
    outcome: str,
    append: Append | None,
) -> set[int]:
    """Give the lease up and take the messages; the `seq`s that were not done before.

    `append`, which expects no version, is what is said of the first of them. Raises LeaseLost, and then nothing was
    done; ValueError where one of its events is in another stream.
    """
    values = {
        "run_id": holder.run_id,
        "token": token,
        "consumer": holder.consumer,
        "topic": holder.topic,
        "seqs": [envelope.seq or 0 for envelope in envelopes],
        "ids": [envelope.event_id for envelope in envelopes],
        "outcome": outcome,
        "stream": append.stream_id if append else None,
        "events": await rows_json(connection, append.drafts) if append else None,
    }
    try:
        taken: list[int] | None = (await connection.execute(_CONCLUDE, values)).scalar_one()
    except IntegrityError as error:
        raise ValueError("an event of the result is already in another stream, or twice in it") from error
    if taken is None:
        raise LeaseLost(f"run {holder.run_id} is not held under token {token} any more")
    return set(taken)


def only_append(result: Result) -> Append | None:
    """The one append that is all of a result and expects no version; None where there is none, or more to do."""
    if result.write is not None or result.timers or result.also or len(result.appends) != 1:
        return None
    [append] = result.appends
    return append if append.expected is None and append.drafts else None


def _stoppable(envelope: Envelope) -> dict[str, object]:
    # What somebody asked whose account is deleted is not answered any more.
    asked = envelope.event_type == QuestionAsked.event_type and envelope.user_id is not None
    return {
        "stream": envelope.stream_id,
        "version": envelope.version,
        "types": _STOPPING,
        "of_question": QuestionStopped.event_type,
        "question": str(envelope.data.get("question_id", "")),
        "subjects": [f"{Subject.USER}/{envelope.user_id}"] if asked else [],
    }
