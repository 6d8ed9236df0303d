"""A sign-in under way: what the browser keeps, sealed, between leaving for a provider and coming back."""

import json
from dataclasses import asdict, dataclass
from urllib.parse import quote, urlsplit

from orchestrator.auth.providers import DENIED, EXPIRED, REFUSED, Away, Refusal, same
from runtime.sealing import Sealer

COOKIE = "__Host-sign-in"
LIFE = 600  # seconds to sign in at the provider
_MOST_COOKIE = 4_000
_MOST_PATH = 1_000
_MOST_CODE = 1_000


@dataclass(frozen=True)
class UnderWay:
    """Who was sent away where, when (Unix seconds), and the page that they want to see afterwards."""

    provider: str
    away: Away
    then: str
    at: float


def to_cookie(under_way: UnderWay, sealer: Sealer) -> str:
    """The value of the cookie. The address at the provider is not needed again."""
    kept = asdict(under_way)
    kept["away"]["url"] = ""
    return sealer.seal(json.dumps(kept).encode()).decode()


def from_cookie(cookie: str | None, sealer: Sealer, now: float) -> UnderWay:
    """What the browser kept. Raises Refusal EXPIRED where that is nothing of ours, or from too long ago."""
    if not cookie or len(cookie) > _MOST_COOKIE:
        raise Refusal(EXPIRED)
    try:
        kept = json.loads(sealer.open(cookie.encode()))
        under_way = UnderWay(**{**kept, "away": Away(**kept["away"])})
    except (ValueError, TypeError, KeyError) as error:
        raise Refusal(EXPIRED) from error
    if not 0 <= now - under_way.at <= LIFE:
        raise Refusal(EXPIRED)
    return under_way


def code_from(under_way: UnderWay, *, state: str, given: str, error: str) -> str:
    """The code in a callback that belongs to this browser's own sign-in. Raises Refusal."""
    if not state or not same(state, under_way.away.state):
        raise Refusal(EXPIRED)
    if error:
        raise Refusal(DENIED if error == "access_denied" else REFUSED)
    if not given or len(given) > _MOST_CODE:
        raise Refusal(REFUSED)
    return given


def page_of_ours(then: str) -> str:
    """The page to go on to: a path of this site, or the start page for whatever else it might be."""
    if len(then) > _MOST_PATH or not then.startswith("/") or then.startswith(("//", "/auth/", "/api/")):
        return "/"
    if "\\" in then or not then.isascii() or not then.isprintable() or " " in then:
        return "/"
    parts = urlsplit(then)
    return then if not parts.scheme and not parts.netloc else "/"


def page_after(code: str) -> str:
    """The start page, which says why nobody came in."""
    return f"/?sign_in={quote(code, safe='')}"
