"""What a repository's host says of its refs, by the processor, which alone has a way out to hosts."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from orchestrator.adapters.clone_logins import CloneLogin
from runtime.faults import Fault, Permanent, Transient

FRESH = timedelta(minutes=5)
_AGAIN = timedelta(minutes=1)  # after which a host that did not answer is asked again
_PATIENCE = 10.0  # seconds with a host: fewer than an answer of the API's has to begin, so that silence is heard, too
_MOST_HEARD = 2_000
Key = tuple[UUID, UUID, str, str | None, str]  # tenant, user, address, ref, the commit that is known
_SECONDS = 30.0  # the processor gives a host 20
_UNAVAILABLE = "Hosts cannot be asked at the moment: try again in a moment."


class Found(BaseModel):
    """What was found: the ref and the path that the request meant, the commit, and some of the refs there are.

    `commit` is what the host said, or the id that was asked for; whether that one exists is not known.
    `size` is in bytes. `ahead` is how many commits the host says that were added to the one that was known, so many
    or more with `ahead_or_more`.
    """

    ref: str | None
    path: str
    commit: str | None
    default_branch: str | None
    branches: list[str]
    tags: list[str]
    branch_count: int
    tag_count: int
    size: int | None = None
    ahead: int | None = None
    ahead_or_more: bool = False


class HeardOfRefs:
    """What hosts said some minutes ago, the latest of each question: a page that is looked at often asks them once.

    A host that did not answer is left alone for a minute, so that nobody waits for it at each look.
    """

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._heard: OrderedDict[Key, tuple[Found | Transient, datetime]] = OrderedDict()

    def known(self, key: Key, at: datetime) -> tuple[Found, datetime] | None:
        """What was heard, and when; None where that is too long ago. Raises the Transient of a minute ago."""
        heard, since = self._heard.get(key, (None, at))
        if isinstance(heard, Transient) and at - since < _AGAIN:
            raise _same(heard)
        return (heard, since) if isinstance(heard, Found) and at - since < FRESH else None

    async def keep(self, key: Key, asking: Awaitable[Found], at: datetime) -> tuple[Found, datetime]:
        """Remember what a host answers, or that it does not. Raises as `Lookups.find`, Transient `host_unreachable`."""
        try:
            async with asyncio.timeout(self._patience):
                found = await asking
        except TimeoutError:
            silent = Transient("host_unreachable", "The host is silent. It is asked again in a minute.")
            self._put(key, silent, at)
            raise _same(silent) from None
        except Transient as fault:  # a refusal is not remembered: it may be put right at once, by another token
            self._put(key, _same(fault), at)
            raise
        self._put(key, found, at)
        return found, at

    def _put(self, key: Key, heard: Found | Transient, at: datetime) -> None:
        self._heard[key] = (heard, at)
        self._heard.move_to_end(key)
        while len(self._heard) > _MOST_HEARD:
            self._heard.popitem(last=False)


class Lookups:
    """Asks each time: an answer that is a minute old may name a commit that is not the newest any more.

    Whoever can do with an older answer keeps them in `heard`.
    """

    def __init__(self, base_url: str, headers: Callable[[], dict[str, str]] | None) -> None:
        """`headers` makes those that show the processor who is asking; without them nothing is asked."""
        self.heard = HeardOfRefs()
        self._headers = headers
        self._client = httpx.AsyncClient(
            base_url=base_url, timeout=httpx.Timeout(_SECONDS, connect=3.0), trust_env=False, follow_redirects=False
        )

    async def find(
        self, url: str, *, ref: str | None, rest: str | None, login: CloneLogin | None, since: str | None = None
    ) -> Found:
        """What the host says; with `since`, how many commits were added to that one too.

        Raises the `Fault` that the processor names, Transient `preflight_unavailable`.
        """
        if self._headers is None:
            raise Transient("preflight_unavailable", "This orchestrator has no REPOSTREAM_SERVICE_KEY to ask with.")
        asked: dict[str, str | None] = {"url": url, "ref": ref, "rest": rest, "since": since}
        if login is not None:
            asked |= {"username": login.username, "password": login.password}
        try:
            reply = await self._client.post("/internal/refs", json=asked, headers=self._headers())
        except httpx.HTTPError:
            raise Transient("preflight_unavailable", _UNAVAILABLE) from None
        if not reply.is_success:
            raise _fault(reply)
        try:
            return Found.model_validate_json(reply.content)
        except ValidationError:
            raise Transient("preflight_unavailable", _UNAVAILABLE) from None

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()


def _same(fault: Transient) -> Transient:
    """Another of the same: one that was raised holds on to all that it went through."""
    return Transient(fault.code, fault.message)


def _fault(reply: httpx.Response) -> Fault:
    try:
        problem = reply.json()
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return Transient("preflight_unavailable", _UNAVAILABLE)
    if reply.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
        return Permanent(code, detail)
    known = reply.status_code == httpx.codes.SERVICE_UNAVAILABLE
    return Transient(code if known else "preflight_unavailable", detail if known else _UNAVAILABLE)
