"""Stop who asks for too much, and say on every answer how much is left.

A person on their own machine is not limited. Everybody else is, by key, user and tenant; whoever shows no identity that
holds, by address.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.adapters.leases import Full, Leases
from orchestrator.adapters.rates import Charge, Rates
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.address import Network, origin_of, site_of
from orchestrator.auth.identity import Identity, Proof
from orchestrator.limits.rules import Resource, Rule, Subject, Subjects, whose
from orchestrator.limits.windows import Standing, headers_of, refusal, tightest
from orchestrator.progress.stream import when_over
from runtime.faults import Permanent
from runtime.service_tokens import ON_BEHALF, ServiceVerifier

_STREAM_WAIT = "5"  # seconds: one of the open streams may have ended by then
_OWING = 10_000  # subjects whose traffic is remembered until they come again
_BLOCKED = 10_000  # addresses that are refused without a look
_PAGE_SERVER = frozenset({"web_ui"})
_TAKEN = 10.0  # seconds that a token of the page server is not looked at again
Rules = Mapping[Resource, tuple[Rule, ...]]
_NO_RULES: tuple[Rule, ...] = ()


def subjects_of(who: Identity) -> Subjects:
    """Whom an identity counts for; nobody on their own machine. Who has a sharing link counts by address alone."""
    if who.proof is Proof.LOCAL:
        return {}
    found = {Subject.USER: str(who.user_id), Subject.TENANT: str(who.tenant_id)}
    return found | {Subject.KEY: str(who.proof_id)} if who.proof is Proof.API_KEY else found


class Gate:
    """Lets requests through, or raises ApiProblem `rate_limited`."""

    def __init__(
        self,
        rules: Rules,
        rates: Rates,
        leases: Leases,
        trusted: Sequence[Network] = (),
        callers: ServiceVerifier | None = None,
    ) -> None:
        """`trusted` are believed where a request comes from, and so is the page server, which `callers` knows."""
        self._rules = rules
        self._rates = rates
        self._leases = leases
        self._trusted = trusted
        self._callers = callers
        self._known = ("", 0.0)  # the last good token of the page server, and until when it is taken as it is
        self._owed: Counter[tuple[Subject, str]] = Counter()
        self._blocked: dict[str, tuple[float, Standing]] = {}

    def address_of(self, connection: HTTPConnection) -> str:
        """Where a request comes from, as far as the proxies that say so are trusted."""
        return self._origin(connection)[0]

    async def admit(self, request: Request, who: Identity) -> None:
        """Count one request of somebody, and what their earlier ones moved."""
        subjects = subjects_of(who) if who.shared is None else {Subject.ADDRESS: site_of(self.address_of(request))}
        _state(request.scope)["limited"] = subjects
        owed = {subject: self._owed.pop((subject, one), 0) for subject, one in subjects.items()}
        moved = [
            Charge(rule, one, cost=0, owed=owed[rule.subject])
            for rule, one in whose(self._of(Resource.BYTES), subjects)
        ]
        asked = [Charge(rule, one) for rule, one in whose(self._of(Resource.REQUESTS), subjects)]
        await self._take(request, [*asked, *moved])

    async def take(self, request: Request, who: Identity, resource: Resource) -> None:
        """Count one more of something that a request asks for."""
        await self._take_one(request, subjects_of(who), resource)

    async def refresh(self, request: Request, user_id: UUID) -> None:
        """Count one use of a refresh token of somebody's."""
        await self._take_one(request, {Subject.USER: str(user_id)}, Resource.REFRESHES)

    async def sign_in(self, request: Request) -> None:
        """Count one try to sign in from an address."""
        await self._take_one(request, {Subject.ADDRESS: site_of(self.address_of(request))}, Resource.SIGN_INS)

    async def sign_out(self, request: Request) -> None:
        """Count one sign-out from an address."""
        await self._take_one(request, {Subject.ADDRESS: site_of(self.address_of(request))}, Resource.SIGN_OUTS)

    async def pushed(self, request: Request) -> None:
        """Count one call of a push hook from an address."""
        await self._take_one(request, {Subject.ADDRESS: site_of(self.address_of(request))}, Resource.PUSHES)

    def check_address(self, request: Request) -> None:
        """Refuse an address that failed too often, before anything is looked up for it."""
        site = self._stoppable(request) if self._blocked else None
        if site is not None:
            until, standing = self._blocked.get(site, (0.0, None))
            if standing is not None and time.monotonic() < until:
                raise _refused(request, standing)
            self._blocked.pop(site, None)

    async def failed(self, request: Request) -> None:
        """Count a request whose identity does not hold; from then on the address may be refused for a while."""
        site = self._stoppable(request)
        if site is None:
            return
        charges = [Charge(rule, one) for rule, one in whose(self._of(Resource.FAILURES), {Subject.ADDRESS: site})]
        standings = await self._rates.take(charges)
        for standing in standings:
            if standing.wait is not None:
                if len(self._blocked) >= _BLOCKED:
                    del self._blocked[next(iter(self._blocked))]
                self._blocked[site] = time.monotonic() + standing.wait, standing
                raise _refused(request, standing)

    @asynccontextmanager
    async def held_stream(self, request: Request) -> AsyncIterator[None]:
        """Count a stream of whom `admit` let in, from before the block until the stream is over that it leads to."""
        subjects: Subjects = request.scope["state"]["limited"]
        try:
            end = await self._leases.begin(whose(self._of(Resource.STREAMS), subjects))
        except Full as full:
            detail = f"The limit is {full.rule.words}. Close one, or try again in {_STREAM_WAIT} s."
            raise ApiProblem("rate_limited", detail, {"Retry-After": _STREAM_WAIT}) from full
        try:
            yield
        finally:
            await when_over(request.scope, end)

    def owe(self, subjects: Subjects, size: int) -> None:
        """Remember `size` bytes that somebody moved until their next request."""
        for subject, one in {rule.subject: one for rule, one in whose(self._of(Resource.BYTES), subjects)}.items():
            if len(self._owed) >= _OWING and (subject, one) not in self._owed:
                del self._owed[next(iter(self._owed))]
            self._owed[subject, one] += size

    def _origin(self, connection: HTTPConnection) -> tuple[str, bool]:
        return origin_of(connection, self._trusted, vouched=self._is_page_server(connection))

    def _stoppable(self, request: Request) -> str | None:
        """The address that failures count against; None for that of a proxy, behind which are all the others."""
        address, is_proxy = self._origin(request)
        return None if is_proxy else site_of(address)

    def _is_page_server(self, connection: HTTPConnection) -> bool:
        shown = connection.headers.get(ON_BEHALF, "")
        if not shown or self._callers is None:
            return False
        known, until = self._known
        now = time.monotonic()
        if shown == known and now < until:
            return True
        try:
            self._callers.caller(shown, _PAGE_SERVER)
        except Permanent:
            return False
        self._known = shown, now + _TAKEN
        return True

    def _of(self, resource: Resource) -> tuple[Rule, ...]:
        return self._rules.get(resource, _NO_RULES)

    async def _take_one(self, request: Request, subjects: Subjects, resource: Resource) -> None:
        await self._take(request, [Charge(rule, one) for rule, one in whose(self._of(resource), subjects)])

    async def _take(self, request: Request, charges: Sequence[Charge]) -> None:
        standing = tightest(await self._rates.take(charges))
        if standing is None:
            return
        if standing.wait is not None:
            raise _refused(request, standing)
        _tell(request, standing)


def _state(scope: Scope) -> dict[str, object]:
    state: dict[str, object] = scope.setdefault("state", {})
    return state


def _tell(request: Request, standing: Standing) -> None:
    """Keep it for the answer's headers; of several the tightest."""
    state = _state(request.scope)
    known = state.get("standing")
    state["standing"] = tightest([standing, known]) if isinstance(known, Standing) else standing


def _refused(request: Request, standing: Standing) -> ApiProblem:
    _state(request.scope)["standing"] = standing
    return ApiProblem("rate_limited", refusal(standing))


class LimitHeaders:
    """ASGI middleware: `RateLimit-*` on every answer that was counted, and the size of the bodies in the books."""

    def __init__(self, app: ASGIApp, *, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; only HTTP is counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = _state(scope)
        moved = 0

        async def heard() -> Message:
            nonlocal moved
            message = await receive()
            moved += len(message.get("body", b""))
            return message

        async def told(message: Message) -> None:
            nonlocal moved
            standing = state.get("standing")
            if message["type"] == "http.response.start" and isinstance(standing, Standing):
                MutableHeaders(scope=message).update(headers_of(standing))
            moved += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, heard, told)
        finally:
            subjects = state.get("limited")
            if subjects and isinstance(subjects, Mapping):
                self._gate.owe(subjects, moved)
