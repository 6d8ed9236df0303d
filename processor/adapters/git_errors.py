"""What git's last words mean for the person who asked. Pure; git speaks plain English (LANG=C.UTF-8)."""

import re

from runtime.faults import Fault, Permanent, ResourceExhausted, Transient

_NOT_FOUND = Permanent(
    "repository_not_found",
    "There is no such repository, or you may not read it: check the address. A private one takes a token that may.",
)
_REFUSED = Permanent(
    "credential_refused",
    "The host refused the token: it is wrong, expired or revoked, or it may not read this repository.",
)
_LOGIN_REFUSED = re.compile(
    r"could not read (?:username|password)|authentication failed|returned error: (?:401|403)", re.IGNORECASE
)
# Of the host's own words these alone are believed: who says that of itself gains nothing. It says so, too, where its
# memory or its time did not suffice, so that another try is worth it.
_DAMAGED_THERE = re.compile(r"^remote: .*repository corruption on the remote side", re.MULTILINE)
_BROKE_OFF = Transient(
    "host_unreachable",
    "The host broke off, and says that its own copy of the repository may be damaged: another branch or commit may be "
    "whole, the rest is for whoever runs the host.",
)
_TOO_LARGE = Permanent(
    "repository_too_large",
    "The repository is larger than this installation reads (REPOSTREAM_INTAKE_CLONE_BYTES): ask the operator.",
)

# Signs of each fault. The first that matches wins, so the particular stands before the general.
_MEANINGS: tuple[tuple[tuple[str, ...], Fault], ...] = (
    (
        ("no space left on device", "disk quota exceeded"),
        ResourceExhausted("disk_full", "The disk of the worker is full: free some space and retry."),
    ),
    (("file too large", r"signal 25\b", "maximum allowed size"), _TOO_LARGE),
    (
        ("out of memory", "cannot allocate memory", "unable to create thread", "mmap failed"),
        ResourceExhausted("memory_limit", "Reading the repository needs more memory than a worker may use."),
    ),
    (
        (
            r"remote branch .* not found",
            "couldn't find remote ref",
            "not a commit",
            "non-commit object",
        ),
        Permanent("ref_not_found", "The repository has no such branch, tag or commit."),
    ),
    (
        (r"socks5 connection to \S* ?\(2\)",),
        Permanent("host_not_allowed", "That host does not lead to the public internet, so nothing is read from it."),
    ),
    (
        ("not our ref", "unadvertised object"),
        Permanent(
            "commit_not_offered",
            "The host does not give that commit out: it has none of that id, or it gives out only what branches and "
            "tags point at. Name a branch or a tag.",
        ),
    ),
    (
        (r"returned error: 30\d", "unable to update url base from redirection"),
        Permanent("repository_moved", "The host answered with a redirect: paste the repository's new address."),
    ),
    (
        (
            r"could not read (?:username|password)",
            "authentication failed",
            r"returned error: (?:401|403|404|410|451)",
            "repository '' not found",
            "is this a git repository",
        ),
        _NOT_FOUND,
    ),
    (
        ("operation too slow", r"less than \d+ bytes/sec"),
        Transient("clone_timeout", "The host sent almost nothing for 20 seconds: see whether it is well."),
    ),
    (
        ("certificate",),
        Transient("host_unreachable", "The host's certificate is not trusted, so nothing was read from it."),
    ),
    (
        (
            "could not resolve host",
            "failed to connect",
            "couldn't connect",
            r"connection (?:refused|reset|timed out)",
            r"returned error: (?:429|5\d\d)",
            "early eof",
            "rpc failed",
            "hung up",
            "unexpected disconnect",
            "empty reply",
            "socks5",
            "unable to access",
        ),
        Transient(
            "host_unreachable",
            "The host cannot be reached or broke off: see whether it is up, and whether this machine reaches it.",
        ),
    ),
    (
        ("fsck error", r"object [0-9a-f]{40,64}: \w+", "bad object", "index-pack (?:failed|died)", "broken"),
        Permanent("repository_damaged", "The repository holds objects that git's own checks refuse."),
    ),
)
_PATTERNS = tuple((re.compile("|".join(signs), re.IGNORECASE), fault) for signs, fault in _MEANINGS)
_QUOTED = re.compile(r"'[^'\n]*'")  # addresses and names: a repository may be called `broken`
_REMOTE = re.compile(r"^remote:.*$", re.MULTILINE)  # what the server wants us to read
_FILE_LIMIT_SIGNAL, _CPU_LIMIT_SIGNAL = 25, 24
_CRASHES = frozenset({4, 6, 7, 8, 11})  # illegal instruction, abort, bus, arithmetic, segmentation


def fault_of(status: int, said: str, *, with_login: bool = False) -> Fault:
    """The fault behind git's exit `status` (negative: a signal) and what it `said` on standard error.

    `with_login` says that the host was shown one, which it can refuse.
    """
    if status == -_FILE_LIMIT_SIGNAL:
        return too_large()
    if status == -_CPU_LIMIT_SIGNAL:
        return Permanent("repository_too_large", "Unpacking the repository takes more work than a worker may do.")
    if _DAMAGED_THERE.search(said):
        return _again(_BROKE_OFF)
    own_words = _QUOTED.sub("''", _REMOTE.sub("", said))
    if with_login and _LOGIN_REFUSED.search(own_words):
        return _again(_REFUSED)
    for pattern, fault in _PATTERNS:
        if pattern.search(own_words):
            return _again(fault)
    if -status in _CRASHES:
        return Permanent("repository_damaged", "git itself breaks on what the repository holds.")
    return Transient("clone_failed", "git could not read the repository; the log of the processor says more.")


def too_large() -> Fault:
    """The repository does not fit into the limits."""
    return _again(_TOO_LARGE)


def timed_out(seconds: float) -> Fault:
    """Reading the repository took too long."""
    return Transient(
        "clone_timeout", f"The repository was not read within {seconds:.0f} seconds: the host may be slow."
    )


def ref_not_found(ref: str) -> Fault:
    """No branch, tag or commit is called `ref`."""
    if re.fullmatch(r"[0-9a-f]{4,39}", ref):
        return Permanent(
            "ref_not_found", "The repository has no such branch or tag; give all 40 characters of a commit."
        )
    return Permanent("ref_not_found", "The repository has no such branch, tag or commit.")


def _again(fault: Fault) -> Fault:
    """A new one: an exception that is raised twice would carry the first one's traceback."""
    return type(fault)(fault.code, fault.message)
