"""Which names members may have: the ones that mean the same file everywhere. Pure."""

import re
import unicodedata
from dataclasses import dataclass, field

from processor.archives.limits import MAX_LEVELS, Refused

MAX_BYTES = 1_024
_DRIVE = re.compile(r"[A-Za-z]:")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_IGNORED = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff]")  # characters that some file systems do not see in a name
_SHOWN = 80


def shown(name: str) -> str:
    """A name as a sentence may have it: escaped, of bearable length."""
    plain = "".join(char if char.isprintable() and char not in _BIDI else ascii(char)[1:-1] for char in name)
    plain = plain.encode("utf-8", "backslashreplace").decode()
    return plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}…"


@dataclass
class Names:
    """The names that were met. A name that is there already, or that means the same file, is refused."""

    _files: dict[str, str] = field(default_factory=dict)
    _folders: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, *, is_folder: bool) -> str:
        """Check a member's name; what it is called without `./` before and `/` behind, empty for the top itself.

        Bytes that are no UTF-8 stay as surrogates. Raises Refused.
        """
        path = check_name(name, is_folder=is_folder)
        if not path:
            return path
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
        parts = folded.split("/")
        above = {"/".join(parts[:end]) for end in range(1, len(parts))}
        if is_folder:
            above.add(folded)
        taken = self._files.get(folded) or next((self._files[one] for one in above if one in self._files), None)
        if not is_folder:
            taken = taken or self._folders.get(folded)
            self._files[folded] = path
        if taken is not None:
            raise Refused(
                "archive_duplicate_name",
                f"“{shown(path)}” and “{shown(taken)}” are one name on some systems: rename or remove one of them.",
            )
        self._folders.update(dict.fromkeys(above, path))
        return path


def check_name(name: str, *, is_folder: bool) -> str:
    """A member's name, without what means nothing. Raises Refused."""
    path = name
    while path.startswith("./"):
        path = path[2:]
    path = path.rstrip("/") if is_folder else path
    if path in {"", "."} and is_folder:
        return ""
    if (why := _oddity(path)) is not None:
        raise Refused("archive_bad_name", f"The name “{shown(name)}” {why}: rename it and upload again.")
    parts = path.split("/")
    if any(_is_git(part) for part in parts):
        raise Refused(
            "archive_git_folder", f"Some systems take a part of “{shown(path)}” for .git: rename it, or leave it out."
        )
    if len(parts) > MAX_LEVELS:
        raise Refused("archive_too_deep", f"“{shown(path)}” is more than {MAX_LEVELS} folders deep: upload a part.")
    return path


def is_gits(name: str) -> bool:
    """Whether a member is git's own, and no part of what is kept with git."""
    return ".git" in name.split("/")


def _oddity(path: str) -> str | None:
    """What is wrong with a name, as the end of a sentence."""
    if path.startswith("/") or _DRIVE.match(path):
        return "does not begin in the archive"
    if "\\" in path:
        return "has a backslash"
    parts = path.split("/")
    if ".." in parts:
        return "leads out of the archive"
    if "" in parts or "." in parts:
        return "has an empty part"
    if any(char in _BIDI or unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in path):
        return "has characters that cannot be seen"
    return "is too long" if len(path.encode("utf-8", "surrogateescape")) > MAX_BYTES else None


def _is_git(part: str) -> bool:
    """Whether some file system takes a part of a name for `.git`."""
    seen = _IGNORED.sub("", part).casefold().rstrip(". ")
    return seen in {".git", "git~1"} or seen.startswith((".git:", ".git::"))
