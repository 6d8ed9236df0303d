"""How large a host says that a repository is: one question to the host's own API, through our egress proxy.

Nobody's login is shown, so that only public repositories have a size; whatever else happens, there is none.
"""

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

_SECONDS = 4.0
_MOST = 1_000_000  # bytes of an answer
_GRANTED = b"\x05\x00"
_KILO = 1_024


@dataclass(frozen=True)
class Forge:
    """How a kind of host is asked: the API's host where it is another one, the path, what the answer's size is in."""

    host: str | None
    path: Callable[[str], str]
    read: Callable[[Mapping[str, Any]], object]
    unit: int


KINDS: Mapping[str, Forge] = {
    "github": Forge("api.github.com", "/repos/{}".format, lambda said: said.get("size"), _KILO),
    "gitea": Forge(None, "/api/v1/repos/{}".format, lambda said: said.get("size"), _KILO),
    "bitbucket": Forge("api.bitbucket.org", "/2.0/repositories/{}".format, lambda said: said.get("size"), 1),
    "gitlab": Forge(
        None,
        lambda name: f"/api/v4/projects/{quote(name, safe='')}?statistics=true",
        lambda said: (said.get("statistics") or {}).get("repository_size"),
        1,
    ),
}


def read_forges(text: str) -> dict[str, str]:
    """`host=kind` separated by commas. Raises ValueError with a sentence."""
    pairs = [word.strip().partition("=") for word in text.split(",") if word.strip()]
    if any(kind not in KINDS for _, _, kind in pairs):
        raise ValueError(f"REPOSTREAM_INTAKE_FORGES must be host=kind, each kind one of {', '.join(sorted(KINDS))}.")
    return {host.lower(): kind for host, _, kind in pairs}


@dataclass(frozen=True)
class Forges:
    """The hosts that tell sizes, by name, and how they are reached: `proxy` is the SOCKS proxy's port on loopback."""

    kinds: Mapping[str, str]
    proxy: Callable[[], int]
    ca_file: Path | None = None

    def api_hosts(self) -> frozenset[str]:
        """The hosts that are asked besides those of the repositories."""
        return frozenset(host for kind in self.kinds.values() if (host := KINDS[kind].host) is not None)

    def size_of(self, url: str) -> int | None:
        """Bytes that the host says the repository at `url` has, history and all; None where it says nothing.

        Blocking, for some seconds at most. `url` was checked before.
        """
        parts = urlsplit(url)
        forge = KINDS.get(self.kinds.get(parts.netloc.lower(), ""))
        if forge is None:
            return None
        try:
            said = self._ask(parts.scheme, forge.host or parts.netloc, forge.path(parts.path.strip("/")))
            size = forge.read(said)
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            return None
        return size * forge.unit if isinstance(size, int) and not isinstance(size, bool) and size > 0 else None

    def _ask(self, scheme: str, authority: str, path: str) -> Mapping[str, Any]:
        """The object that a GET is answered with. Raises OSError and ValueError. No redirect is followed."""
        parts = urlsplit(f"{scheme}://{authority}")
        host, port = parts.hostname or "", parts.port or (443 if scheme == "https" else 80)
        with self._connected(host, port, is_secret=scheme == "https") as connection:
            caller = http.client.HTTPConnection(host, port, timeout=_SECONDS)
            caller.sock = connection
            caller.request("GET", path, headers={"Accept": "application/json", "User-Agent": "repostream"})
            reply = caller.getresponse()
            content = reply.read(_MOST)
        if reply.status != http.client.OK:
            raise ValueError("The host tells no size.")
        said = json.loads(content)
        return said if isinstance(said, dict) else {}

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
