"""The list of conversations: what each is about, and which say something.

What was asked is sealed in the log, and no table has it open: it is read from the conversations' own streams, a page
of them at a time, and no more than is shown or looked through.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from itertools import groupby
from uuid import UUID

from asyncpg import Record
from sqlalchemy import text

from events.base import ERASED, Envelope
from events.conversation import ConversationStarted
from events.log.postgres import ENVELOPE_COLUMNS, envelopes_of
from events.question import QuestionAnswered, QuestionAsked
from orchestrator.api.conversation_models import ConversationSummary
from orchestrator.api.models import ConversationView, QuestionView
from orchestrator.api.pages import ConversationPage
from orchestrator.api.paging import CONVERSATIONS, Page
from orchestrator.projections.conversations import PREFIX, fold, has_words, started
from orchestrator.projections.deleted import without_people
from orchestrator.projections.same_questions import answered_at
from runtime.tenancy import TenantDatabase

COMPARED = 200  # conversations that are looked through for questions of two analyses
LOOKED_THROUGH = 100  # conversations that one page looks through for words
MOST_SHOWN = 1_000_000  # bytes of a question as it is stored: a larger one stands in the list without its words
MOST_READ = 20_000_000  # bytes of a conversation that are looked through for words; a larger one is passed over
_AT_ONCE = 8_000_000  # bytes of conversations that are read together: an answer has all its passages
_ROWS = """
SELECT conversation_id, started_at FROM app.conversations c
WHERE tenant_id = $1
  AND NOT EXISTS (SELECT FROM auth.users u WHERE u.user_id = c.user_id AND u.deleted_at IS NOT NULL)
  AND (CAST($5 AS uuid) IS NULL OR repository_id = $5)
  AND repository_id NOT IN (SELECT d.repository_id FROM app.deleted_repositories d)
  AND (CAST($2 AS timestamptz) IS NULL
    OR (started_at, conversation_id) < (CAST($2 AS timestamptz), CAST($3 AS uuid)))
ORDER BY started_at DESC, conversation_id DESC LIMIT $4
"""
_ANSWERED_AT = """
SELECT c.conversation_id, count(*) OVER () AS found
FROM app.conversations c JOIN app.questions q USING (conversation_id)
WHERE c.tenant_id = $1 AND c.repository_id = $2 AND q.state = 'answered'
  AND CAST(q.record ->> 'analysis_id' AS uuid) = ANY ($3)
  AND NOT EXISTS (SELECT FROM auth.users u WHERE u.user_id = c.user_id AND u.deleted_at IS NOT NULL)
  AND c.repository_id NOT IN (SELECT d.repository_id FROM app.deleted_repositories d)
GROUP BY c.conversation_id, c.started_at ORDER BY c.started_at DESC, c.conversation_id DESC LIMIT $4
"""
_NAMED = """
SELECT conversation_id, started_at FROM app.conversations c
WHERE tenant_id = $1 AND conversation_id = ANY ($2)
  AND NOT EXISTS (SELECT FROM auth.users u WHERE u.user_id = c.user_id AND u.deleted_at IS NOT NULL)
  AND repository_id NOT IN (SELECT d.repository_id FROM app.deleted_repositories d)
ORDER BY started_at DESC, conversation_id DESC
"""
_STREAMS = """
FROM es.streams s JOIN es.events e USING (stream_id) LEFT JOIN es.feed f USING (position)
WHERE s.stream_id = ANY (:streams) AND s.tenant_id = :tenant AND s.archived_at IS NULL
"""
# Of attempts at one question the newest stands for it. What is too large to be shown is not even unpacked.
_COUNTED = text(f"""
WITH asked AS (
  SELECT e.stream_id, e.version, CASE WHEN pg_column_size(e.data) > :most THEN e.event_id::text
    ELSE coalesce(e.data->>'again', e.data->>'question_id') END AS place
  {_STREAMS} AND e.type = :asked
    AND NOT EXISTS (SELECT FROM auth.users u WHERE u.user_id = e.user_id AND u.deleted_at IS NOT NULL)
), told AS (
  SELECT stream_id, count(DISTINCT place) AS questions, (array_agg(place ORDER BY version))[1] AS place
  FROM asked GROUP BY stream_id
)
SELECT stream_id, told.questions, max(asked.version) AS version FROM told JOIN asked USING (stream_id, place)
GROUP BY stream_id, told.questions
""")  # noqa: S608  # only our own text is put in
_SHOWN = text(f"""
SELECT {ENVELOPE_COLUMNS} {_STREAMS} AND pg_column_size(e.data) <= :most AND (e.type = :started
  OR (e.stream_id, e.version) IN (SELECT * FROM unnest(CAST(:asked AS text[]), CAST(:versions AS int[]))))
""")  # noqa: S608  # the same
_SIZES = text(f"""
SELECT e.stream_id, sum(pg_column_size(e.data)) AS bytes {_STREAMS} AND e.type = ANY (:types) GROUP BY e.stream_id
""")
_SAID = text(f"""
SELECT {ENVELOPE_COLUMNS} {_STREAMS} AND e.type = ANY (:types) ORDER BY e.stream_id, e.version
""")
_WORDS = [each.event_type for each in (ConversationStarted, QuestionAsked, QuestionAnswered)]


class Conversations:
    """The list, each page of one tenant."""

    def __init__(self, database: TenantDatabase) -> None:
        self._database = database

    async def newest(
        self, tenant: UUID, page: Page, *, repository: UUID | None = None, words: str = ""
    ) -> ConversationPage:
        """Conversations, newest first.

        With `words`, those in which a question with its answer has all of them, case aside. Such a page looks through
        `LOOKED_THROUGH` conversations, so that it may have less than its limit, or nothing, and still a `next`.
        """
        at, id_ = CONVERSATIONS.read(page.cursor) or (None, None)
        most = LOOKED_THROUGH if words else page.limit
        rows = await self._database.rows(tenant, _ROWS, tenant, at, id_, most + 1, repository)
        found, last = rows[:most], rows[:most][-1] if rows else None
        if words:
            found = await self._having(tenant, found, words, page.limit)
            last = found[-1] if len(found) == page.limit else last
        more = last is not None and last[0] != rows[-1][0]
        following = CONVERSATIONS.write((last["started_at"], last["conversation_id"])) if last and more else None
        return ConversationPage(items=await self._shown(tenant, found), next=following)

    async def _shown(self, tenant: UUID, rows: Sequence[Record]) -> list[ConversationSummary]:
        """What the list says of them: of each stream one question is opened, and no answer."""
        streams = [_stream(row) for row in rows]
        values: dict[str, object] = {"streams": streams, "tenant": tenant, "most": MOST_SHOWN}
        async with self._database.of(tenant) as connection:
            counted = await connection.execute(_COUNTED, values | {"asked": QuestionAsked.event_type})
            counts = {row.stream_id: row for row in counted}
            first = {"asked": [*counts], "versions": [row.version for row in counts.values()]}
            said = await connection.execute(_SHOWN, values | first | {"started": ConversationStarted.event_type})
            events = await envelopes_of(connection, said)
        begun = {each.stream_id: each for each in events if each.event_type == ConversationStarted.event_type}
        asked = {each.stream_id: each for each in events if each.event_type == QuestionAsked.event_type}
        return [
            ConversationSummary(
                **started(begun[stream]).model_dump(exclude={"questions"}),
                first_question=QuestionAsked.model_validate(asked[stream].data).query if stream in asked else None,
                questions=counts[stream].questions if stream in counts else 0,
            )
            for stream in streams
            if stream in begun
        ]

    async def answered_at(
        self, tenant: UUID, repository: UUID, analyses: Sequence[UUID]
    ) -> tuple[list[QuestionView], int]:
        """What was answered at one of some analyses of a repository, and how many conversations were left out.

        Left out are older ones, and what is too large.
        """
        rows = await self._database.rows(tenant, _ANSWERED_AT, tenant, repository, list(analyses), COMPARED)
        found, seen = list[QuestionView](), 0
        async for some, events in self._read(tenant, rows):
            found += await asyncio.to_thread(_answered, events, analyses)
            seen += len(some)
        return found, (rows[0]["found"] - seen if rows else 0)

    async def asked(self, tenant: UUID, repository: UUID) -> list[QuestionView]:
        """The questions of a repository's newest conversations with their answers, the newest first.

        None that was emptied, none of somebody whose account was deleted, and none of a conversation that is too large.
        """
        return await self._asked(
            tenant, await self._database.rows(tenant, _ROWS, tenant, None, None, LOOKED_THROUGH, repository)
        )

    async def asked_in(self, tenant: UUID, conversations: Collection[UUID]) -> list[QuestionView]:
        """As `asked`, of these conversations, as far as they are there."""
        return await self._asked(tenant, await self._database.rows(tenant, _NAMED, tenant, list(conversations)))

    async def _asked(self, tenant: UUID, rows: Sequence[Record]) -> list[QuestionView]:
        found: list[QuestionView] = []
        async for _, events in self._read(tenant, rows):
            found += [each for one in await asyncio.to_thread(_folded, events) for each in one.questions]
        there = [each for each in found if each.query != ERASED]
        return sorted(there, key=lambda each: (each.asked_at, each.question_id), reverse=True)

    async def _having(self, tenant: UUID, rows: Sequence[Record], words: str, limit: int) -> list[Record]:
        """The first so many of them that have the words."""
        found: list[Record] = []
        async for some, events in self._read(tenant, rows):
            having = await asyncio.to_thread(_having, events, words)
            found += [row for row in some if row["conversation_id"] in having]
            if len(found) >= limit:
                break
        return found[:limit]

    async def _read(self, tenant: UUID, rows: Sequence[Record]) -> AsyncIterator[tuple[list[Record], list[Envelope]]]:
        """All that was said in conversations, some at a time; what is too large is passed over."""
        values: dict[str, object] = {"tenant": tenant, "types": _WORDS}
        async with self._database.of(tenant) as connection:
            sizes = await connection.execute(_SIZES, values | {"streams": [_stream(row) for row in rows]})
            bytes_of = {row.stream_id: int(row.bytes) for row in sizes}
        for some in _batches(rows, bytes_of):
            async with self._database.of(tenant) as connection:
                said = await connection.execute(_SAID, values | {"streams": [_stream(row) for row in some]})
                events = await without_people(connection, await envelopes_of(connection, said))
            yield some, events


def _stream(row: Record) -> str:
    return f"{PREFIX}{row['conversation_id']}"


def _batches(rows: Sequence[Record], bytes_of: Mapping[str, int]) -> Iterator[list[Record]]:
    """The rows in their order, as many together as are small enough; without those that are too large."""
    batch, total = list[Record](), 0
    for row in rows:
        size = bytes_of.get(_stream(row), 0)
        if size > MOST_READ:
            continue
        if batch and total + size > _AT_ONCE:
            yield batch
            batch, total = [], 0
        batch.append(row)
        total += size
    if batch:
        yield batch


def _folded(events: Sequence[Envelope]) -> list[ConversationView]:
    folded = (fold(history) for _, history in groupby(events, key=lambda event: event.stream_id))
    return [each for each in folded if each is not None]


def _having(events: Sequence[Envelope], words: str) -> set[UUID]:
    return {each.conversation_id for each in _folded(events) if has_words(each, words)}


def _answered(events: Sequence[Envelope], analyses: Sequence[UUID]) -> list[QuestionView]:
    return answered_at(_folded(events), analyses)
