"""What hosts say by their own APIs: how large a repository is, and how many commits one is ahead of another.

Whatever else happens, there is no number. For a size nobody's login is shown; for commits what the repository is read
with, and to nobody but its host.
"""

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from processor.adapters.forge_api import Answer, ForgeApi, authorization_of
from processor.ports import Ahead, Login

_KILO = 1_024
_LISTED = 100  # commits, by hosts that list them and do not count
_FAULTS = (OSError, ValueError, AttributeError, TypeError, http.client.HTTPException)


@dataclass(frozen=True)
class Forge:
    """How a kind of host is asked: the API's host where it is another one; for the size a path, and where it stands.

    `between` is the path for the commits of (name, base, head), `count` what the answer says of them.
    """

    host: str | None
    path: Callable[[str], str]
    read: Callable[[Mapping[str, Any]], object]
    unit: int
    between: Callable[[str, str, str], str]
    count: Callable[[Answer], Ahead]


def _listed(commits: Any, *, is_more: bool) -> Ahead:  # noqa: ANN401  # any JSON
    if not isinstance(commits, list):
        raise TypeError
    return Ahead(len(commits), is_least=is_more)


def _project(name: str) -> str:
    return f"/api/v4/projects/{quote(name, safe='')}"


KINDS: Mapping[str, Forge] = {
    "github": Forge(
        "api.github.com",
        "/repos/{}".format,
        lambda said: said.get("size"),
        _KILO,
        # The first page has the changed files, as many megabytes as they may be; the count is on each.
        "/repos/{}/compare/{}...{}?per_page=1&page=2".format,
        lambda answer: Ahead(answer.said.get("ahead_by")),
    ),
    "gitea": Forge(
        None,
        "/api/v1/repos/{}".format,
        lambda said: said.get("size"),
        _KILO,
        "/api/v1/repos/{}/compare/{}...{}".format,
        lambda answer: Ahead(answer.said.get("total_commits")),
    ),
    "bitbucket": Forge(
        "api.bitbucket.org",
        "/2.0/repositories/{}".format,
        lambda said: said.get("size"),
        1,
        lambda name, base, head: (
            f"/2.0/repositories/{name}/commits/{head}?exclude={base}&pagelen={_LISTED}&fields=next,values.hash"
        ),
        lambda answer: _listed(answer.said.get("values"), is_more="next" in answer.said),
    ),
    "gitlab": Forge(
        None,
        lambda name: f"{_project(name)}?statistics=true",
        lambda said: (said.get("statistics") or {}).get("repository_size"),
        1,
        lambda name, base, head: f"{_project(name)}/repository/commits?ref_name={base}..{head}&per_page={_LISTED}",
        lambda answer: _listed(answer.said, is_more=bool(answer.headers.get("x-next-page"))),
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
    """The hosts that are asked, by name, and how they are reached: `proxy` is the SOCKS proxy's port on loopback."""

    kinds: Mapping[str, str]
    proxy: Callable[[], int]
    ca_file: Path | None = None
    api: ForgeApi = field(init=False)

    def __post_init__(self) -> None:
        """Make the way to the APIs."""
        object.__setattr__(self, "api", ForgeApi(self.proxy, self.ca_file))

    def api_hosts(self) -> frozenset[str]:
        """The hosts that are asked besides those of the repositories."""
        return frozenset(host for kind in self.kinds.values() if (host := KINDS[kind].host) is not None)

    def size_of(self, url: str) -> int | None:
        """Bytes that the host says the repository at `url` has, history and all; None where it says nothing.

        Blocking, for some seconds at most. `url` was checked before.
        """
        parts = urlsplit(url)
        forge = self._forge(parts.netloc)
        if forge is None:
            return None
        try:
            answer = self.api.ask(parts.scheme, forge.host or parts.netloc, forge.path(parts.path.strip("/")))
            size = forge.read(answer.said)
        except _FAULTS:
            return None
        return size * forge.unit if isinstance(size, int) and not isinstance(size, bool) and size > 0 else None

    def ahead(self, url: str, base: str, head: str, login: Login | None = None) -> Ahead | None:
        """How many commits `head` has that `base` has not; None where the host does not say.

        Both are whole ids. `login` is shown to the repository's host, or to the API of its own name (`api.<host>`), and
        to no other. Blocking, for some seconds at most. `url` was checked before.
        """
        parts = urlsplit(url)
        forge = self._forge(parts.netloc)
        if forge is None:
            return None
        is_own = forge.host in {None, f"api.{parts.netloc.lower()}"}
        if login is not None and not is_own:
            return None
        path = forge.between(parts.path.strip("/"), base, head)
        try:
            answer = self.api.ask(parts.scheme, forge.host or parts.netloc, path, authorization_of(login))
            found = forge.count(answer)
        except _FAULTS:
            return None
        is_number = isinstance(found.commits, int) and not isinstance(found.commits, bool)
        return found if is_number and found.commits > 0 else None

    def _forge(self, authority: str) -> Forge | None:
        return KINDS.get(self.kinds.get(authority.lower(), ""))
