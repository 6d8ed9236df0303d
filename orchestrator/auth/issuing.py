"""Make session tokens, and read them back: the signing keys, the standing of people and revocations put together."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from orchestrator.auth.identity import ALL_SCOPES, Identity, Proof, scopes_for
from orchestrator.auth.revocations import Revocations
from orchestrator.auth.signing_keys import SigningKeys
from orchestrator.auth.standing import Standings
from orchestrator.auth.tokens import AUDIENCE, FORM, ISSUERS, LIFE, Subject, Token, claims_of, token_of
from runtime.strict_jwt import BadToken, kid_of, read, sign


@dataclass(frozen=True)
class Issued:
    """A token and how many seconds it lives."""

    access_token: str
    expires_in: int


class SessionTokens:
    """Tokens of one installation. Signing one and reading one are the only ways they come and go."""

    def __init__(
        self,
        keys: SigningKeys,
        standings: Standings,
        revocations: Revocations,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.keys = keys
        self.revocations = revocations
        self._standings = standings
        self._clock = clock

    async def issue(
        self,
        user_id: UUID,
        tenant_id: UUID,
        sid: UUID,
        *,
        asked: frozenset[str] = ALL_SCOPES,
        until: float | None = None,
    ) -> Issued | None:
        """A token for what the person is in the tenant; None where they are nothing there, or `until` has passed."""
        standing = await self._standings.of(user_id, tenant_id)
        now = int(self._clock())
        life = LIFE if until is None else min(LIFE, int(until) - now)
        if standing is None or life <= 0:
            return None
        scopes = scopes_for(standing.role, admin=standing.admin, asked=asked)
        if not scopes:
            return None
        kid, key = await self.keys.signing()
        subject = Subject(user_id, tenant_id, scopes, sid, standing.github_id)
        claims = claims_of(subject, self.keys.use, jti=uuid4(), now=now, life=life)
        return Issued(sign(claims, key, kid, FORM), life)

    async def read(self, text: str) -> Token:
        """What a token says that is ours and not over. Raises BadToken. Asks nobody whether it was revoked."""
        key = await self.keys.find(kid_of(text, FORM))
        if key is None:
            raise BadToken("unknown key")
        claims = read(text, key, FORM, issuer=ISSUERS[self.keys.use], audience=AUDIENCE, now=int(self._clock()))
        return token_of(claims)

    async def identify(self, token: Token) -> Identity | None:
        """Whom a token lets in at this moment; None where the person is no longer what it says."""
        subject = token.subject
        standing = await self._standings.of(subject.user_id, subject.tenant_id)
        if standing is None:
            return None
        return Identity(
            user_id=subject.user_id,
            tenant_id=subject.tenant_id,
            name=standing.name,
            scopes=scopes_for(standing.role, admin=standing.admin, asked=subject.scopes),
            role=standing.role,
            proof=Proof.TOKEN,
            proof_id=subject.sid,
        )
