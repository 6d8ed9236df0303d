"""Whose the accounts are that were there before an account had an issuer: settled once, at the first start after it.

They are of the providers that are configured then. An account of a provider that is not is nobody's from then on: whom
it belongs to cannot be known any more once the settings name another.
"""

import asyncio
import json
from collections.abc import Sequence

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.auth.providers import Provider

_log = structlog.get_logger(__name__)
_SETTLE = text("""
    UPDATE auth.users SET issuer = coalesce(CAST(:issuers AS jsonb) ->> provider, '') WHERE issuer IS NULL
""")
_OTHERS = text("""
    SELECT provider, issuer, count(*) AS accounts FROM auth.users
    WHERE deleted_at IS NULL AND provider NOT IN ('local', 'deleted')
      AND issuer IS DISTINCT FROM CAST(:issuers AS jsonb) ->> provider
    GROUP BY provider, issuer ORDER BY provider, issuer
""")


class Issuers:
    """The issuers of the providers that are configured."""

    def __init__(self, engine: AsyncEngine, providers: Sequence[Provider]) -> None:
        self._engine = engine
        self._values = {"issuers": json.dumps({provider.name: provider.issuer for provider in providers})}
        self._settled = False

    async def settle(self) -> None:
        """Give every account an issuer that has none. Raises where PostgreSQL does not take it: nobody signs in."""
        if self._settled:
            return
        async with self._engine.begin() as connection:
            settled = (await connection.execute(_SETTLE, self._values)).rowcount
            others = list(await connection.execute(_OTHERS, self._values))
        self._settled = True
        if settled:
            _log.info("accounts_have_issuers", accounts=settled)
        for row in others:
            _log.warning("accounts_of_another_issuer", provider=row.provider, issuer=row.issuer, accounts=row.accounts)

    async def run(self) -> None:
        """Settle it, and be done: for ever, as a part of the process."""
        await self.settle()
        await asyncio.Event().wait()
