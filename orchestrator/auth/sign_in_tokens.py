"""A person's token of the host they signed in with, kept for one use: to ask the host what they themselves may read.

Kept sealed, only where it ends by itself, and only while the person is signed in somewhere; renewed shortly before its
end. No route and no event ever has it.
"""

import json
from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import derived_id
from orchestrator.auth.providers import UNAVAILABLE, Refusal, UserToken
from runtime.faults import Permanent, Transient
from runtime.sealing import Sealer

_EARLY = 300  # seconds before its end that a token is renewed
_SIGNED_IN = """
    EXISTS (SELECT FROM auth.users u WHERE u.user_id = t.user_id AND u.suspended_at IS NULL AND u.deleted_at IS NULL)
    AND EXISTS (SELECT FROM auth.sessions s
                WHERE s.user_id = t.user_id AND s.revoked_at IS NULL AND s.expires_at > now())
"""
_KEEP = text("""
    INSERT INTO auth.sign_in_tokens (token_id, user_id, host, sealed, renew_at, expires_at)
    VALUES (:id, :user, :host, :sealed, now() + make_interval(secs => :renew), now() + make_interval(secs => :life))
    ON CONFLICT (user_id, host) DO UPDATE SET sealed = excluded.sealed, kept_at = now(),
      renew_at = excluded.renew_at, expires_at = excluded.expires_at
""")
# Locked until the end: a refresh token is good once, and two clones may need it at the same moment.
_USE = text(f"""
    SELECT t.sealed, t.renew_at <= now() AS stale FROM auth.sign_in_tokens t
    WHERE t.token_id = :id AND t.user_id = :user AND t.host = :host AND t.expires_at > now() AND {_SIGNED_IN}
      AND EXISTS (SELECT FROM auth.members m WHERE m.user_id = t.user_id AND m.tenant_id = :tenant)
    FOR UPDATE OF t
""")  # noqa: S608  # constants of ours
_USED = text("UPDATE auth.sign_in_tokens SET used_at = now() WHERE token_id = :id")
_DROP = text("DELETE FROM auth.sign_in_tokens WHERE token_id = :id")
_FORGET = text(f"""
    DELETE FROM auth.sign_in_tokens t
    WHERE (CAST(:user AS uuid) IS NULL OR t.user_id = :user) AND (t.expires_at <= now() OR NOT ({_SIGNED_IN}))
""")  # noqa: S608  # constants of ours


class SignInTokens:
    """The tokens of everybody who signed in at one host."""

    def __init__(
        self, engine: AsyncEngine, sealer: Sealer, host: str, renew: Callable[[str], Awaitable[UserToken]]
    ) -> None:
        """`renew` trades a refresh token for the next token; it raises Refusal."""
        self._engine = engine
        self._sealer = sealer
        self._host = host
        self._renew = renew

    async def keep_in(self, connection: AsyncConnection, user_id: UUID, token: UserToken) -> None:
        """Keep a fresh token in place of the last one, in the caller's transaction."""
        token_id = id_of(user_id, self._host)
        content = [str(token_id), str(user_id), self._host, token.access, token.refresh]
        row = {"id": token_id, "user": user_id, "host": self._host}
        row |= {"sealed": self._sealer.seal(json.dumps(content).encode())}
        life = token.refresh_life if token.refresh else token.life
        await connection.execute(_KEEP, row | {"renew": max(0, token.life - _EARLY), "life": life})

    async def use(self, ref: UUID, *, tenant_id: UUID, user_id: UUID, host: str) -> str | None:
        """The person's token, renewed where its end is near. None where `ref` is none that may be used now.

        Raises Permanent `credential_gone` where the host renews it no more, Transient `github_unavailable`.
        """
        async with self._engine.begin() as connection:
            values = {"id": ref, "user": user_id, "host": host, "tenant": tenant_id}
            row = (await connection.execute(_USE, values)).first()
            if row is None:
                return None
            access, refresh = self._opened(row.sealed, ref, user_id, host)
            renewed = await self._renewed(refresh) if row.stale and refresh else None
            if row.stale and refresh and renewed is None:
                await connection.execute(_DROP, {"id": ref})
                access = ""
            if renewed is not None:
                access = renewed.access
                await self.keep_in(connection, user_id, renewed)
            await connection.execute(_USED, {"id": ref})
        if not access:
            raise _gone("GitHub does not renew what it said of you any more: sign in again, and begin a new analysis.")
        return access

    async def _renewed(self, refresh: str) -> UserToken | None:
        try:
            return await self._renew(refresh)
        except Refusal as refusal:
            if refusal.code == UNAVAILABLE:
                raise Transient(
                    "github_unavailable", "GitHub does not renew sign-ins at the moment: see whether it answers."
                ) from None
            return None

    def _opened(self, sealed: bytes, ref: UUID, user_id: UUID, host: str) -> tuple[str, str]:
        """Token and refresh token, if the row is the one that they were sealed for."""
        try:
            *bound, access, refresh = json.loads(self._sealer.open(bytes(sealed)))
        except ValueError:
            raise _gone("What you signed in with cannot be opened any more: sign in again.") from None
        if bound != [str(ref), str(user_id), host]:
            raise _gone("What you signed in with is not there any more: sign in again.")
        return str(access), str(refresh)


def id_of(user_id: UUID, host: str) -> UUID:
    """The id of a person's token at a host: the same after they signed in again."""
    return derived_id("sign-in token", user_id, host)


async def forget_unused(connection: AsyncConnection, user_id: UUID | None = None) -> None:
    """Throw away the tokens of whoever is signed in nowhere, suspended or gone; of one person, or of all."""
    await connection.execute(_FORGET, {"user": user_id})


def _gone(told: str) -> Permanent:
    return Permanent("credential_gone", told)
