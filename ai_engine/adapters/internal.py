"""Another service of this installation over HTTP."""

import asyncio
from collections.abc import Callable, Sequence

import httpx

from runtime.faults import Permanent, Transient

PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds: a service that restarts is back by then


class InternalHttp:
    """Posts to internal routes. Asks again after each of `pauses`; what does not come is the fault `unavailable`."""

    def __init__(  # what it asks, and how it fails
        self,
        base_url: str,
        headers: Callable[[], dict[str, str]],
        *,
        unavailable: Callable[[], Transient],
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        """`headers` makes those that a request shows who is asking by."""
        self._pauses = tuple(pauses)
        self._headers = headers
        self._unavailable = unavailable
        self._client = httpx.AsyncClient(base_url=base_url, timeout=httpx.Timeout(15.0, connect=3.0))

    async def post(self, path: str, body: dict[str, object]) -> httpx.Response:
        """The reply, whatever it says, once there is one that is no server error, or the pauses are over."""
        for pause in (*self._pauses, None):
            try:
                reply = await self._client.post(path, json=body, headers=self._headers())
                if reply.status_code < httpx.codes.INTERNAL_SERVER_ERROR or pause is None:
                    return reply
            except httpx.RequestError as error:
                # A server that took 15 seconds is there, and busy enough.
                if pause is None or isinstance(error, httpx.ReadTimeout):
                    raise self._unavailable() from error
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def successful(self, reply: httpx.Response) -> httpx.Response:
        """The reply, or the fault that its problem document names."""
        if reply.is_success:
            return reply
        if reply.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise self._unavailable()
        try:
            problem = reply.json()
            code, detail = str(problem["code"]), str(problem["detail"])
        except (ValueError, KeyError, TypeError) as error:
            raise Permanent("search_rejected", f"The search was rejected with status {reply.status_code}.") from error
        raise Permanent(code, detail)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()
