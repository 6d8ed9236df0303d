"""Logins for private repositories, from the orchestrator. The adapter of `ports.Logins`."""

from collections.abc import Callable
from uuid import UUID

import httpx

from processor.ports import Login
from runtime.faults import Fault, Permanent, Transient

_UNAVAILABLE = "The token for the repository cannot be fetched at the moment: see whether GitHub answers."


class HttpLogins:
    """Asks the orchestrator each time: a login lives no longer here than the clone that it is for."""

    def __init__(self, base_url: str, headers: Callable[[], dict[str, str]]) -> None:
        """`headers` makes those that show the orchestrator who is asking."""
        self._headers = headers
        self._client = httpx.AsyncClient(
            base_url=base_url, timeout=httpx.Timeout(30.0, connect=3.0), trust_env=False, follow_redirects=False
        )

    async def login_for(self, analysis_id: UUID) -> Login | None:
        """As `ports.Logins.login_for`."""
        try:
            reply = await self._client.post(
                "/internal/clone-login", json={"analysis_id": str(analysis_id)}, headers=self._headers()
            )
        except httpx.HTTPError:
            raise Transient("credential_unavailable", _UNAVAILABLE) from None
        if reply.status_code == httpx.codes.NO_CONTENT:
            return None
        if not reply.is_success:
            raise _fault(reply)
        try:
            body = reply.json()
            return Login(str(body["username"]), str(body["password"]))
        except (ValueError, KeyError, TypeError):
            raise Transient("credential_unavailable", _UNAVAILABLE) from None

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()


def _fault(reply: httpx.Response) -> Fault:
    """What the problem document names: a busy orchestrator is asked again, a refusal stands."""
    try:
        problem = reply.json()
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return Transient("credential_unavailable", _UNAVAILABLE)
    if reply.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        known = code == "github_unavailable"
        return Transient(code if known else "credential_unavailable", detail if known else _UNAVAILABLE)
    return Permanent(code, detail)
