"""One question to a host's own API: a GET through our egress proxy, bounded in time and size, asked politely."""

import base64
import hashlib
import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from processor.ports import Login

_SECONDS = 4.0  # for each step of it
_ALL_SECONDS = 8.0  # for all of an answer, however slowly it comes
_MOST = 1_000_000  # bytes of an answer
_BLOCK = 65_536
_GRANTED = b"\x05\x00"
_LIMITED = frozenset({http.client.FORBIDDEN, http.client.TOO_MANY_REQUESTS})
_SHORTEST, _LONGEST = 60.0, 3_600.0  # seconds that a host is left alone which said that it was asked too often
_MOST_QUIET = 1_000
_NAMES_OF_TOKENS = frozenset({"x-access-token", "oauth2", "x-token-auth"})  # instead of a person's user name


class Quiet:
    """Whom not to ask for a while, because they said so: by host and by who is asking."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[bytes, float] = {}

    def holds(self, host: str, authorization: str) -> bool:
        """Whether the host is to be left alone."""
        return self._clock() < self._until.get(_who(host, authorization), 0.0)

    def keep(self, host: str, authorization: str, headers: Mapping[str, str], at: float) -> None:
        """Leave the host alone for as long as its headers say; `at` is the time in seconds since 1970."""
        wait = _number(headers.get("retry-after"))
        if wait is None and (reset := _number(headers.get("x-ratelimit-reset"))) is not None:
            wait = reset - at
        if len(self._until) >= _MOST_QUIET:
            self._until.clear()
        bounded = min(_LONGEST, max(_SHORTEST, wait if wait is not None else _SHORTEST))
        self._until[_who(host, authorization)] = self._clock() + bounded


@dataclass(frozen=True)
class Answer:
    """What a host said: JSON, and its headers with names in lower case."""

    said: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class ForgeApi:
    """How APIs are reached: `proxy` is the SOCKS proxy's port on loopback, `ca_file` what else is trusted."""

    proxy: Callable[[], int]
    ca_file: Path | None = None
    quiet: Quiet = field(default_factory=Quiet)

    def ask(self, scheme: str, authority: str, path: str, authorization: str = "") -> Answer:
        """What a GET is answered with. Raises OSError, ValueError and HTTPException. No redirect is followed."""
        parts = urlsplit(f"{scheme}://{authority}")
        host, port = parts.hostname or "", parts.port or (443 if scheme == "https" else 80)
        if self.quiet.holds(host, authorization):
            raise ValueError("The host asked to be left alone.")
        shown = {"Authorization": authorization} if authorization else {}
        with self._connected(host, port, is_secret=scheme == "https") as connection:
            caller = http.client.HTTPConnection(host, port, timeout=_SECONDS)
            caller.sock = connection
            caller.request("GET", path, headers={"Accept": "application/json", "User-Agent": "repostream", **shown})
            reply = caller.getresponse()
            headers = {name.lower(): value for name, value in reply.getheaders()}
            if reply.status in _LIMITED and _is_limit(reply.status, headers):
                self.quiet.keep(host, authorization, headers, time.time())
            if reply.status != http.client.OK:
                raise ValueError("The host does not say.")
            content = _read(reply)
        try:
            return Answer(json.loads(content), headers)
        except RecursionError:
            raise ValueError("The answer is nested too deeply.") from None

    def _connected(self, host: str, port: int, *, is_secret: bool) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.proxy()), timeout=_SECONDS)
        try:
            _ask_for(connection, host.encode("ascii"), port)
            if not is_secret:
                return connection
            context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file is not None else None)
            return context.wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise


def authorization_of(login: Login | None) -> str:
    """The header that shows a login to an API; empty where there is none."""
    if login is None:
        return ""
    if login.username in _NAMES_OF_TOKENS:
        return f"Bearer {login.password}"
    return "Basic " + base64.b64encode(f"{login.username}:{login.password}".encode()).decode()


def _is_limit(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a refusal means that too much was asked, and not that this may not be seen."""
    is_used_up = headers.get("x-ratelimit-remaining") == "0"
    return status == http.client.TOO_MANY_REQUESTS or is_used_up or "retry-after" in headers


def _read(reply: http.client.HTTPResponse) -> bytes:
    """The body. Raises ValueError where it is too long, TimeoutError where it comes too slowly."""
    found, until = bytearray(), time.monotonic() + _ALL_SECONDS
    while block := reply.read1(_BLOCK):
        found += block
        if len(found) > _MOST:
            raise ValueError("The answer is too long.")
        if time.monotonic() > until:
            raise TimeoutError
    return bytes(found)


def _who(host: str, authorization: str) -> bytes:
    return hashlib.sha256(f"{host} {authorization}".encode()).digest()


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() and len(text) < 12 else None


def _ask_for(connection: socket.socket, name: bytes, port: int) -> None:
    """Have the proxy connect: RFC 1928, by name. Raises OSError where it does not."""
    asked = b"\x05\x01\x00\x03" + bytes([len(name)]) + name + port.to_bytes(2, "big")
    connection.sendall(b"\x05\x01\x00" + asked)
    if _exactly(connection, 2) != _GRANTED or _exactly(connection, 10)[:2] != _GRANTED:
        raise ConnectionRefusedError


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        block = connection.recv(count - len(found))
        if not block:
            raise ConnectionResetError
        found += block
    return found
