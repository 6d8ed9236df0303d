"""Why an entry of a tree is left out: by its path, its mode, its size or its bytes. Pure."""

import re
import unicodedata
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from hashlib import sha256
from pathlib import PurePosixPath

from processor.manifests.registry import is_lock
from processor.ports import MAX_FILE_BYTES
from processor.rules.said import NOTHING, Said

MAX_PATH_BYTES = 1_024
MAX_LEVELS = 64
_HEAD = 8_192
_MAX_INVALID = 0.05
_UTF16 = {BOM_UTF16_LE: "utf-16-le", BOM_UTF16_BE: "utf-16-be"}
_NO_TEXT = frozenset({"Cn", "Co", "Cs"})  # a seventh of all characters of 16 bits, and none of what people write
_MAX_MEAN_LINE = 1_000
_LFS = b"version https://git-lfs.github.com/spec/v1\n"
_MAX_POINTER = 1_024
_POINTER = b"version "  # of the formats before that, where `.gitattributes` says that it is one

_FILES = frozenset({"100644", "100755", "100664"})
_OTHER_MODES = {"120000": "symlink", "160000": "submodule"}

# Folders of other people's code. A narrower list than `detect.file_class_of` knows: `deps` or `external` may well be
# the project's own, and a file that is wrongly left out can never be found.
_VENDORED = frozenset(
    {
        "node_modules",
        "bower_components",
        "jspm_packages",
        "vendor",
        "vendored",
        "_vendor",
        "third_party",
        "third-party",
        "thirdparty",
        "3rdparty",
        "site-packages",
        "pods",
        "carthage",
    }
)
# Lock files that nobody here reads for what they choose; those that are read, the manifests' formats name.
_LOCK = re.compile(r"(?:bun\.lockb|deno\.lock|pixi\.lock|go\.sum|go\.work\.sum|podfile\.lock|flake\.lock)")
# Catalogues of translated messages: a fifth of the files of some projects, and the same sentences a hundred times.
_TRANSLATION = re.compile(r".*\.(?:po|pot|xlf|xliff)")
# Written by a tool from something else that is (or could be) in the tree. A file that only says so in its first lines
# stays, and is classed as generated: the name is sure, the sentence is not.
_GENERATED = re.compile(
    r".*(?:\.min\.(?:js|css|mjs)|\.bundle\.js|\.map|_pb2(?:_grpc)?\.pyi?|\.pb\.(?:go|cc|h)|\.snap|\.designer\.(?:cs|vb))"
)
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def readable_path(raw: bytes) -> tuple[str, bool]:
    """`raw` as text, and whether it is a path that may be used. One that may not is escaped and shortened to be shown.

    Two different paths never look the same: what had to be escaped is escaped one-to-one, what is cut gets its hash.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return _shown(raw.decode("utf-8", "surrogateescape"), raw), False
    if len(raw) <= MAX_PATH_BYTES and not _has_odd(text) and not _leaves(text):
        return text, True
    return _shown(text, raw), False


def _has_odd(text: str) -> bool:
    if text.isascii() and text.isprintable():  # nearly all paths: a look at each character would take a second in all
        return "\\" in text
    return any(_is_odd(char) for char in text)


def _is_odd(char: str) -> bool:
    return char == "\\" or char in _BIDI_CONTROLS or unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}


def _leaves(path: str) -> bool:
    return any(part in {"", ".", ".."} or part.lower() == ".git" for part in path.split("/"))


def _shown(text: str, raw: bytes) -> str:
    escaped = "".join(char.encode("unicode_escape").decode() if _is_odd(char) else char for char in text)
    if len(escaped.encode()) <= MAX_PATH_BYTES:
        return escaped
    cut = escaped.encode()[: MAX_PATH_BYTES - 80].decode("utf-8", "ignore")
    return f"{cut}…{sha256(raw).hexdigest()}"


def skip_by_name(
    path: str, mode: str, size: int | None, said: Said = NOTHING, wanted_bytes: int = MAX_FILE_BYTES
) -> str | None:
    """Why the entry is left out without looking inside, or None. `size` is None for a blob too large to be fetched.

    What the repository itself says of a file counts more than what its name tells, and what whoever asked for the
    analysis wants read counts more than both: such a file may have `wanted_bytes`.
    """
    pure = PurePosixPath(path)
    if mode not in _FILES:
        return _OTHER_MODES.get(mode, "bad_mode")
    if len(pure.parts) > MAX_LEVELS:
        return "too_deep"
    if said.is_wanted:
        return "too_large" if size is None or size > wanted_bytes else None
    is_large = size is None or size > MAX_FILE_BYTES
    return _skip_by_folder(pure, said) or ("too_large" if is_large else _skip_by_kind(pure.name.lower(), said))


def _skip_by_folder(pure: PurePosixPath, said: Said) -> str | None:
    if said.ignored is not None:
        return "ignored"
    looks_copied = any(part.lower() in _VENDORED for part in pure.parts[:-1])
    if looks_copied if said.vendored is None else said.vendored:
        return "vendored"
    return "lock_file" if _LOCK.fullmatch(pure.name.lower()) or is_lock(str(pure)) else None


def _skip_by_kind(name: str, said: Said) -> str | None:
    if _TRANSLATION.fullmatch(name):
        return "translation"
    looks_generated = _GENERATED.fullmatch(name) is not None
    if looks_generated if said.generated is None else said.generated:
        return "generated"
    return "binary" if said.is_binary else None


def skip_by_content(content: bytes, said: Said = NOTHING) -> str | None:
    """Why the bytes are not a text to read, or None."""
    is_pointer = said.is_lfs and len(content) < _MAX_POINTER and content.startswith(_POINTER)
    if is_pointer or content.startswith(_LFS):
        return "lfs_pointer"
    is_text = _is_utf16_text(content) if content[:2] in _UTF16 else b"\0" not in content[:_HEAD]
    return None if is_text else "binary"


def _is_utf16_text(content: bytes) -> bool:
    """Whether what follows a mark of UTF-16 is text: the same two bytes begin UTF-32, and may begin anything."""
    head = content[2:_HEAD].decode(_UTF16[content[:2]], "replace")
    odd = sum(char == "\ufffd" or unicodedata.category(char) in _NO_TEXT for char in head)
    return "\0" not in head and odd <= len(head) * _MAX_INVALID


def read_text(content: bytes) -> tuple[str, int]:
    """The bytes as text without NUL, and how many characters had to be replaced by U+FFFD.

    UTF-8, but for what begins with a mark of UTF-16; the mark is none of the text then.
    """
    encoding = _UTF16.get(content[:2], "utf-8")
    written = content if encoding == "utf-8" else content[2:]
    try:
        text = written.decode(encoding)
        replaced = 0
    except UnicodeDecodeError:
        text = written.decode(encoding, "replace")
        replaced = text.count("\ufffd") - written.decode(encoding, "ignore").count("\ufffd")
    nuls = text.count("\0")
    return (text.replace("\0", "\ufffd") if nuls else text), replaced + nuls


def is_not_utf8(content: bytes, replaced: int) -> bool:
    """Whether so much had to be replaced that the text is none."""
    return replaced > len(content) * _MAX_INVALID


def count_lines(text: str) -> int:
    """Lines as an editor counts them; a last line needs no newline."""
    return text.count("\n") + bool(text and not text.endswith("\n"))


def is_minified(text: str, lines: int) -> bool:
    """Whether the mean line is longer than anybody writes. Prose on one line is none; the caller does not ask then."""
    return len(text) > _MAX_MEAN_LINE * max(1, lines)
