"""The arguments and the environment that make git safe to point at a stranger's server. Pure.

Everything that git could pick up by itself (configuration, attributes, hooks, credentials, proxies, helpers, other
transports, redirects) is switched off by name. docs/decisions/0005-git.md says why each part is there.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_NULL = "/dev/null"
FETCHED = "refs/repostream/asked"  # a tag may be there, where below refs/heads git wants a commit
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\-][^\x00-\x20\x7f~^:?*\[\\]{0,254}")


@dataclass(frozen=True)
class Route:
    """How the host is reached: by which scheme, and through our egress proxy, which looks where that leads."""

    scheme: str
    proxy: str
    ca_file: Path | None = None


def is_sha(ref: str) -> bool:
    """Whether `ref` is a full commit id."""
    return _SHA.fullmatch(ref) is not None


def is_exact(ref: str) -> bool:
    """Whether `ref` names one thing alone: a commit's id, or a ref by its full name (`refs/tags/v1`)."""
    return is_sha(ref) or ref.startswith("refs/")


def full_names(ref: str) -> list[str]:
    """The refs that `ref` may be, the one that is taken first."""
    return [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]


def is_ref_name(ref: str) -> bool:
    """Whether `ref` may be the name of a branch or a tag, by the rules of `git check-ref-format`."""
    parts = ref.split("/")
    return (
        _REF.fullmatch(ref) is not None
        and ".." not in ref
        and "@{" not in ref
        and ref != "@"
        and not ref.endswith(".")
        and not any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    )


def environment(home: Path, *, scheme: str, path: str) -> dict[str, str]:
    """All that git's environment holds."""
    return {
        "PATH": path,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": _NULL,
        "GIT_CONFIG_GLOBAL": _NULL,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "SSH_ASKPASS": "false",
        "GIT_SSH_COMMAND": "false",
        "GIT_ALLOW_PROTOCOL": scheme,
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_LITERAL_PATHSPECS": "1",
    }


def login_environment(address: str, username: str, password: str) -> dict[str, str]:
    """What a process that talks to the host of `address` has in its environment besides: a header for it alone.

    By the environment, because arguments can be read by every user of the machine and files outlive the process.
    """
    parts = urlsplit(address)
    shown = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{parts.scheme}://{parts.netloc}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {shown}",
    }


def config(route: Route) -> dict[str, str]:
    """git's whole configuration, given with `-c`."""
    options = {
        "core.hooksPath": _NULL,
        "core.fsmonitor": "false",
        "core.symlinks": "false",
        "core.protectHFS": "true",
        "core.protectNTFS": "true",
        "core.attributesFile": _NULL,
        "core.packedGitWindowSize": "32m",
        "core.packedGitLimit": "256m",
        "core.bigFileThreshold": "16m",
        "credential.helper": "",
        "core.askPass": "",
        "http.followRedirects": "false",
        "http.lowSpeedLimit": "1000",
        "http.lowSpeedTime": "20",
        "http.proxy": route.proxy,
        "transfer.fsckObjects": "true",
        "fetch.fsck.badTimezone": "ignore",
        "fetch.fsck.zeroPaddedFilemode": "ignore",
        "fetch.fsck.missingSpaceBeforeDate": "ignore",
        "transfer.bundleURI": "false",
        "transfer.credentialsInUrl": "die",
        "submodule.recurse": "false",
        "fetch.recurseSubmodules": "false",
        "protocol.allow": "never",
        f"protocol.{route.scheme}.allow": "always",
        "protocol.version": "2",
        "gc.auto": "0",
        "maintenance.auto": "false",
        "init.templateDir": "",
        "init.defaultBranch": "main",
        "safe.bareRepository": "explicit",
        "pack.threads": "1",
        "advice.detachedHead": "false",
    }
    if route.ca_file is not None:
        options["http.sslCAInfo"] = str(route.ca_file)
    return options


def command(options: Mapping[str, str], *arguments: str, folder: Path | None = None) -> list[str]:
    """`git -c … [--git-dir=folder] arguments`."""
    argv = ["git"]
    for key, value in options.items():
        argv += ["-c", f"{key}={value}"]
    if folder is not None:
        argv.append(f"--git-dir={folder}")
    return [*argv, *arguments]


def clone(options: Mapping[str, str], url: str, folder: Path, branch: str | None, file_bytes: int) -> list[str]:
    """Fetch the newest commit of one branch or tag, without a work tree and without files above `file_bytes`."""
    fixed = [
        "--bare",
        "--depth=1",
        "--single-branch",
        "--no-tags",
        f"--filter=blob:limit={file_bytes + 1}",
        "--template=",
        "--progress",
    ]
    chosen = [f"--branch={branch}"] if branch is not None else []
    return command(options, "clone", *fixed, *chosen, "--", url, str(folder))


def init(options: Mapping[str, str], folder: Path, sha: str) -> list[str]:
    """An empty repository that one commit can be fetched into."""
    kind = "sha256" if is_sha(sha) and len(sha) == 64 else "sha1"
    return command(options, "init", "--quiet", "--bare", "--template=", f"--object-format={kind}", "--", str(folder))


def fetch(options: Mapping[str, str], url: str, folder: Path, exact: str, file_bytes: int) -> list[str]:
    """Fetch one commit by its id or by a ref's full name, as `clone` would, as `FETCHED`."""
    return _fetch(options, url, folder, ["--depth=1", f"--filter=blob:limit={file_bytes + 1}"], f"{exact}:{FETCHED}")


def fetch_past(options: Mapping[str, str], url: str, folder: Path, commit: str, depth: int) -> list[str]:
    """Fetch a commit with its trees and those of `depth - 1` generations before it, without any file's content.

    Without git's checks: old commits hold what they refuse today, and nothing of them is looked at but by `git log`.
    """
    options = {**options, "transfer.fsckObjects": "false"}
    fixed = [f"--depth={depth}", "--filter=blob:none"]
    return _fetch(options, url, folder, fixed, f"{commit}:{FETCHED}")


def fetch_objects(options: Mapping[str, str], url: str, folder: Path, *ids: str) -> list[str]:
    """Fetch objects that were left out. The host is not told what is here: it would leave them out again for that."""
    return _fetch({**options, "fetch.negotiationAlgorithm": "noop"}, url, folder, ["--filter=blob:none"], *ids)


def _fetch(options: Mapping[str, str], url: str, folder: Path, how: list[str], *what: str) -> list[str]:
    remote = {**options, "remote.origin.url": url}
    fixed = ["--no-tags", "--progress", "--no-write-fetch-head", *how]
    return command(remote, "fetch", *fixed, "--", "origin", *what, folder=folder)


def look_up(options: Mapping[str, str], url: str, branch: str | None) -> list[str]:
    """Ask which refs there are: HEAD and, where one is named, the branch or tag."""
    wanted = [] if branch is None else full_names(branch)
    return command(options, "ls-remote", "--symref", "--", url, "HEAD", *wanted)
