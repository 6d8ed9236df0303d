"""Sharing links: whoever has one sees one repository or one conversation of a tenant, until it ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.account import ShareMade, ShareRevoked
from events.base import Context
from orchestrator.auth.facts import Facts
from orchestrator.auth.identity import NOBODY, READ, Identity, Kind, Proof, Role, Shared
from orchestrator.auth.links import SHARE, hash_of, new_secret
from orchestrator.auth.standing import Remembered
from orchestrator.auth.tenants import gone
from runtime.faults import Permanent

LONGEST = timedelta(days=90)
MOST = 500  # open ones of a tenant
_OPEN = "revoked_at IS NULL AND expires_at > now()"
_COLUMNS = "share_id, kind, resource_id, created_by, created_at, expires_at, revoked_at"
_FIND = text("SELECT share_id, tenant_id, kind, resource_id FROM app.share_of(:hash)")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('shares ' || :tenant, 0))")
_COUNT = text(f"SELECT count(*) FROM app.shares WHERE tenant_id = :tenant AND {_OPEN}")  # noqa: S608  # constants of ours
_ADD = text(f"""
    INSERT INTO app.shares (share_id, tenant_id, secret_hash, kind, resource_id, created_by, expires_at)
    VALUES (:id, :tenant, :hash, :kind, :resource, :user, now() + CAST(:life AS interval)) RETURNING {_COLUMNS}
""")  # noqa: S608  # the same
_LIST = text(f"""
    SELECT {_COLUMNS} FROM app.shares WHERE tenant_id = :tenant AND {_OPEN}
      AND (CAST(:resource AS uuid) IS NULL OR resource_id = :resource)
      AND (CAST(:at AS timestamptz) IS NULL OR (created_at, share_id) < (:at, CAST(:last AS uuid)))
    ORDER BY created_at DESC, share_id DESC LIMIT :limit
""")  # noqa: S608  # the same
_ONE = text(f"SELECT {_COLUMNS} FROM app.shares WHERE tenant_id = :tenant AND share_id = :id AND {_OPEN} FOR UPDATE")  # noqa: S608  # the same
_REVOKE = text("UPDATE app.shares SET revoked_at = now() WHERE share_id = :id")


@dataclass(frozen=True)
class Share:
    """A link as the tenant sees it: never its secret."""

    share_id: UUID
    kind: Kind
    resource_id: UUID
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class SharingLinks:
    """Who has a link: asked of the database, and remembered for a few seconds."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._remembered: Remembered[bytes, Identity] = Remembered()

    async def identify(self, secret: str) -> Identity | None:
        """Nobody in particular, who may see one thing; None where the link is none, over or revoked."""
        digest = hash_of(SHARE, secret)
        if digest is None:
            return None
        known = self._remembered.get(digest)
        if known is not None:
            return known
        async with self._engine.connect() as connection:
            row = (await connection.execute(_FIND, {"hash": digest})).first()
        if row is None:
            return None
        return self._remembered.put(
            digest,
            Identity(
                user_id=NOBODY,
                tenant_id=row.tenant_id,
                name="",
                scopes=frozenset({READ}),
                role=Role.VIEWER,
                proof=Proof.SHARE,
                proof_id=row.share_id,
                shared=Shared(Kind(row.kind), row.resource_id),
            ),
        )

    def forget(self, share_id: UUID) -> None:
        """Ask again for a link: it was ended here just now."""
        self._remembered.forget(lambda who: who.proof_id == share_id)


class Shares:
    """`app.shares` of one tenant at a time."""

    def __init__(self, facts: Facts, links: SharingLinks) -> None:
        self._facts = facts
        self._links = links

    async def make(self, shared: Shared, life: timedelta, context: Context) -> tuple[Share, str]:
        """A new link with its secret, which nobody can see again. Raises Permanent `too_many_shares`."""
        secret = new_secret(SHARE)
        values: dict[str, object] = {"tenant": context.tenant_id, "user": context.user_id, "kind": shared.kind.value}
        values |= {"resource": shared.resource_id, "id": uuid4(), "hash": hash_of(SHARE, secret)}
        async with self._facts.of(context.tenant_id) as connection:
            await connection.execute(_LOCK, {"tenant": str(context.tenant_id)})
            if (await connection.execute(_COUNT, {"tenant": context.tenant_id})).scalar_one() >= MOST:
                raise Permanent("too_many_shares", f"{MOST} links are open: revoke one that is not needed.")
            made = _share((await connection.execute(_ADD, values | {"life": min(life, LONGEST)})).one())
            event = ShareMade(
                share_id=made.share_id, kind=made.kind.value, resource_id=made.resource_id, expires_at=made.expires_at
            )
            await self._facts.say_of_tenant(connection, event, context)
        return made, secret

    async def of(
        self, tenant_id: UUID, resource_id: UUID | None, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[Share]:
        """The tenant's open links, the newest first; those of one thing where its id is given."""
        at, last = after if after is not None else (None, None)
        values = {"tenant": tenant_id, "resource": resource_id, "at": at, "last": last, "limit": limit}
        async with self._facts.rows.of(tenant_id) as connection:
            return [_share(row) for row in await connection.execute(_LIST, values)]

    async def revoke(self, share_id: UUID, role: Role, context: Context) -> None:
        """Let a link show nothing any more. Raises Permanent `not_found`; `forbidden` for another member's."""
        async with self._facts.of(context.tenant_id) as connection:
            row = (await connection.execute(_ONE, {"tenant": context.tenant_id, "id": share_id})).first()
            if row is None:
                raise gone()
            if row.created_by != context.user_id and role is not Role.OWNER:
                raise Permanent("forbidden", "Only whoever made the link, or an owner, may end it.")
            await connection.execute(_REVOKE, {"id": share_id})
            await self._facts.say_of_tenant(connection, ShareRevoked(share_id=share_id), context)
        self._links.forget(share_id)


def _share(row: Row[Any]) -> Share:
    return Share(**{**row._mapping, "kind": Kind(row.kind)})
