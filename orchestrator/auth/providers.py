"""The port to whoever says who somebody is: a provider sends people away, and reads what they come back with."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import StarletteOAuth2App
from joserfc.errors import JoseError

_log = structlog.get_logger(__name__)
PATIENCE = 9.0  # seconds for all that a provider is asked at one sign-in
_MOST_TEXT = 200
_REFUSING = frozenset({400, 401, 403, 404, 422})


class Refusal(Exception):
    """Nobody is let in. `code` is one of docs/errors.md: EXPIRED, DENIED, …"""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


EXPIRED = "sign_in_expired"
DENIED = "sign_in_denied"
REFUSED = "sign_in_refused"
UNAVAILABLE = "provider_unavailable"
NOT_INVITED = "not_invited"
SUSPENDED = "account_suspended"


@dataclass(frozen=True)
class Away:
    """Somebody who was sent to a provider: where to, and what must be true of who comes back."""

    url: str
    state: str
    verifier: str
    nonce: str


@dataclass(frozen=True)
class UserToken:
    """A token that acts for a person at the provider, and ends by itself: after `life` seconds.

    `refresh` gets the next one for `refresh_life` seconds; empty where there is none.
    """

    access: str = field(repr=False)
    life: int
    refresh: str = field(default="", repr=False)
    refresh_life: int = 0


@dataclass(frozen=True)
class Profile:
    """Who somebody is: `subject` is their unchanging id at the `issuer`; login and name are for people to read.

    `token` is what the provider let us act with for them, where that is wanted.
    """

    provider: str
    issuer: str
    subject: str
    login: str
    name: str
    token: UserToken | None = None


class Provider(Protocol):
    """`name` stands in the database and never changes, `label` on the button.

    `issuer` says which GitHub or OpenID Connect provider it is: ids are its own.
    """

    name: str
    issuer: str
    label: str

    async def send_away(self, callback: str) -> Away:
        """Where to sign in. Raises Refusal."""
        ...

    async def who(self, away: Away, code: str, callback: str) -> Profile:
        """Who came back with `code`. Raises Refusal."""
        ...


@dataclass(frozen=True)
class Invited:
    """Who may come in: anybody where it is empty, else certain people, by their id or login, and organisations."""

    users: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()

    @property
    def is_anybody(self) -> bool:
        """Whether there is no list at all."""
        return not self.users and not self.organisations

    def names(self, subject: str, login: str) -> bool:
        """Whether a person is in the list of people. Digits are an id: a login may be the digits of somebody's id."""
        return subject in self.users or (not login.isdecimal() and login.lower() in self.users)


async def send_away(app: StarletteOAuth2App, callback: str) -> Away:
    """An address at the provider with a fresh state, PKCE challenge and nonce."""
    async with understood("authorize"):
        begun = await app.create_authorization_url(callback)
        return Away(begun["url"], begun["state"], begun["code_verifier"], begun.get("nonce", ""))


async def exchange(app: StarletteOAuth2App, away: Away, code: str, callback: str) -> dict[str, Any]:
    """The provider's token for `code`. To be called inside `understood`."""
    token: dict[str, Any] = await app.fetch_access_token(callback, code=code, code_verifier=away.verifier)
    if not isinstance(token.get("access_token"), str) or not token["access_token"]:
        raise ValueError("no access token")
    return token


@asynccontextmanager
async def understood(step: str) -> AsyncIterator[None]:
    """Turn whatever goes wrong between a provider and us into a Refusal; its own words only go to the log."""
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except (TimeoutError, httpx2.HTTPError) as error:
        status = error.response.status_code if isinstance(error, httpx2.HTTPStatusError) else None
        _log.warning("provider_unavailable", step=step, status=status, error=repr(error)[:_MOST_TEXT])
        raise Refusal(REFUSED if status in _REFUSING else UNAVAILABLE) from error
    except (AuthlibBaseError, JoseError) as error:
        _log.warning("provider_refused", step=step, error=repr(error)[:_MOST_TEXT])
        raise Refusal(REFUSED) from error
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        _log.warning("provider_not_understood", step=step, error=type(error).__name__)
        raise Refusal(UNAVAILABLE) from error


def plain(value: object, instead: str = "") -> str:
    """A provider's text, fit to be stored and shown; `instead` where there is none."""
    words = value[:_MOST_TEXT] if isinstance(value, str) else ""
    return "".join(letter for letter in words if letter.isprintable()).strip() or instead


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same, found out in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


CLIENT = {
    "code_challenge_method": "S256",
    "token_endpoint_auth_method": "client_secret_post",  # by default it is Basic, which GitHub does not document
    "follow_redirects": False,
    "timeout": 5.0,
}
