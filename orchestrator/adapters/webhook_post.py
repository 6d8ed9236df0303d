"""One attempt: a POST to an address that was resolved and looked at here, and what came of it."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from orchestrator.webhooks.target import Target
from runtime.addresses import all_allowed, resolve
from runtime.redaction import redact

SECONDS = 10.0  # for all of it, resolving included
_RESOLVING = 16  # names at a time
ANSWER = 1_024  # bytes of it that are read and kept


@dataclass(frozen=True)
class Answer:
    """What an attempt came to. `code` is empty where it succeeded (2xx)."""

    status: int | None
    code: str
    text: str = ""


class WebhookPost:
    """Sends. It follows no redirect, uses no proxy, and connects to no address but the one it looked at."""

    def __init__(self, resolver: Callable[[str, int], list[str]] = resolve, *, seconds: float = SECONDS) -> None:
        self._resolve = resolver
        self._seconds = seconds
        # Of its own: a name server that says nothing keeps a thread for longer than any attempt lasts.
        self._threads = ThreadPoolExecutor(_RESOLVING, thread_name_prefix="webhook-names")
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(seconds),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(keepalive_expiry=0),
        )

    async def send(self, target: Target, headers: Mapping[str, str], body: bytes) -> tuple[Answer, float]:
        """Send `body`; the answer and the seconds it took. Raises nothing that the other side can cause."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._attempt(target, headers, body)
        except TimeoutError:
            answer = Answer(None, "webhook_timed_out")
        return answer, time.perf_counter() - began

    async def close(self) -> None:
        """Close its connections; names that are still asked for are left to themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._client.aclose()

    async def _attempt(self, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            loop = asyncio.get_running_loop()
            addresses = await loop.run_in_executor(self._threads, self._resolve, target.host, target.port)
        except (OSError, UnicodeError):
            return Answer(None, "webhook_unreachable")
        if not all_allowed(addresses, loopback=target.loopback):
            return Answer(None, "webhook_not_public")
        name = f"[{target.host}]" if ":" in target.host else target.host
        sent = {
            **headers,
            "host": name if target.port in {80, 443} else f"{name}:{target.port}",
            "content-type": "application/json",
            "user-agent": "Repostream-Webhooks",
        }
        address = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
        url = f"{target.scheme}://{address}:{target.port}{target.path}"
        extensions = {"sni_hostname": target.host}  # the certificate must be the name's
        try:
            async with self._client.stream("POST", url, headers=sent, content=body, extensions=extensions) as reply:
                return Answer(reply.status_code, _code(reply.status_code), await _first_bytes(reply))
        except httpx.TimeoutException:
            return Answer(None, "webhook_timed_out")
        except (httpx.HTTPError, httpx.InvalidURL):
            return Answer(None, "webhook_unreachable")


def _code(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return "webhook_redirects" if 300 <= status < 400 else "webhook_refused"


async def _first_bytes(reply: httpx.Response) -> str:
    """The beginning of the body as it came over the wire: nothing is decompressed."""
    found = b""
    try:
        async for part in reply.aiter_raw(ANSWER):
            found += part
            if len(found) >= ANSWER:
                break
    except httpx.HTTPError:  # the status has come, and that is what counts
        pass
    return redact(found[:ANSWER].decode("utf-8", "replace").replace("\x00", "\ufffd"))
