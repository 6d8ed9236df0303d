"""From what a person typed to what is analysed. Pure."""

import re
from dataclasses import dataclass

from orchestrator.api.models import AnalysisRequest
from runtime.faults import Permanent
from runtime.repository_url import RepositoryUrl, is_inner_path, is_loopback_authority, parse_repository_url

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.IGNORECASE)
_REF_BYTES = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,255}")


@dataclass(frozen=True)
class Wanted:
    """A checked repository and ref; no ref means the default branch, no folder the whole repository.

    `unsettled` is a ref that may be followed by a path, where only the host knows which is which.
    """

    repository: RepositoryUrl
    ref: str | None
    folder: str = ""
    unsettled: str | None = None


@dataclass(frozen=True)
class Rules:
    """Which repositories may be analysed."""

    hosts: frozenset[str]
    loopback: bool


def read_host(raw: str, rules: Rules) -> str:
    """A host whose repositories may be read, as `Wanted` has it. Raises Permanent `host_not_allowed`, `bad_url`."""
    host = raw.strip().lower()
    return parse_repository_url(
        f"http://{host}/a" if rules.loopback and is_loopback_authority(host) else f"https://{host}/a/b",
        hosts=rules.hosts,
        loopback=rules.loopback,
    ).host


def read_request(request: AnalysisRequest, rules: Rules) -> Wanted:
    """The request, checked.

    Raises Permanent: `bad_url`, `credentials_in_url`, `host_not_allowed`, `bad_ref`, `bad_folder`.
    """
    repository = parse_repository_url(request.url.strip(), hosts=rules.hosts, loopback=rules.loopback)
    ref, folder = read_ref(request.ref), read_folder(request.folder)
    if repository.inside is None:
        return Wanted(repository, ref, folder)
    parts = split_ref(repository.inside.rest, ref)
    if parts is None:
        return Wanted(repository, None, folder, repository.inside.rest)
    named, path = parts
    pointed = "" if repository.inside.is_file else read_folder(path)
    if folder and pointed and folder != pointed:
        raise Permanent("bad_folder", "The address names another folder than the request does: leave one of them out.")
    return Wanted(repository, read_ref(named), folder or pointed)


def split_ref(rest: str, ref: str | None) -> tuple[str, str] | None:
    """The ref and the path in `rest`, which begins with `ref` where that is known; None where only the host knows.

    Raises Permanent `bad_ref` where the address says something else than the request.
    """
    first, _, path = rest.partition("/")
    if ref is not None:
        if rest != ref and not rest.startswith(f"{ref}/"):
            raise Permanent("bad_ref", "The address names another ref than the request does: leave one of them out.")
        return ref, rest[len(ref) + 1 :]
    if path and not _COMMIT.fullmatch(first):
        return None
    return (first.lower() if _COMMIT.fullmatch(first) else first), path


def is_commit(ref: str) -> bool:
    """Whether `ref` is the whole id of a commit."""
    return _COMMIT.fullmatch(ref) is not None


def read_folder(raw: str | None) -> str:
    """A folder inside a repository, without slashes around it; empty for all. Raises Permanent `bad_folder`."""
    folder = (raw or "").strip().removeprefix("./").strip("/")
    if not folder or folder == ".":
        return ""
    if not is_inner_path(folder):
        raise Permanent("bad_folder", "Name a folder by its path from the top of the repository, like src/package.")
    return folder


def read_ref(raw: str | None) -> str | None:
    """A ref as git allows its names; None for an empty one. Raises Permanent `bad_ref`."""
    ref = (raw or "").strip()
    if not ref:
        return None
    parts = ref.split("/")
    if (
        not _REF_BYTES.fullmatch(ref)
        or ref.startswith("-")
        or ".." in ref
        or "@{" in ref
        or any(not part or part.startswith(".") or part.endswith((".lock", ".")) for part in parts)
    ):
        raise Permanent("bad_ref", "Name a branch, a tag or a commit as git writes it, or leave it empty.")
    return ref.lower() if _COMMIT.fullmatch(ref) else ref
