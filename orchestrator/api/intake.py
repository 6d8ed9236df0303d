"""From what a person typed to what is analysed. Pure."""

import re
from dataclasses import dataclass

from orchestrator.api.models import AnalysisRequest
from runtime.faults import Permanent
from runtime.repository_url import RepositoryUrl, is_loopback_authority, parse_repository_url

_REF_BYTES = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,255}")


@dataclass(frozen=True)
class Wanted:
    """A checked repository and ref; no ref means the default branch."""

    repository: RepositoryUrl
    ref: str | None


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
    """The request, checked. Raises Permanent: `bad_url`, `credentials_in_url`, `host_not_allowed`, `bad_ref`."""
    repository = parse_repository_url(request.url.strip(), hosts=rules.hosts, loopback=rules.loopback)
    return Wanted(repository, read_ref(request.ref))


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
    return ref
