"""Which archive a file is, by its first bytes: its name says nothing that can be relied on."""

from enum import StrEnum

HEAD_BYTES = 512  # that are needed to tell
MAX_NAME = 100
_TAR_MAGIC, _TAR_AT = b"ustar", 257
_CHECKSUM = slice(148, 156)
_OUTER = (".gz", ".bz2", ".xz", ".zst")
_ENDINGS = (".tar", ".tgz", ".tbz2", ".tbz", ".txz", ".tzst", ".zip", ".gz", ".bz2", ".xz", ".zst")
_LATER_ENDINGS = (".git",)


class ArchiveKind(StrEnum):
    """What is read. All but zip are a tar, plain or packed."""

    ZIP = "zip"
    TAR = "tar"
    TAR_GZ = "tar.gz"
    TAR_BZ2 = "tar.bz2"
    TAR_XZ = "tar.xz"
    TAR_ZST = "tar.zst"


MAGIC = {
    ArchiveKind.TAR_GZ: b"\x1f\x8b\x08",
    ArchiveKind.TAR_BZ2: b"BZh",
    ArchiveKind.TAR_XZ: b"\xfd7zXZ\x00",
    ArchiveKind.TAR_ZST: b"\x28\xb5\x2f\xfd",
}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # a member, or the end of an empty one


def kind_of(head: bytes) -> ArchiveKind | None:
    """The kind of a file that begins with `head` (HEAD_BYTES of it, or all); None for what is no archive of ours."""
    if head.startswith(_ZIP):
        return ArchiveKind.ZIP
    packed = next((kind for kind, magic in MAGIC.items() if head.startswith(magic)), None)
    return packed or (ArchiveKind.TAR if _is_tar(head) else None)


def _is_tar(head: bytes) -> bool:
    """Old tars have no magic; their first header has the sum of its own bytes, as all have."""
    if len(head) < HEAD_BYTES:
        return False
    if head[_TAR_AT : _TAR_AT + len(_TAR_MAGIC)] == _TAR_MAGIC:
        return True
    digits = head[_CHECKSUM].strip(b" \0")
    blank = head[: _CHECKSUM.start] + b" " * 8 + head[_CHECKSUM.stop : HEAD_BYTES]
    return digits.isdigit() and all(digit in b"01234567" for digit in digits) and int(digits, 8) == sum(blank)


def title_of(file_name: str) -> str:
    """What an upload is called: its file's name without folders and endings, in characters that an address has."""
    name = file_name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    for ending in (*_OUTER, *_ENDINGS, *_LATER_ENDINGS):
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in name)
    return plain.strip("-.")[:MAX_NAME].strip("-.") or "upload"
