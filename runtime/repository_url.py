"""Read the address of a repository that a person typed: allow what is known to be harmless, refuse the rest.

The rules look at the raw text first, because `urlsplit` silently drops tabs, newlines and blanks, and because a
resolver reads `0x7f000001`, `127.1` or full-width digits as loopback. Whatever is used later is rebuilt from the parts
that passed; the raw text goes nowhere.
"""

import re
from dataclasses import dataclass

from runtime.faults import Permanent

MAX_LENGTH = 2_000
MAX_SEGMENTS = 8  # GitLab allows twenty levels of groups; nobody was seen to use more than five
_TWO_SEGMENT_HOSTS = frozenset({"github.com", "bitbucket.org", "codeberg.org"})

_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_SHORTHAND = re.compile(r"(?P<owner>[A-Za-z0-9][A-Za-z0-9-]{0,99})/(?P<name>[A-Za-z0-9._-]{1,100})")
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/]*)(?P<path>/.*)?")
_SEGMENT = re.compile(r"[A-Za-z0-9._-]{1,100}")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_PORT = re.compile(r"[1-9][0-9]{0,4}")


@dataclass(frozen=True)
class RepositoryUrl:
    """A checked address. `url` is rebuilt and canonical (no `.git`, no trailing slash); `name` is its path."""

    url: str
    host: str
    name: str


def parse_repository_url(raw: str, *, hosts: frozenset[str], loopback: bool) -> RepositoryUrl:
    """The repository that `raw` names: `https://host/owner/name`, `host/owner/name`, or `owner/name` on github.com.

    `hosts` are the allowed host names in lower case; `loopback` also allows http on this machine, for tests and for
    trying the product without a network. Raises Permanent: `bad_url`, `credentials_in_url`, `host_not_allowed`.
    """
    if not isinstance(raw, str) or not raw or len(raw) > MAX_LENGTH or not _PRINTABLE.fullmatch(raw) or "\\" in raw:
        raise _bad("The address has blanks, backslashes or unusual characters, or is empty or too long.")
    if (short := _SHORTHAND.fullmatch(raw)) is not None:
        raw = f"https://github.com/{short['owner']}/{short['name']}"
    elif raw.partition("/")[0].lower() in hosts:
        raw = f"https://{raw}"
    parts = _ADDRESS.fullmatch(raw)
    if parts is None:
        raise _bad("That is not the https address of a repository.")
    authority, path = parts["authority"], parts["path"] or ""
    if "@" in authority:
        raise Permanent(
            "credentials_in_url",
            "The address holds a user name or password: paste it without, as https://host/owner/name.",
        )
    if any(mark in path for mark in "?#%;"):
        raise _bad("The address has a query, a fragment or escaped characters.")
    if loopback and is_loopback_authority(authority):
        return _on_this_machine(parts["scheme"], authority, path)
    return _on_host(parts["scheme"], authority, path, hosts)


def is_loopback_authority(authority: str) -> bool:
    """Whether `host` or `host:port` names this machine, as a repository on it is named."""
    return authority.partition(":")[0].lower() in _LOOPBACK


def _on_this_machine(scheme: str, authority: str, path: str) -> RepositoryUrl:
    if scheme.lower() != "http":
        raise _bad("A repository on this machine is read over http.")
    host, colon, port = authority.lower().partition(":")
    if colon and (not _PORT.fullmatch(port) or int(port) > 65_535):
        raise _bad("The port is not a number between 1 and 65535.")
    name = "/".join(_segments(path, at_least=1))
    return RepositoryUrl(f"http://{host}{colon}{port}/{name}", f"{host}{colon}{port}", name)


def _on_host(scheme: str, authority: str, path: str, hosts: frozenset[str]) -> RepositoryUrl:
    if scheme.lower() != "https":
        raise _bad("Only https addresses are read.")
    host, colon, port = authority.lower().partition(":")
    if colon and port != "443":
        raise _bad("Only the standard https port is allowed.")
    if host not in hosts:
        allowed = ", ".join(sorted(hosts)) or "none"
        raise Permanent("host_not_allowed", f"That host is not one this installation reads from (allowed: {allowed}).")
    if not _HOST.fullmatch(host):  # an administrator's slip: an address or a bare word among the allowed hosts
        raise Permanent("host_not_allowed", "The host must be a full domain name.")
    segments = _segments(path, at_least=2)
    if host in _TWO_SEGMENT_HOSTS and len(segments) > 2:
        raise _bad("The address points into a repository; name a branch or commit in the ref field instead.")
    name = "/".join(segments)
    return RepositoryUrl(f"https://{host}/{name}", host, name)


def _segments(path: str, *, at_least: int) -> list[str]:
    """The parts of a repository's path, without a trailing slash and `.git`."""
    trimmed = path.removeprefix("/").removesuffix("/").removesuffix(".git")
    segments = trimmed.split("/")
    if len(segments) < at_least or not all(segments):
        raise _bad("The address does not name a repository.")
    if len(segments) > MAX_SEGMENTS or any(_is_bad_segment(segment) for segment in segments):
        raise _bad("The address does not name a repository: its path has parts that no repository has.")
    return segments


def _is_bad_segment(segment: str) -> bool:
    return (
        not _SEGMENT.fullmatch(segment)
        or segment in {"-", ".", ".."}
        or segment.startswith("-")
        or segment.lower() == ".git"
        or segment.endswith(".git")
    )


def _bad(problem: str) -> Permanent:
    return Permanent("bad_url", f"{problem} Paste it as https://host/owner/name.")
