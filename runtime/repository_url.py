"""Read the address of a repository that a person typed: allow what is known to be harmless, refuse the rest.

The rules look at the raw text first, because `urlsplit` silently drops tabs, newlines and blanks, and because a
resolver reads `0x7f000001`, `127.1` or full-width digits as loopback. Whatever is used later is rebuilt from the parts
that passed; the raw text goes nowhere.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from runtime.faults import Permanent

MAX_LENGTH = 2_000
MAX_SEGMENTS = 8  # GitLab allows twenty levels of groups; nobody was seen to use more than five
_TWO_SEGMENT_HOSTS = frozenset({"github.com", "bitbucket.org", "codeberg.org"})
_CASELESS_HOSTS = _TWO_SEGMENT_HOSTS | {"gitlab.com"}

_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_SHORTHAND = re.compile(r"(?P<owner>[A-Za-z0-9][A-Za-z0-9-]{0,99})/(?P<name>[A-Za-z0-9._-]{1,100})")
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/]*)(?P<path>/.*)?")
# As hosts offer it for SSH: the same repository is read over https, where no key is needed.
_SSH = re.compile(
    r"(?:ssh://git@(?P<of_url>[A-Za-z0-9.-]+)(?::22)?/|git@(?P<short>[A-Za-z0-9.-]+):)(?P<path>[^/:][^:]*)"
)
_SEGMENT = re.compile(r"[A-Za-z0-9._-]{1,100}")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_PAGES = frozenset({"tree", "blob", "commit"})  # words that GitHub and GitLab give no repository as a name
_COMMIT = re.compile(r"[0-9A-Fa-f]{4,64}")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\\\\\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
# What hosts' pages add for themselves: how they show what is there, and which place of it.
_PLACE = r"(?:#[\w%:,.-]{1,300})?"
_TAB = r"tab=[\w.-]{1,80}-ov-file"  # GitHub's README, licence and their like below the files
_SHOWN = re.compile(rf"(?:\?(?:ref_type=(?:heads|tags)|plain=1|{_TAB})(?:&plain=1)?)?{_PLACE}", re.ASCII)
_SHOWN_OF_ALL = re.compile(rf"(?:\?{_TAB})?{_PLACE}", re.ASCII)  # where a repository's own page is shown
_HALF_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_EXTRAS = "The address has a query or a fragment: leave it out."
_Page = tuple[int, str, int]
_GITEA = frozenset({"branch", "tag", "commit"})  # what follows `/src/` there
_GITEA_HOSTS = frozenset({"codeberg.org"})
_SRC_HOSTS = frozenset({"bitbucket.org"})
_COMMITS_HOSTS = frozenset({"github.com", "bitbucket.org"})  # what a branch has seen, and one commit
MAX_PATH, MAX_LEVELS = 1_024, 64  # bytes and parts of a path inside a repository


@dataclass(frozen=True)
class Inside:
    """What an address names inside a repository: `rest` is a ref, followed by a path or by nothing.

    Where the ref ends, only the host knows: refs have slashes too. `is_file` says that the path is a file's.
    """

    rest: str
    is_file: bool = False


@dataclass(frozen=True)
class RepositoryUrl:
    """A checked address. `url` is rebuilt and canonical (no `.git`, no trailing slash); `name` is its path."""

    url: str
    host: str
    name: str
    inside: Inside | None = None

    @property
    def is_caseless(self) -> bool:
        """Whether its host takes any spelling of the name for the same repository."""
        return self.host in _CASELESS_HOSTS

    @property
    def identity(self) -> str:
        """What all spellings of the address have in common; `url` is as it was typed."""
        return self.url.lower() if self.is_caseless else self.url


def parse_repository_url(raw: str, *, hosts: frozenset[str], loopback: bool) -> RepositoryUrl:
    """The repository that `raw` names: `https://host/owner/name`, `host/owner/name`, or `owner/name` on github.com.

    `git@host:owner/name.git` and `ssh://git@host/owner/name` are read as the https address of the same repository.
    After the name may come what hosts' pages have there: `/tree/<ref>[/<folder>]`, `/blob/<ref>/<path>`,
    `/commit/<id>`, `/commits/<ref>`, GitLab's `/-/` before them, Bitbucket's `/src/<ref>`, Gitea's `/src/branch/<ref>`.
    There escapes (`%20`) are read, once. What says how a page is shown (`?plain=1`, `?tab=readme-ov-file`) and what
    follows `#` is dropped, and so is the `www.` of hosts that are known to have one.
    `hosts` are the allowed host names in lower case; `loopback` also allows http on this machine, for tests and for
    trying the product without a network. Raises Permanent: `bad_url`, `credentials_in_url`, `host_not_allowed`.
    """
    if not isinstance(raw, str) or not raw or len(raw) > MAX_LENGTH or not _PRINTABLE.fullmatch(raw) or "\\" in raw:
        raise _bad("The address has blanks, backslashes or unusual characters, or is empty or too long.")
    if (short := _SHORTHAND.fullmatch(raw)) is not None:
        raw = f"https://github.com/{short['owner']}/{short['name']}"
    elif (ssh := _SSH.fullmatch(raw)) is not None:
        raw = f"https://{ssh['of_url'] or ssh['short']}/{ssh['path']}"
    elif _plain_host(raw.partition("/")[0].lower()) in hosts:
        raw = f"https://{raw}"
    parts = _ADDRESS.fullmatch(raw)
    if parts is None:
        raise _bad("That is not the https address of a repository.")
    authority, (path, shown) = parts["authority"], _split_shown(parts["path"] or "")
    _refuse_extras(authority, path)
    if loopback and is_loopback_authority(authority):
        found = _on_this_machine(parts["scheme"], authority, path)
    else:
        found = _on_host(parts["scheme"], authority, path, hosts)
    if found.inside is None and not _SHOWN_OF_ALL.fullmatch(shown):
        raise _bad(_EXTRAS)
    return found


def _refuse_extras(authority: str, path: str) -> None:
    if "@" in authority:
        raise Permanent(
            "credentials_in_url",
            "The address holds a user name or password: paste it without, as https://host/owner/name.",
        )
    if any(mark in path for mark in "?#;"):
        raise _bad(_EXTRAS)


def _split_shown(path: str) -> tuple[str, str]:
    """The path, and what follows it where that only says how a page is shown."""
    end = min((at for mark in "?#" if (at := path.find(mark)) >= 0), default=len(path))
    return (path[:end], path[end:]) if _SHOWN.fullmatch(path, end) else (path, "")


def _plain_host(host: str) -> str:
    """Without the `www.` of the hosts that are known to mean themselves by it."""
    plain = host.removeprefix("www.")
    return plain if plain in _CASELESS_HOSTS else host


def is_loopback_authority(authority: str) -> bool:
    """Whether `host` or `host:port` names this machine, as a repository on it is named."""
    return authority.partition(":")[0].lower() in _LOOPBACK


def _on_this_machine(scheme: str, authority: str, path: str) -> RepositoryUrl:
    if scheme.lower() != "http":
        raise _bad("A repository on this machine is read over http.")
    host, colon, port = authority.lower().partition(":")
    if colon and (not _PORT.fullmatch(port) or int(port) > 65_535):
        raise _bad("The port is not a number between 1 and 65535.")
    name, inside = _read_path(path, _local_page, at_least=1)
    return RepositoryUrl(f"http://{host}{colon}{port}/{name}", f"{host}{colon}{port}", name, inside)


def _on_host(scheme: str, authority: str, path: str, hosts: frozenset[str]) -> RepositoryUrl:
    if scheme.lower() != "https":
        raise _bad("Only https addresses are read.")
    host, colon, port = authority.lower().partition(":")
    host = _plain_host(host)
    if colon and port != "443":
        raise _bad("Only the standard https port is allowed.")
    if host not in hosts:
        allowed = ", ".join(sorted(hosts)) or "none"
        raise Permanent("host_not_allowed", f"That host is not one this installation reads from (allowed: {allowed}).")
    if not _HOST.fullmatch(host):  # an administrator's slip: an address or a bare word among the allowed hosts
        raise Permanent("host_not_allowed", "The host must be a full domain name.")
    name, inside = _read_path(path, lambda parts: _page_of(host, parts), at_least=2)
    if host in _TWO_SEGMENT_HOSTS and name.count("/") > 1:
        raise _bad("The address names a page of a repository, and not its code.")
    return RepositoryUrl(f"https://{host}/{name}", host, name, inside)


def _read_path(path: str, page_of: Callable[[list[str]], _Page | None], *, at_least: int) -> tuple[str, Inside | None]:
    """The repository's name and what is named inside it, of a path that may end in a slash."""
    parts = path.removeprefix("/").removesuffix("/").split("/")
    page = page_of(parts)
    end, word, begin = page if page is not None else (len(parts), "", len(parts))
    name = "/".join(_segments(parts[:end], at_least=at_least))
    return name, _inside(word, parts[begin:]) if page is not None else None


def _page_of(host: str, parts: list[str]) -> _Page | None:
    """Where the repository's name ends, which page follows, and where its ref begins; None where none follows."""
    if host not in _TWO_SEGMENT_HOSTS:
        return _local_page(parts, first=2)
    word = parts[2] if len(parts) > 2 else ""
    if word == "src" and host in _SRC_HOSTS:
        return 2, "tree", 3
    if word == "src" and host in _GITEA_HOSTS:
        return (2, "tree", 4) if len(parts) > 3 and parts[3] in _GITEA else None
    if word == "commits" and host in _COMMITS_HOSTS:
        return 2, "tree", 3
    return (2, word, 3) if word in _PAGES else None


def _local_page(parts: list[str], first: int = 1) -> _Page | None:
    """The same for a host whose software we do not know: GitLab's groups are as deep as they like."""
    for place in range(first, len(parts)):
        word, following = parts[place], parts[place + 1] if place + 1 < len(parts) else ""
        if word == "-":
            return place, "tree" if following == "commits" else following, place + 2
        if word in _PAGES:
            return place, word, place + 1
        if word == "src" and following in _GITEA:
            return place, "tree", place + 2
    return None


def _inside(word: str, parts: list[str]) -> Inside:
    if word not in _PAGES:
        raise _bad("The address names a page of a repository, and not its code.")
    rest = _unescaped("/".join(parts))
    if rest is None or not is_inner_path(rest):
        raise _bad("What follows the repository in the address is no branch, tag, commit or folder.")
    if word == "commit" and not _COMMIT.fullmatch(rest):
        raise _bad("What follows `commit` in the address is not the id of a commit.")
    return Inside(rest.lower() if word == "commit" else rest, is_file=word == "blob")


def _unescaped(path: str) -> str | None:
    """`path` with `%20` and the like as what they stand for; None where that is no text."""
    if _HALF_ESCAPE.search(path):
        return None
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError:
        return None


def is_inner_path(path: str) -> bool:
    """Whether `path` can be that of a folder or a file inside a repository: relative, plain, of bearable length."""
    parts = path.split("/")
    return (
        len(path.encode("utf-8", "surrogatepass")) <= MAX_PATH
        and len(parts) <= MAX_LEVELS
        and not any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts)
        and not _UNPRINTABLE.search(path)
    )


def _segments(parts: list[str], *, at_least: int) -> list[str]:
    """The parts of a repository's path, without `.git`."""
    segments = [*parts[:-1], parts[-1].removesuffix(".git")] if parts else []
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
