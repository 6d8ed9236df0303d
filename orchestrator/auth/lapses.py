"""Whose right has ended of those who were let in a while ago: asked of the database for all of them at once."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.auth.identity import Identity

_LAPSED = text("""
    SELECT h.place FROM unnest(CAST(:users AS uuid[]), CAST(:tenants AS uuid[]), CAST(:proofs AS text[]),
      CAST(:ids AS uuid[])) WITH ORDINALITY AS h (user_id, tenant_id, proof, id, place)
    WHERE NOT EXISTS (
        SELECT FROM auth.members m
        JOIN auth.users u ON u.user_id = m.user_id AND u.suspended_at IS NULL AND u.deleted_at IS NULL
        JOIN auth.tenants t ON t.tenant_id = m.tenant_id AND t.deleted_at IS NULL
        WHERE m.user_id = h.user_id AND m.tenant_id = h.tenant_id)
      OR h.proof = 'api_key' AND NOT EXISTS (
        SELECT FROM auth.api_keys k
        WHERE k.key_id = h.id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()))
      OR h.proof <> 'api_key' AND EXISTS (
        SELECT FROM auth.sessions s WHERE s.session_id = h.id AND (s.revoked_at IS NOT NULL OR s.expires_at <= now()))
      OR h.proof <> 'api_key' AND EXISTS (SELECT FROM auth.revocations r WHERE r.id = h.id AND r.until > now())
""")


async def lapsed(engine: AsyncEngine, people: Sequence[Identity]) -> set[int]:
    """The places in `people` of those who would not be let in any more: by standing, session, grant or key."""
    values = {
        "users": [who.user_id for who in people],
        "tenants": [who.tenant_id for who in people],
        "proofs": [who.proof.value for who in people],
        "ids": [who.proof_id for who in people],
    }
    async with engine.connect() as connection:
        return {int(place) - 1 for place in await connection.scalars(_LAPSED, values)}
