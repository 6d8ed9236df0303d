"""Hold families of refresh tokens, and those whom they are for, so that nothing is added to what is being ended.

Whoever needs several of these locks takes them in one order: families by their id, the person, the tenant, the
membership, and then rows of tokens. A refresh does the same for its one family. Whoever ends somebody holds the person,
tenant or membership `FOR UPDATE` once the families are held: a grant that begins at that moment is no family yet.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestrator.auth.revocations import revoke_in

_WHOSE = {
    (True, False): "user_id = :user",
    (False, True): "tenant_id = :tenant",
    (True, True): "user_id = :user AND tenant_id = :tenant",
}
_LIVING = {
    whose: text(f"""
        SELECT DISTINCT family_id FROM auth.refresh_tokens WHERE {which} AND revoked_at IS NULL ORDER BY family_id
    """)  # noqa: S608  # constants of ours
    for whose, which in _WHOSE.items()
}
_END = {
    whose: text(f"""
        UPDATE auth.refresh_tokens SET revoked_at = now() WHERE {which} AND revoked_at IS NULL RETURNING family_id
    """)  # noqa: S608  # the same
    for whose, which in _WHOSE.items()
}
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:family, 0))")
_STANDS = text("""
    SELECT 1 FROM auth.users u JOIN auth.members m ON m.user_id = u.user_id JOIN auth.tenants t USING (tenant_id)
    WHERE u.user_id = :user AND t.tenant_id = :tenant
      AND u.suspended_at IS NULL AND u.deleted_at IS NULL AND t.deleted_at IS NULL
    FOR KEY SHARE OF u, t, m
""")


async def lock_family(connection: AsyncConnection, family_id: UUID) -> None:
    """Hold a family until the transaction ends: nothing is added to it."""
    await connection.execute(_LOCK, {"family": str(family_id)})


async def hold_families(
    connection: AsyncConnection, *, user_id: UUID | None = None, tenant_id: UUID | None = None
) -> None:
    """Hold the living families of a person, of a tenant, or of a person in a tenant: their refreshes end first."""
    values = {"user": user_id, "tenant": tenant_id}
    found: Sequence[UUID] = (await connection.execute(_LIVING[_which(user_id, tenant_id)], values)).scalars().all()
    for family_id in found:
        await lock_family(connection, family_id)


async def end_families(
    connection: AsyncConnection, *, user_id: UUID | None = None, tenant_id: UUID | None = None
) -> list[UUID]:
    """End them with the session tokens that came of them; whoever commits it tells `Revocations` of these ids."""
    values = {"user": user_id, "tenant": tenant_id}
    ended = sorted({*(await connection.execute(_END[_which(user_id, tenant_id)], values)).scalars()})
    await revoke_in(connection, ended)
    return ended


async def stands(connection: AsyncConnection, user_id: UUID, tenant_id: UUID) -> bool:
    """Whether the person is a member who may come in, and stays so until the transaction ends."""
    found = await connection.execute(_STANDS, {"user": user_id, "tenant": tenant_id})
    return found.first() is not None


def _which(user_id: UUID | None, tenant_id: UUID | None) -> tuple[bool, bool]:
    return user_id is not None, tenant_id is not None
