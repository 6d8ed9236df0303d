"""From what a person typed to what is analysed. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.api.models import AnalysisRequest
from runtime.faults import Permanent
from runtime.repository_url import RepositoryUrl, is_inner_path, is_loopback_authority, parse_repository_url
from runtime.upload_url import HOST, read_upload_url, upload_url

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.IGNORECASE)
_REF_BYTES = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,255}")


@dataclass(frozen=True)
class Wanted:
    """A checked repository and ref; no ref means the default branch, no folder the whole repository.

    `unsettled` is a ref that may be followed by a path, where only the host knows which is which. `commit` is what a
    look showed for the ref, `include` are patterns of what is read all the same. `content` is the SHA-256 of the
    uploaded archive that is meant instead of a host's repository.
    """

    repository: RepositoryUrl
    ref: str | None
    folder: str = ""
    unsettled: str | None = None
    commit: str | None = None
    include: tuple[str, ...] = ()
    content: str | None = None
    history: int = 0

    @property
    def known_commit(self) -> str | None:
        """The commit that will be read, where that is settled already."""
        return self.ref if self.ref is not None and is_commit(self.ref) else self.commit


@dataclass(frozen=True)
class Rules:
    """Which repositories may be analysed, and how many commits back their history may be read."""

    hosts: frozenset[str]
    loopback: bool
    history: int = 0


def read_host(raw: str, rules: Rules) -> str:
    """A host whose repositories may be read, as `Wanted` has it. Raises Permanent `host_not_allowed`, `bad_url`."""
    host = raw.strip().lower()
    return parse_repository_url(
        f"http://{host}/a" if rules.loopback and is_loopback_authority(host) else f"https://{host}/a/b",
        hosts=rules.hosts,
        loopback=rules.loopback,
    ).host


def read_request(request: AnalysisRequest, rules: Rules) -> Wanted:
    """The request, checked. What renews an earlier analysis has no more history than is read by now.

    Raises Permanent: `bad_url`, `credentials_in_url`, `host_not_allowed`, `bad_ref`, `bad_folder`, `bad_include`,
    `history_too_deep`.
    """
    if request.history > rules.history and request.after is None:
        raise Permanent("history_too_deep", f"History is read {rules.history:,} commits back at most: ask for fewer.")
    include = read_include(request.include)
    wanted = replace(_read_address(request, rules), include=include, history=min(request.history, rules.history))
    commit = (request.commit or "").lower() or None
    if commit is None or wanted.ref == commit:
        return wanted
    if wanted.ref is not None and is_commit(wanted.ref):
        raise Permanent("bad_ref", "The ref is another commit than the one that is named: leave one of them out.")
    return replace(wanted, commit=commit)


def _read_address(request: AnalysisRequest, rules: Rules) -> Wanted:
    if (upload := read_upload_url(request.url.strip())) is not None:
        return _read_upload(request, *upload)
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


def _read_upload(request: AnalysisRequest, sha256: str, name: str) -> Wanted:
    if read_ref(request.ref) is not None:
        raise Permanent("bad_ref", "An upload has no branches: leave the ref empty.")
    if request.history:
        raise Permanent("history_too_deep", "An upload has no history: ask for none.")
    return Wanted(
        RepositoryUrl(upload_url(sha256, name), HOST, name), None, read_folder(request.folder), content=sha256
    )


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


def read_include(lines: Sequence[str]) -> tuple[str, ...]:
    """Patterns of files that are to be read all the same; empty ones are dropped. Raises Permanent `bad_include`."""
    found = tuple(line for raw in lines if (line := raw.strip()))
    if any(not line.isprintable() or line.startswith("#") or line.strip("!/") == "" for line in found):
        raise Permanent("bad_include", "Give patterns as .gitignore has them, one for each, like third_party/zlib/.")
    return found


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
