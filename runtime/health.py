"""`/healthz`, `/readyz` and `/metrics`, the same in every service.

Healthy means that the process turns its loop; ready means that what it needs answers. A service that is not ready is
not restarted, only spared: restarting it would not bring its database back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime import metrics as _metrics  # noqa: F401  # importing it registers what /metrics shows
from runtime.redaction import redact

Check = Callable[[], Awaitable[None]]
_TIMEOUT = 2.0


def health_routes(checks: Mapping[str, Check], *, timeout: float = _TIMEOUT) -> list[Route]:
    """The three routes. A check says that something answers by returning, and why not by raising.

    All checks run at once; each fails after `timeout` seconds. `/readyz` is 200 or 503, with each check's state,
    its time in seconds and, where it failed, its reason with all credentials taken out.
    """

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        results = await asyncio.gather(*(_run(check, timeout) for check in checks.values()))
        ready = all(result["ok"] for result in results)
        body = {"status": "ready" if ready else "not ready", "checks": dict(zip(checks, results, strict=True))}
        return JSONResponse(body, 200 if ready else 503)

    async def measured(_request: Request) -> Response:
        return Response(await asyncio.to_thread(generate_latest), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", measured)]


def lacking(status: int, said: object) -> str:
    """What a reply of another service's `/readyz` says is missing; empty where that service is ready."""
    if status == HTTPStatus.OK:
        return ""
    told = said if isinstance(said, dict) else {}
    checks = told.get("checks", {}).items()
    failed = [f"{name}: {check.get('reason', 'failed')}" for name, check in checks if not check["ok"]]
    return "; ".join(failed) or str(told.get("status", status))


async def _run(check: Check, timeout: float) -> dict[str, object]:  # noqa: ASYNC109  # one deadline for every check
    began = time.perf_counter()
    reason = ""
    try:
        async with asyncio.timeout(timeout):
            await check()
    except TimeoutError:
        reason = f"no answer within {timeout:g} s"
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the reason for not being ready
        reason = redact(f"{type(error).__name__}: {error}")[:300]
    seconds = round(time.perf_counter() - began, 4)
    return {"ok": True, "seconds": seconds} if not reason else {"ok": False, "seconds": seconds, "reason": reason}
