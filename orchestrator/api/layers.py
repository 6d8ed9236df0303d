"""What stands around the routes, from the inside out. One list, so that the order can be read."""

from typing import Protocol

from fastapi import FastAPI
from starlette.types import ASGIApp

from orchestrator.api.compressing import CompressReads
from orchestrator.api.dependencies import Services
from orchestrator.api.freshness import ConditionalReads, NotModified, on_not_modified
from orchestrator.api.guard import Guard
from orchestrator.api.idempotency import KeepAnswers, Replayed, on_replayed
from orchestrator.api.limiting import LimitHeaders
from orchestrator.api.recording import RecordRequests
from orchestrator.audit.trail import Trail
from runtime.metrics import MeasureRequests
from runtime.security_headers import is_https


class Reachable(Protocol):
    """By which names the service may be called, and which pages elsewhere may ask."""

    @property
    def host_names(self) -> frozenset[str]:
        """Host names besides those of loopback."""
        ...

    @property
    def origins(self) -> frozenset[str]:
        """Origins, each exactly."""
        ...


def layered(app: FastAPI, parts: Services, trail: Trail, reach: Reachable, public_url: str) -> ASGIApp:
    """`app` with all that a request passes before it gets there."""
    app.add_exception_handler(Replayed, on_replayed)
    app.add_exception_handler(NotModified, on_not_modified)
    inner: ASGIApp = KeepAnswers(app.build_middleware_stack(), answers=parts.answers)
    inner = CompressReads(ConditionalReads(inner))
    inner = LimitHeaders(inner, gate=parts.gate)
    guarded = Guard(inner, hosts=reach.host_names, origins=reach.origins, https=is_https(public_url))
    return MeasureRequests(RecordRequests(guarded, trail=trail, address_of=parts.gate.address_of, clock=parts.clock))
