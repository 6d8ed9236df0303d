"""What earlier commits say, ready to be searched: read once an analysis, however many ask, and held in memory.

Of analyses whose history was asked for (`app.commits`, which the orchestrator's projection keeps).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rag_manager.ports import Lexicon, OpenLexicon
from rag_manager.remembering import Remembered
from rag_manager.rows.reading import Served
from rag_manager.stages.code_tokens import code_tokens
from rag_manager.stages.vote_for_files import VOTERS, Told
from runtime.tenancy import TenantDatabase

_MOST_HELD = 30  # analyses: 2,000 commits take about 2 MB
_KEPT = 3_600.0  # seconds
_COMMITS = """
SELECT commit, subject, message, paths FROM app.commits WHERE analysis_id = $1 ORDER BY number
"""


@dataclass(frozen=True)
class Earlier:
    """The commits of one analysis, newest first, and an index of their words."""

    commits: Sequence[Told]
    words: OpenLexicon

    def nearest(self, tokens: Sequence[str]) -> list[tuple[Told, float]]:
        """The commits that say most of what is asked, with their scores, best first."""
        return [(self.commits[number], score) for number, score in self.words.search(tokens, VOTERS)]


class EarlierChanges:
    """Gives the earlier commits of what serves."""

    def __init__(self, rows: TenantDatabase, lexicon: Lexicon) -> None:
        self._rows = rows
        self._lexicon = lexicon
        self._held = Remembered[tuple[UUID, UUID, str], Earlier]("histories", most=_MOST_HELD, seconds=_KEPT)

    async def of(self, tenant_id: UUID, served: Served) -> Earlier | None:
        """None where no history was asked for, or it is not there yet."""
        if served.told is None:
            return None
        key = (tenant_id, served.analysis_id, served.told)
        return await self._held.get(key, lambda: self._read(tenant_id, served.analysis_id))

    def keep(self, there: frozenset[tuple[UUID, UUID]]) -> None:
        """Let go of analyses (tenant, id) that are not there any more."""
        self._held.forget(lambda key: key[:2] not in there)

    async def _read(self, tenant_id: UUID, analysis_id: UUID) -> Earlier:
        rows = await self._rows.rows(tenant_id, _COMMITS, analysis_id)
        return await asyncio.to_thread(earlier_of, [tuple(row) for row in rows], self._lexicon)


def earlier_of(rows: Sequence[tuple[str, str, str, Sequence[str]]], lexicon: Lexicon) -> Earlier:
    """Of id, subject, further message and paths of each commit, newest first."""
    words = lexicon.hold(" ".join(code_tokens(f"{subject} {message}")) for _, subject, message, _ in rows)
    return Earlier([Told(commit, subject, paths) for commit, subject, _, paths in rows], words)
