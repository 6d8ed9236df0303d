"""Push hooks of repositories: made, found by whoever calls, ended; and each delivery taken once."""

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.webhooks.push import Delivery
from orchestrator.webhooks.signature import SECRET_BYTES, shown
from runtime.sealing import Sealer
from runtime.tenancy import TenantDatabase

_AT_ONCE = 8  # calls that one process has the bodies of
_COLUMNS = "hook_id, repository_id, created_at, created_by, received_at, outcome, branch"
_FIND = text("SELECT hook_id, tenant_id, created_by, secret FROM app.push_hook_of(:repository)")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('push hook ' || :repository, 0))")
_REMOVE = text("DELETE FROM app.push_hooks WHERE repository_id = :repository RETURNING hook_id")
_ADD = text(f"""
INSERT INTO app.push_hooks (hook_id, repository_id, tenant_id, secret, created_at, created_by, branch)
VALUES (:hook, :repository, :tenant, :secret, :at, :user, :branch) RETURNING {_COLUMNS}
""")  # noqa: S608  # our own column names
_ONE = text(f"""
SELECT {_COLUMNS}, EXISTS (SELECT FROM app.push_hook_of(repository_id)) AS works
FROM app.push_hooks WHERE repository_id = :repository
""")  # noqa: S608  # the same
_NOTE = text("UPDATE app.push_hooks SET received_at = :at, outcome = :outcome WHERE hook_id = :hook RETURNING 1")
_KNOWN = text("SELECT 1 FROM app.push_deliveries WHERE hook_id = :hook AND (digest = :digest OR delivery = :delivery)")
_TAKE = text("""
INSERT INTO app.push_deliveries (hook_id, digest, delivery, tenant_id, received_at)
VALUES (:hook, :digest, :delivery, :tenant, :at)
""")


class Repeated(Exception):
    """The delivery was taken before."""


@dataclass(frozen=True)
class PushHook:
    """A hook as the tenant sees it: never its secret. `works` is whether its maker may still begin analyses.

    `branch` is the one that it is for, empty for the default branch; None where it follows the newest analysis.
    """

    hook_id: UUID
    repository_id: UUID
    created_at: datetime
    created_by: UUID
    received_at: datetime | None
    outcome: str
    branch: str | None
    works: bool


@dataclass(frozen=True)
class Found:
    """A hook that somebody calls: whose it is, and the secret that they have to have."""

    hook_id: UUID
    tenant_id: UUID
    created_by: UUID
    secret: bytes = field(repr=False)


class PushHooks:
    """The tables `app.push_hooks` and `app.push_deliveries`."""

    def __init__(self, database: TenantDatabase, sealer: Sealer | None, *, limit: int) -> None:
        """`limit` is how many bytes one call may have."""
        self._database = database
        self._sealer = sealer
        self.limit = limit
        self.turns = asyncio.Semaphore(_AT_ONCE)
        self._nobodys = secrets.token_bytes(SECRET_BYTES)
        self._decoy = sealer.seal(self._nobodys) if sealer is not None else b""

    async def make(self, who: Identity, repository_id: UUID, branch: str, at: datetime) -> tuple[PushHook, str]:
        """A hook with a new secret, in the place of any before, and the secret, which nobody can see again.

        Raises ApiProblem `credentials_not_kept`.
        """
        if self._sealer is None:
            raise ApiProblem("credentials_not_kept", "Set REPOSTREAM_SECRET_KEY: without it no secret can be stored.")
        secret = secrets.token_bytes(SECRET_BYTES)
        values = {"hook": uuid4(), "repository": repository_id, "tenant": who.tenant_id, "user": who.user_id, "at": at}
        values |= {"branch": branch, "secret": self._sealer.seal(secret)}
        async with self._database.of(who.tenant_id) as connection:
            await connection.execute(_LOCK, {"repository": str(repository_id)})
            await connection.execute(_REMOVE, {"repository": repository_id})
            row = (await connection.execute(_ADD, values)).one()
        return _hook(row, works=True), shown(secret)

    async def one(self, tenant_id: UUID, repository_id: UUID) -> PushHook:
        """The hook of a repository. Raises ApiProblem `not_found`."""
        async with self._database.of(tenant_id) as connection:
            row = (await connection.execute(_ONE, {"repository": repository_id})).first()
        if row is None:
            raise _gone()
        return _hook(row, works=row.works)

    async def remove(self, tenant_id: UUID, repository_id: UUID) -> None:
        """End a hook; what was signed with its secret is good for nothing any more. Raises ApiProblem `not_found`."""
        async with self._database.of(tenant_id) as connection:
            if (await connection.execute(_REMOVE, {"repository": repository_id})).first() is None:
                raise _gone()

    async def find(self, repository_id: UUID, as_nobody: UUID) -> Found | None:
        """The hook that is called; None where there is none that may be. Either way a secret was opened.

        `as_nobody` is the tenant in which nothing is: whose the hook is, is not known yet.
        """
        async with self._database.of(as_nobody) as connection:
            row = (await connection.execute(_FIND, {"repository": repository_id})).first()
        if self._sealer is None:
            return None
        try:
            secret = self._sealer.open(bytes(row.secret) if row is not None else self._decoy)
        except ValueError:
            return None
        return Found(row.hook_id, row.tenant_id, row.created_by, secret) if row is not None else None

    @property
    def nobodys(self) -> bytes:
        """The secret that a call of no hook is held against, so that it takes as long."""
        return self._nobodys

    async def note(self, hook: Found, outcome: str, at: datetime) -> None:
        """Say of a hook what the newest call came to, where nothing was begun."""
        async with self._database.of(hook.tenant_id) as connection:
            await connection.execute(_NOTE, {"hook": hook.hook_id, "outcome": outcome, "at": at})


async def take_in(connection: AsyncConnection, hook: Found, delivery: Delivery, outcome: str, at: datetime) -> None:
    """Take a delivery in the transaction that does what it asks for. Raises Repeated; ApiProblem where the hook ended.

    The hook's row is held, so that the same delivery twice at once is taken one after the other.
    """
    noted = await connection.execute(_NOTE, {"hook": hook.hook_id, "outcome": outcome, "at": at})
    if noted.first() is None:
        raise refused()
    values = {"hook": hook.hook_id, "digest": delivery.digest, "delivery": delivery.name}
    if (await connection.execute(_KNOWN, values)).first() is not None:
        raise Repeated
    await connection.execute(_TAKE, values | {"tenant": hook.tenant_id, "at": at})


def refused() -> ApiProblem:
    """What everybody is told who is not let in, whether there is such a hook or not."""
    return ApiProblem("push_hook_refused", "Check the address and the secret: nothing here takes what was sent.")


def _hook(row: Row[Any], *, works: bool) -> PushHook:
    known = {name: getattr(row, name) for name in PushHook.__dataclass_fields__ if name != "works"}
    return PushHook(**known, works=works)


def _gone() -> ApiProblem:
    return ApiProblem("not_found", "Check the id: no push hook of yours belongs to it.")
