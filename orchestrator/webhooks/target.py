"""Which addresses a webhook may have; where the host leads is looked at when it is called. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from orchestrator.auth.identity import is_loopback
from runtime.faults import Permanent

_PLAIN = re.compile(r"[\x21-\x7e]{1,2000}")
_NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_PORTS = frozenset({443, 8443})


@dataclass(frozen=True)
class Target:
    """Where to send to. `path` begins with a slash and holds the query; `loopback` means this machine."""

    scheme: str
    host: str
    port: int
    path: str
    loopback: bool

    @property
    def url(self) -> str:
        """The address, built anew from its parts."""
        default = 443 if self.scheme == "https" else 80
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port == default else f':{self.port}'}{self.path}"


def read_target(url: str, *, loopback: bool) -> Target:
    """The target in an address. Raises Permanent `bad_webhook_url`.

    With `loopback` this machine is allowed, over http too.
    """
    if not _PLAIN.fullmatch(url) or "\\" in url:
        raise _bad("It holds characters that an address does not have.")
    try:
        parts = urlsplit(url)
        host, given = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise _bad("It cannot be read.") from None
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _bad("Leave out user, password and fragment.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = given or (443 if parts.scheme == "https" else 80)
    if loopback and is_loopback(host) and parts.scheme in {"http", "https"}:
        return Target(parts.scheme, host, port, path, loopback=True)
    if parts.scheme != "https" or port not in _PORTS:
        raise _bad("It must begin with https:// and use port 443 or 8443.")
    if not _NAME.fullmatch(host):
        raise _bad("It must name a host on the public internet.")
    return Target("https", host, port, path, loopback=False)


def _bad(why: str) -> Permanent:
    return Permanent("bad_webhook_url", why)
