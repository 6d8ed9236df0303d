"""Where git works on a repository: what may be read, a folder and limits for it, the login, and what its end means."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import structlog

from processor.adapters import git_recipe as recipe
from processor.adapters.git_errors import fault_of
from processor.adapters.git_process import GitFailed, GitLimits, Ground
from processor.adapters.workspace import Workspace
from processor.ports import Login, Watch
from runtime.faults import Fault
from runtime.redaction import redact

_log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
PERCENT = re.compile(r"^(Receiving objects|Resolving deltas): +(\d+)%")


@dataclass(frozen=True)
class GitPolicy:
    """What may be read: hosts, this machine or not, through which egress proxy, trusting which certificates besides."""

    hosts: frozenset[str]
    proxy: str
    loopback: bool = False
    ca_file: Path | None = None
    path: str = "/usr/local/bin:/usr/bin:/bin"
    limits: GitLimits = field(default_factory=GitLimits)


@contextmanager
def ground_of(
    policy: GitPolicy, workspace: Workspace, name: str, address: str, watch: Watch, seconds: float | None = None
) -> Iterator[tuple[Ground, dict[str, str]]]:
    """A folder to work in, for `seconds` at most where that is given, and git's configuration."""
    scheme = urlsplit(address).scheme
    with workspace.folder_for(name) as folder:
        home = folder / "home"
        home.mkdir()
        environment = recipe.environment(home, scheme=scheme, path=policy.path)
        limits = replace(policy.limits, seconds=min(seconds or policy.limits.seconds, policy.limits.seconds))
        ground = Ground(environment, limits, folder, time.monotonic() + limits.seconds, watch)
        yield ground, recipe.config(recipe.Route(scheme, policy.proxy, policy.ca_file))


def cut_off(git: Callable[..., bytes]) -> None:
    """Forget the server of the repository that `git` works in: what was not fetched is missing then, and not fatal."""
    kept = git("config", "--local", "--list", "--name-only", "-z").decode("utf-8", "replace").split("\0")
    if any(name.startswith("remote.origin.") for name in kept):
        git("config", "--local", "--remove-section", "remote.origin")
    for name in kept:
        if name == "extensions.partialclone":
            git("config", "--local", "--unset-all", name)


def online(ground: Ground, address: str, login: Login | None) -> Ground:
    """The same ground, with the login in the environment."""
    if login is None:
        return ground
    shown = recipe.login_environment(address, login.username, login.password)
    return replace(ground, environment={**ground.environment, **shown})


def with_or_without(ground: Ground, address: str, login: Login | None, ask: Callable[[Ground], Answer]) -> Answer:
    """What the host answers to the login; where it refuses that, to nobody: what is public needs none.

    A repository that nobody may read fails as it did with the login.
    """
    try:
        return ask(online(ground, address, login))
    except GitFailed as failure:
        if login is None or fault_of(failure.status, failure.said, with_login=True).code != "credential_refused":
            raise
        _log.warning("asked again without the login that the host refuses", said=redact(failure.said[-1_000:]))
        try:
            return ask(ground)
        except GitFailed:
            raise failure from None


def reported(failure: GitFailed, login: Login | None) -> Fault:
    """The fault that git's end was, after the log was told what git said."""
    fault = fault_of(failure.status, failure.said, with_login=login is not None)
    _log.warning("git failed", code=fault.code, status=failure.status, said=redact(failure.said[-1_000:]))
    return fault
