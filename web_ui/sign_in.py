"""A browser's session, traded for a token: the page server shows the orchestrator who it is, and the browser's secret.

The token stays in this process. Where nobody signs in (local mode), there is nothing to trade.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from runtime.client import ApiError
from runtime.client.client import local_problem, read_problem
from runtime.service_tokens import ServiceSigner

COOKIE = "__Host-sid"
_ORCHESTRATOR = "orchestrator"
_KNOWN = 60.0  # seconds that the ways to sign in are remembered
_AGAIN = 3.0  # seconds until they are asked for again where nobody answered
_EARLY = 60.0  # seconds before its end that a token is renewed
_UNAUTHENTICATED = 401
_SILENT = ("The analysis service does not answer", "It may be starting: try again in a few seconds.")


class Way(BaseModel):
    """A provider to sign in with."""

    name: str
    label: str


class _Traded(BaseModel):
    access_token: str
    expires_in: float


@dataclass(frozen=True)
class Token:
    """A session's token. `session` is the hash of the secret it was traded for, `renew_at` by the monotonic clock."""

    access_token: str
    session: str
    renew_at: float


class Entrance:
    """One for all sessions of this process."""

    def __init__(
        self,
        orchestrator_url: str,
        signer: ServiceSigner | None,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`signer` is None where this process has no key: then nobody can be let in, unless in local mode."""
        self._http = httpx.Client(
            base_url=orchestrator_url.rstrip("/"),
            timeout=httpx.Timeout(10.0, connect=3.0),
            trust_env=False,
            follow_redirects=False,
            transport=transport,
        )
        self._signer = signer
        self._clock = clock
        self._ways: tuple[Way, ...] = ()
        self._ask_at = float("-inf")

    def ways(self) -> tuple[Way, ...]:
        """The ways to sign in; none in local mode. The last known ones where the orchestrator does not say."""
        if self._clock() >= self._ask_at:
            try:
                reply = self._http.get("/auth/providers")
                self._ways = TypeAdapter(tuple[Way, ...]).validate_json(reply.raise_for_status().content)
                self._ask_at = self._clock() + _KNOWN
            except (httpx.HTTPError, ValidationError):
                self._ask_at = self._clock() + _AGAIN
        return self._ways

    def token(self, secret: str, kept: Token | None) -> Token | None:
        """The token of the session `secret`: `kept` while it lasts. None where the session is over. Raises ApiError."""
        session = hashlib.sha256(secret.encode()).hexdigest()
        if kept is not None and kept.session == session and self._clock() < kept.renew_at:
            return kept
        asked_at = self._clock()
        traded = self._trade(secret) if secret else None
        if traded is None:
            return None
        renew_at = asked_at + max(traded.expires_in - _EARLY, traded.expires_in / 2)
        return Token(traded.access_token, session, renew_at)

    def _trade(self, secret: str) -> _Traded | None:
        headers = self._signer.headers(_ORCHESTRATOR) if self._signer is not None else {}
        try:
            reply = self._http.post("/auth/token", json={"session": secret}, headers=headers)
            if reply.status_code == _UNAUTHENTICATED and read_problem(reply).code == "not_signed_in":
                return None
            if not reply.is_success:
                raise ApiError(read_problem(reply))
            return _Traded.model_validate_json(reply.content)
        except httpx.HTTPError as error:
            raise ApiError(local_problem("orchestrator_unreachable", *_SILENT, 502)) from error
        except ValidationError as error:
            raise ApiError(read_problem(reply)) from error

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()
