"""What the routes of accounts are handed: all that makes, reads and ends credentials."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.auth.api_keys import ApiKeys
from orchestrator.auth.issuing import SessionTokens
from orchestrator.auth.refresh import RefreshTokens
from orchestrator.auth.sessions import Sessions
from orchestrator.auth.shares import SharingLinks
from orchestrator.auth.standing import Standings
from runtime.service_tokens import ServiceVerifier


@dataclass(frozen=True)
class Accounts:
    """`sessions` is None in local mode; `callers` knows the services that may ask."""

    engine: AsyncEngine
    tokens: SessionTokens
    standings: Standings
    keys: ApiKeys
    refresh: RefreshTokens
    links: SharingLinks
    sessions: Sessions | None
    callers: ServiceVerifier

    async def is_session(self, sid: UUID | None) -> bool:
        """Whether a token with this `sid` was traded for a person's session, and is no program's."""
        async with self.engine.connect() as connection:
            found = await connection.scalar(text("SELECT 1 FROM auth.sessions WHERE session_id = :sid"), {"sid": sid})
        return found is not None
