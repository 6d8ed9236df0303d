"""The id of an upload's content: what `git rev-parse HEAD^{tree}` says where the same files are a commit. Pure."""

import hashlib
from collections.abc import Iterable

from processor.ports import TreeEntry

_TREE = "40000"


def content_id(entries: Iterable[TreeEntry]) -> str:
    """Forty hexadecimal digits of paths, modes and contents: the same for the same files, however they were packed."""
    folders: dict[bytes, dict[bytes, tuple[str, str]]] = {b"": {}}
    for entry in entries:
        folder, _, name = entry.path.rpartition(b"/")
        _add_folder(folders, folder)
        folders[folder][name] = (entry.mode, entry.blob_id)
    for folder in sorted(folders, key=lambda path: path.count(b"/") + bool(path), reverse=True):
        written = _written(folders[folder])
        if not folder:
            return written
        above, _, name = folder.rpartition(b"/")
        folders[above][name] = (_TREE, written)
    raise AssertionError("the top is the last")


def _add_folder(folders: dict[bytes, dict[bytes, tuple[str, str]]], folder: bytes) -> None:
    while folder not in folders:
        folders[folder] = {}
        folder = folder.rpartition(b"/")[0]


def _written(children: dict[bytes, tuple[str, str]]) -> str:
    """The id of one folder. Git sorts folders as if a slash stood behind their names."""

    def place(name: bytes) -> bytes:
        return name + b"/" if children[name][0] == _TREE else name

    body = b"".join(
        children[name][0].encode() + b" " + name + b"\0" + bytes.fromhex(children[name][1])
        for name in sorted(children, key=place)
    )
    return hashlib.sha1(b"tree %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


def without_top(entries: list[TreeEntry]) -> list[TreeEntry]:
    """The entries without the one folder that all of them are in, as hosts pack a commit; as they are without one."""
    tops = {entry.path.partition(b"/")[0] for entry in entries}
    if len(tops) != 1 or any(b"/" not in entry.path for entry in entries):
        return entries
    return [entry._replace(path=entry.path.partition(b"/")[2]) for entry in entries]
