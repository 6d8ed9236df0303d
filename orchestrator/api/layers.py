"""What stands around the routes, from the inside out. One list, so that the order can be read."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from orchestrator.api.dependencies import Services
from orchestrator.api.guard import Guard
from orchestrator.api.idempotency import KeepAnswers, Replayed, on_replayed
from orchestrator.api.limiting import LimitHeaders
from orchestrator.api.recording import RecordRequests
from orchestrator.audit.trail import Trail
from runtime.metrics import MeasureRequests


def layered(app: FastAPI, parts: Services, trail: Trail, *, hosts: frozenset[str], origins: frozenset[str]) -> ASGIApp:
    """`app` with all that a request passes before it gets there.

    What stands outside of `Guard` is kept in memory by every open stream; what stands inside is not.
    """
    app.add_exception_handler(Replayed, on_replayed)
    inner: ASGIApp = KeepAnswers(app.build_middleware_stack(), answers=parts.answers)
    inner = LimitHeaders(inner, gate=parts.gate)
    guarded = Guard(inner, hosts=hosts, origins=origins)
    return MeasureRequests(RecordRequests(guarded, trail=trail, address_of=parts.gate.address_of, clock=parts.clock))
