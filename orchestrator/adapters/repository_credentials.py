"""Tokens for private repositories: sealed, each for one person and one host, shown to nobody but a clone."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from orchestrator.api.credential_models import CredentialView
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.auth.sign_in_tokens import forget_unused
from runtime.faults import Permanent
from runtime.sealing import Sealer
from runtime.tenancy import TenantDatabase

MOST = 50  # of one person
ONCE = timedelta(hours=24)  # a token given for one analysis is gone after that, whatever became of it
KEPT, ONE_ANALYSIS = "kept", "once"
_TOKEN = re.compile(r"[\x21-\x7e]{8,4000}")

_ADD = text("""
INSERT INTO auth.repository_credentials
  (credential_id, tenant_id, user_id, given, host, name, sealed, analysis_id, created_at, expires_at)
VALUES (:id, :tenant, :user, :given, :host, :name, :sealed, :analysis, :at, :expires)
""")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('repository credentials ' || :user, 0))")
_COUNT = text("SELECT count(*) FROM auth.repository_credentials WHERE user_id = :user AND given = 'kept'")
_LIST = text("""
SELECT credential_id, host, name, created_at, expires_at, used_at FROM auth.repository_credentials
WHERE user_id = :user AND tenant_id = :tenant AND given = 'kept' ORDER BY created_at DESC, credential_id
""")
_REMOVE = text("""
DELETE FROM auth.repository_credentials
WHERE credential_id = :id AND user_id = :user AND tenant_id = :tenant AND given = 'kept' RETURNING credential_id
""")
_CHOOSE = text("""
SELECT credential_id FROM auth.repository_credentials
WHERE user_id = :user AND tenant_id = :tenant AND host = :host AND given = 'kept'
  AND (CAST(:id AS uuid) IS NULL OR credential_id = :id)
  AND (expires_at IS NULL OR expires_at > :at)
ORDER BY created_at DESC LIMIT 1
""")
_SIGN_IN = text("SELECT token_id FROM auth.sign_in_tokens WHERE user_id = :user AND host = :host")
_USE = text("""
UPDATE auth.repository_credentials c SET used_at = :at FROM auth.users u, auth.members m
WHERE c.credential_id = :id AND c.tenant_id = :tenant AND c.user_id = :user AND c.host = :host
  AND (c.expires_at IS NULL OR c.expires_at > :at)
  AND u.user_id = c.user_id AND u.suspended_at IS NULL AND u.deleted_at IS NULL
  AND m.user_id = c.user_id AND m.tenant_id = c.tenant_id
RETURNING c.sealed
""")
# A clone needs its token until the commit is there, the history of it until the analysis is ready; one that has ended
# needs none.
_SWEEP = text("""
DELETE FROM auth.repository_credentials c WHERE c.given = 'once' AND (c.expires_at <= :at OR EXISTS (
  SELECT FROM app.analyses a WHERE a.analysis_id = c.analysis_id
  AND (a.record #>> '{view,ended_at}' IS NOT NULL OR a.record #>> '{view,ready_at}' IS NOT NULL
    OR a.record #>> '{view,commit}' IS NOT NULL AND coalesce(a.record #>> '{view,history_depth}', '0') = '0')))
RETURNING c.credential_id
""")


@dataclass(frozen=True)
class Credential:
    """What a request wants its analysis cloned with. `sealed` is stored with it, where it was given for it alone."""

    ref: UUID
    host: str
    sealed: bytes | None = field(default=None, repr=False)


class RepositoryCredentials:
    """Keeps them. Without a `sealer` it keeps none, and says so."""

    def __init__(self, database: TenantDatabase, sealer: Sealer | None) -> None:
        self._database = database
        self._sealer = sealer

    async def add(self, who: Identity, *, host: str, name: str, token: str, at: datetime) -> CredentialView:
        """Keep a token. Raises ApiProblem: `bad_token`, `too_many_credentials`, `credentials_not_kept`."""
        made = uuid4()
        sealed = self._seal(made, who.user_id, host, token)
        async with self._database.of(who.tenant_id) as connection:
            await connection.execute(_LOCK, {"user": str(who.user_id)})
            if (await connection.execute(_COUNT, {"user": who.user_id})).scalar_one() >= MOST:
                raise ApiProblem("too_many_credentials", f"Remove one first: {MOST} are kept for a person.")
            row = _row(Credential(made, host, sealed), who, KEPT, at)
            await connection.execute(_ADD, row | {"name": name})
        return CredentialView(credential_id=made, host=host, name=name, created_at=at)

    async def of(self, who: Identity) -> list[CredentialView]:
        """Those that a person keeps in the tenant, the newest first."""
        async with self._database.of(who.tenant_id) as connection:
            rows = await connection.execute(_LIST, {"user": who.user_id, "tenant": who.tenant_id})
            return [CredentialView.model_validate(dict(row._mapping)) for row in rows]

    async def remove(self, who: Identity, credential_id: UUID) -> None:
        """Forget one. Raises ApiProblem `not_found` where the person has none of that id."""
        values = {"id": credential_id, "user": who.user_id, "tenant": who.tenant_id}
        async with self._database.of(who.tenant_id) as connection:
            if (await connection.execute(_REMOVE, values)).first() is None:
                raise ApiProblem("not_found", "Check the id: nothing of yours has it.")

    async def choose(
        self, who: Identity, host: str, *, token: str | None, named: UUID | None, at: datetime
    ) -> Credential | None:
        """What a request says the repositories of `host` are to be read with; None where it says nothing.

        Raises ApiProblem: `invalid_request`, `bad_token`, `credentials_not_kept`, `not_found`.
        """
        if token is not None:
            if named is not None:
                raise ApiProblem("invalid_request", "Give a token or name a kept one, not both.")
            made = uuid4()
            return Credential(made, host, self._seal(made, who.user_id, host, token))
        if named is None:
            return None
        async with self._database.of(who.tenant_id) as connection:
            found = await _chosen(connection, who, host, named, at)
        if found is None:
            raise ApiProblem("not_found", f"None of the tokens that you keep for {host} has that id.")
        return Credential(found, host)

    async def newest(self, who: Identity, host: str, at: datetime) -> UUID | None:
        """What an analysis that names nothing would be read with."""
        async with self._database.of(who.tenant_id) as connection:
            return await newest_for(connection, who, host, at)

    async def use(self, ref: UUID, *, tenant_id: UUID, user_id: UUID, host: str, at: datetime) -> str:
        """The token of one, for a clone from `host` that its owner asked for.

        Raises Permanent `credential_gone`: removed, expired, of somebody else, or its owner may not work here any more.
        """
        values = {"id": ref, "tenant": tenant_id, "user": user_id, "host": host, "at": at}
        async with self._database.of(tenant_id) as connection:
            row = (await connection.execute(_USE, values)).first()
        if row is None:
            raise _gone()
        return self._open(row.sealed, ref, user_id, host)

    def _seal(self, ref: UUID, user_id: UUID, host: str, token: str) -> bytes:
        if not _TOKEN.fullmatch(token):
            raise ApiProblem("bad_token", "A token has 8 to 4,000 characters, without blanks.")
        if self._sealer is None:
            raise ApiProblem("credentials_not_kept", "Set REPOSTREAM_SECRET_KEY: without it no token can be stored.")
        return self._sealer.seal(json.dumps([*_bound(ref, user_id, host), token]).encode())

    def _open(self, sealed: bytes, ref: UUID, user_id: UUID, host: str) -> str:
        """The token, if the row is the one that it was sealed for: whoever can write the table moves none."""
        if self._sealer is None:
            raise _gone()
        try:
            *bound, token = json.loads(self._sealer.open(sealed))
        except ValueError:
            raise _gone() from None
        if bound != _bound(ref, user_id, host):
            raise _gone()
        return str(token)


async def sweep(engine: AsyncEngine, at: datetime) -> int:
    """Forget the tokens, of all tenants, that were given for one analysis and are not needed any more; how many.

    And those of whoever is signed in nowhere any more, however that came about.
    """
    async with engine.begin() as connection:
        await forget_unused(connection)
        gone = await connection.execute(_SWEEP, {"at": at})
        return len(gone.all())


async def newest_for(connection: AsyncConnection, who: Identity, host: str, at: datetime) -> UUID | None:
    """What a person's analyses of `host` are cloned with unless they say otherwise: the newest kept, or the sign-in."""
    kept = await _chosen(connection, who, host, None, at)
    if kept is not None:
        return kept
    found: UUID | None = (await connection.execute(_SIGN_IN, {"user": who.user_id, "host": host})).scalar_one_or_none()
    return found


async def _chosen(
    connection: AsyncConnection, who: Identity, host: str, named: UUID | None, at: datetime
) -> UUID | None:
    values = {"user": who.user_id, "tenant": who.tenant_id, "host": host, "id": named, "at": at}
    found: UUID | None = (await connection.execute(_CHOOSE, values)).scalar_one_or_none()
    return found


async def keep_once(
    connection: AsyncConnection, who: Identity, credential: Credential, analysis_id: UUID, at: datetime
) -> None:
    """Store a token that was given for one analysis, in the transaction that begins it."""
    if credential.sealed is not None:
        row = _row(credential, who, ONE_ANALYSIS, at)
        await connection.execute(_ADD, row | {"analysis": analysis_id, "expires": at + ONCE})


def _row(credential: Credential, who: Identity, given: str, at: datetime) -> dict[str, Any]:
    row = {"id": credential.ref, "tenant": who.tenant_id, "user": who.user_id, "given": given, "at": at}
    row |= {"host": credential.host, "sealed": credential.sealed}
    return row | {"name": "", "analysis": None, "expires": None}


def _bound(ref: UUID, user_id: UUID, host: str) -> list[str]:
    return [str(ref), str(user_id), host]


def _gone() -> Permanent:
    return Permanent("credential_gone", "The token for it is not kept any more: begin a new analysis with it.")
