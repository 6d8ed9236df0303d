"""The identity provider: an API key, a sharing link, a session token, a browser's session, or the one user of a laptop.

A credential that is shown decides alone: a bad one is refused, also where the next kind would let somebody in.
"""

import structlog
from starlette.requests import HTTPConnection

from orchestrator.auth.accounts import Accounts
from orchestrator.auth.api_keys import START
from orchestrator.auth.identity import Identity, IdentityProvider, Proof, scopes_for
from orchestrator.auth.links import SHARE
from orchestrator.auth.revocations import Unknown
from orchestrator.auth.sessions import COOKIE
from orchestrator.auth.tokens import Token
from runtime.faults import Permanent, Transient
from runtime.strict_jwt import BadToken

_log = structlog.get_logger(__name__)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Credentials:
    """Looks at what a request shows. `local` is None wherever people sign in."""

    def __init__(self, accounts: Accounts, *, local: IdentityProvider | None) -> None:
        self._tokens = accounts.tokens
        self._keys = accounts.keys
        self._standings = accounts.standings
        self._sessions = accounts.sessions
        self._links = accounts.links
        self._local = local

    async def identify(self, connection: HTTPConnection) -> Identity:
        """Who is asking.

        Raises Permanent `not_signed_in`, `link_over` or `not_local`, Transient `sign_in_unavailable`.
        """
        shown = connection.headers.getlist("authorization")
        if shown:
            scheme, _, secret = shown[0].partition(" ")
            if len(shown) > 1 or scheme.lower() != "bearer":
                raise _refusal("Send one credential, as `Authorization: Bearer …`.")
            return await self._by_bearer(secret, connection)
        cookie = connection.cookies.get(COOKIE) if self._sessions is not None else None
        if cookie:
            return await self._by_session(cookie)
        if self._local is not None:
            return await self._local.identify(connection)
        raise _refusal("Sign in, or send an API key as `Authorization: Bearer …`.")

    async def _by_bearer(self, secret: str, connection: HTTPConnection) -> Identity:
        if secret.startswith(START):
            identity = await self._keys.identify(secret)
            if identity is None:
                raise _refusal("The API key is revoked, over, or none of this installation: make another.")
            return identity
        if secret.startswith(SHARE):
            identity = await self._links.identify(secret)
            if identity is None:
                raise Permanent("link_over", "It has ended, was taken back, or never was: ask whoever sent it.")
            return identity
        try:
            token = await self._tokens.read(secret)
        except BadToken as bad:
            _log.info("token_refused", reason=bad.reason)
            raise _refusal("The token is over, or none of this installation: get another.") from None
        await self._refuse_revoked(token, connection.scope.get("method", ""))
        identity = await self._tokens.identify(token)
        if identity is None:
            raise _refusal("The token is for somebody who is no member any more: sign in again.")
        return identity

    async def _refuse_revoked(self, token: Token, method: str) -> None:
        try:
            revoked = await self._tokens.revocations.any_revoked(token.subject.sid, token.jti)
        except Unknown:
            if method in _READING:
                return  # a read needs the database too; what cannot be undone waits
            raise Transient(
                "sign_in_unavailable", "Whether you are still signed in cannot be checked at the moment: try again."
            ) from None
        if revoked:
            raise _refusal("You were signed out: sign in again.")

    async def _by_session(self, secret: str) -> Identity:
        assert self._sessions is not None  # noqa: S101  # asked before
        session = await self._sessions.find(secret)
        standing = await self._standings.of(session.user_id, session.tenant_id) if session is not None else None
        if session is None or standing is None:
            raise _refusal("Your session is over: sign in again.")
        return Identity(
            user_id=session.user_id,
            tenant_id=session.tenant_id,
            name=standing.name,
            scopes=scopes_for(standing.role, admin=standing.admin),
            role=standing.role,
            proof=Proof.SESSION,
            proof_id=session.session_id,
        )


def _refusal(detail: str) -> Permanent:
    return Permanent("not_signed_in", detail)
