"""A person's way in and out, put together: what the routes of `/auth` are handed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator.auth.flow import UnderWay, code_from, from_cookie, to_cookie
from orchestrator.auth.issuers import Issuers
from orchestrator.auth.people import Browser, People
from orchestrator.auth.providers import EXPIRED, Provider, Refusal
from orchestrator.auth.sessions import Session, Sessions
from orchestrator.auth.sign_in_tokens import SignInTokens
from runtime.sealing import Sealer

CALLBACK = "/auth/callback"


@dataclass(frozen=True)
class SignIn:
    """`public_url` is the pages' own address, `ended` is told at once which session is over."""

    providers: tuple[Provider, ...]
    public_url: str
    people: People
    issuers: Issuers
    sessions: Sessions
    sealer: Sealer
    clock: Callable[[], datetime]
    ended: Callable[[UUID], Awaitable[None]]
    tokens: SignInTokens | None = None  # None where no GitHub App asks for them

    async def leave(self, provider: str, then: str) -> tuple[str, str]:
        """The provider's address to go to, and the cookie to keep until the way back. Raises Refusal, LookupError."""
        chosen = self._named(provider) if provider else self.providers[0]
        away = await chosen.send_away(self._callback)
        under_way = UnderWay(chosen.name, away, then, self.clock().timestamp())
        return away.url, to_cookie(under_way, self.sealer)

    def recall(self, cookie: str | None) -> UnderWay:
        """Who left from this browser. Raises Refusal."""
        return from_cookie(cookie, self.sealer, self.clock().timestamp())

    async def come_back(self, under_way: UnderWay, answer: dict[str, str], browser: Browser) -> str:
        """Begin the session of whoever came back with `answer` (`state`, `code`, `error`). Raises Refusal."""
        code = code_from(
            under_way, state=answer.get("state", ""), given=answer.get("code", ""), error=answer.get("error", "")
        )
        try:
            provider = self._named(under_way.provider)
        except LookupError:
            raise Refusal(EXPIRED) from None  # it was taken out of the settings meanwhile
        profile = await provider.who(under_way.away, code, self._callback)
        await self.issuers.settle()
        return await self.people.let_in(profile, browser)

    async def end(self, session: Session, correlation_id: UUID) -> bool:
        """End a session and all tokens of it; whether it was there."""
        done = await self.people.let_out(session, correlation_id)
        if done:
            await self.ended(session.session_id)
        return done

    @property
    def _callback(self) -> str:
        return f"{self.public_url}{CALLBACK}"

    def _named(self, name: str) -> Provider:
        for provider in self.providers:
            if provider.name == name:
                return provider
        raise LookupError(name)
