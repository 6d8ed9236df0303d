"""The list of conversations: what each is about, and which say something.

What was asked is sealed in the log, and no table has it open: it is read from the conversations' own streams, a page
of them at a time.
"""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

from asyncpg import Record
from sqlalchemy import text

from events.base import Envelope
from events.conversation import ConversationStarted
from events.log.postgres import ENVELOPE_COLUMNS, envelopes_of
from events.question import QuestionAnswered, QuestionAsked
from orchestrator.api.conversation_models import ConversationSummary
from orchestrator.api.models import ConversationView
from orchestrator.api.pages import ConversationPage
from orchestrator.api.paging import CONVERSATIONS, Page
from orchestrator.projections.conversations import PREFIX, fold, has_words, summary_of
from orchestrator.projections.deleted import without_people
from runtime.tenancy import TenantDatabase

LOOKED_THROUGH = 100  # conversations that one page looks through for words
_AT_ONCE = 10  # of them read together: an answer has all its passages
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
_SAID = text(f"""
SELECT {ENVELOPE_COLUMNS}
FROM es.streams s JOIN es.events e USING (stream_id) LEFT JOIN es.feed f USING (position)
WHERE s.stream_id = ANY (:streams) AND s.tenant_id = :tenant AND s.archived_at IS NULL AND e.type = ANY (:types)
ORDER BY e.stream_id, e.version
""")  # noqa: S608  # only our own column names are put in
_ASKED = (ConversationStarted.event_type, QuestionAsked.event_type)
_ANSWERED = (*_ASKED, QuestionAnswered.event_type)


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
        found: list[ConversationSummary] = []
        last = None
        for begin in range(0, min(len(rows), most), _AT_ONCE):
            some = rows[begin : min(begin + _AT_ONCE, most)]
            told = await self._told(tenant, some, _ANSWERED if words else _ASKED)
            having = await asyncio.to_thread(_having, [told[row[0]] for row in some if row[0] in told], words)
            found += having[: page.limit - len(found)]
            if len(found) == page.limit:
                last = next(row for row in some if row[0] == found[-1].conversation_id)
                break
            last = some[-1]
        more = last is not None and last[0] != rows[-1][0]
        following = CONVERSATIONS.write((last["started_at"], last["conversation_id"])) if last and more else None
        return ConversationPage(items=found, next=following)

    async def _told(self, tenant: UUID, rows: Sequence[Record], types: Sequence[str]) -> dict[UUID, ConversationView]:
        """The conversations of `rows`, from their events of these types."""
        streams = [f"{PREFIX}{row['conversation_id']}" for row in rows]
        async with self._database.of(tenant) as connection:
            said = await connection.execute(_SAID, {"streams": streams, "tenant": tenant, "types": list(types)})
            events = await without_people(connection, await envelopes_of(connection, said))
        return await asyncio.to_thread(_folded, events)


def _folded(events: Sequence[Envelope]) -> dict[UUID, ConversationView]:
    folded = (fold(history) for _, history in groupby(events, key=lambda event: event.stream_id))
    return {conversation.conversation_id: conversation for conversation in folded if conversation is not None}


def _having(conversations: Sequence[ConversationView], words: str) -> list[ConversationSummary]:
    return [summary_of(each) for each in conversations if has_words(each, words)]
