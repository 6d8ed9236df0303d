"""A GitHub App (github.com, Enterprise, or a stand-in): tokens for one repository, for who may read it anyway.

The App may read more than any one person. So the person's own token decides first whether they may read the repository,
and what GitHub then says its id is, is what the App's token is made for.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import jwt
import structlog

from runtime.faults import Fault, Permanent, Transient

_log = structlog.get_logger(__name__)
_LIFE = 540  # seconds of the App's own token; GitHub takes ten minutes at most
_BEHIND = 60  # seconds that GitHub's clock may be behind ours
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "repostream"}
_PERMISSIONS = {"contents": "read", "metadata": "read"}
_UNAVAILABLE = "GitHub does not say at the moment who may read the repository: see whether it answers."


class GithubApp:
    """One App at one GitHub."""

    def __init__(self, *, app_id: str, key: Callable[[], str], api_url: str) -> None:
        """`key` is asked for the private key (PEM) before each use, so that it can be replaced while we run."""
        self._app_id = app_id
        self._key = key
        self._client = httpx.AsyncClient(
            base_url=api_url.rstrip("/"),
            timeout=httpx.Timeout(10.0, connect=3.0),
            follow_redirects=False,
            headers=_HEADERS,
        )

    async def token_for(self, user_token: str, name: str) -> str | None:
        """A token that reads `name` (`owner/name`) for an hour; None where the person may not, or need not have one.

        Raises Permanent `app_not_installed`, `github_app_refused`, and Transient `github_unavailable`.
        """
        repository_id = await self._private_id(user_token, name)
        if repository_id is None:
            return None
        installation = await self._as_app("GET", f"{_path(name)}/installation")
        body = {"repository_ids": [repository_id], "permissions": _PERMISSIONS}
        made = await self._as_app("POST", f"/app/installations/{_number(installation)}/access_tokens", body)
        token, granted = made.get("token"), made.get("permissions")
        named = [item.get("id") for item in made.get("repositories", [])]
        if not isinstance(token, str) or not token or granted != _PERMISSIONS or named != [repository_id]:
            raise _refused("an installation token came for something else than was asked for")
        return token

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def _private_id(self, user_token: str, name: str) -> int | None:
        """GitHub's id of a private repository that the person may read. Missing and forbidden are the same."""
        reply = await self._send("GET", _path(name), user_token)
        if reply.status_code in {301, 307, 308, 401, 403, 404, 451}:  # renamed: the clone says so
            return None
        found = _object(reply)
        return _number(found) if found.get("private") is not False else None

    async def _as_app(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        reply = await self._send(method, path, self._own_token(), body)
        if reply.status_code in {404, 422}:  # 422: installed, but not on this repository
            raise Permanent("app_not_installed", "The GitHub App is not installed on it: ask its owner.")
        if reply.is_client_error:
            raise _refused(f"{method} answered with status {reply.status_code}")
        return _object(reply)

    async def _send(
        self, method: str, path: str, token: str, body: Mapping[str, object] | None = None
    ) -> httpx.Response:
        shown = {"Authorization": f"Bearer {token}"}
        try:
            reply = await self._client.request(method, path, json=body, headers=shown)
        except httpx.HTTPError as error:
            _log.warning("github_unreachable", error=type(error).__name__)
            raise Transient("github_unavailable", _UNAVAILABLE) from None
        limited = reply.status_code in {403, 429} and _is_rate_limit(reply)
        if reply.is_server_error or limited:
            _log.warning("github_unavailable", status=reply.status_code)
            raise Transient("github_unavailable", _UNAVAILABLE)
        return reply

    def _own_token(self) -> str:
        now = int(time.time())
        claims = {"iat": now - _BEHIND, "exp": now + _LIFE, "iss": self._app_id}
        try:
            return jwt.encode(claims, self._key(), algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise _refused("its private key cannot be read") from None


def _path(name: str) -> str:
    return "/repos/" + "/".join(quote(part, safe="") for part in name.split("/"))


def _is_rate_limit(reply: httpx.Response) -> bool:
    spent = reply.headers.get("x-ratelimit-remaining") == "0"
    return reply.status_code == httpx.codes.TOO_MANY_REQUESTS or spent or "retry-after" in reply.headers


def _object(reply: httpx.Response) -> dict[str, Any]:
    try:
        found = reply.json() if reply.is_success else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Transient("github_unavailable", _UNAVAILABLE)
    return found


def _number(found: dict[str, Any]) -> int:
    number = found.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise Transient("github_unavailable", _UNAVAILABLE)
    return number


def _refused(why: str) -> Fault:
    _log.error("github_app_refused", reason=why)
    return Permanent("github_app_refused", "GitHub refuses the App of this installation: tell who looks after it.")
