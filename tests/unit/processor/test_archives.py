"""What is read of an archive, and the many that are refused."""

import gzip
import io
import json
import stat
import struct
import tracemalloc
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from processor.adapters.archive_child import tell
from processor.archives.content_id import content_id, without_top
from processor.archives.names import Names, shown
from processor.ports import TreeEntry
from runtime.archive_kinds import HEAD_BYTES, ArchiveKind, kind_of, title_of
from tests.support.archives import PACK, archive_of, header, tar_files, tar_of, wide, zip_member, zip_name, zip_of
from tests.support.hostile_archives import HOSTILE, LIMITS, TEXT

ALONE = {"archive_nested"}  # what the members are is seen only when all were read: by whoever reads the frames
FILES = {"top/a.py": TEXT, "top/src/größe.py": b"y = 2\n", "top/big.bin": Random(1).randbytes(1_100_000)}


def frames(raw: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What the reading process says of an archive: its members, and the last frame."""
    out = io.BytesIO()
    tell(io.BytesIO(raw), LIMITS, out)
    said, place, found = out.getvalue(), 0, []
    while place < len(said):
        (length,) = struct.unpack(">I", said[place : place + 4])
        found.append(json.loads(said[place + 4 : place + 4 + length]))
        place += 4 + length
        if found[-1].get("kept"):
            found[-1]["content"] = said[place : place + found[-1]["size"]]
            place += found[-1]["size"]
    return found[:-1], found[-1]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_or_broken_is_refused_with_its_code_in_little_memory(name: str) -> None:
    code, make = HOSTILE[name]
    raw = make()
    tracemalloc.start()
    try:
        members, last = frames(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    if code in ALONE and "end" in last:
        assert members
        assert all(kind_of(member["content"][:HEAD_BYTES]) is not None for member in members)
        return
    assert last["refused"][0] == code
    assert last["refused"][1].endswith(".")
    assert len(last["refused"][1]) < 400
    assert peak < 32_000_000 + len(raw)


def test_there_are_many_kinds_of_them() -> None:
    assert len(HOSTILE) >= 80


@pytest.mark.parametrize("kind", ArchiveKind)
def test_each_kind_is_known_by_its_first_bytes_and_gives_the_same_members(kind: ArchiveKind) -> None:
    raw = archive_of(kind, FILES)

    members, last = frames(raw)

    assert kind_of(raw[:HEAD_BYTES]) is kind
    assert last == {"end": kind.value}
    assert {m["path"].encode("latin-1").decode(): m["size"] for m in members} == {n: len(c) for n, c in FILES.items()}
    assert [m["blob_id"] for m in members] == [m["blob_id"] for m in frames(zip_of(FILES))[0]]
    assert [m["kept"] for m in members] == [True, True, False]  # a large one is hashed, and not kept


def test_a_tar_from_before_the_magic_is_known_by_its_sum() -> None:
    old = bytearray(tar_of((header("a"), b"1"), pax=False))
    old[257:265] = bytes(8)
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old[:512])

    assert kind_of(bytes(old[:HEAD_BYTES])) is ArchiveKind.TAR
    assert frames(bytes(old))[1] == {"end": "tar"}


@pytest.mark.parametrize(
    "raw",
    [
        zip_of({"a.py": TEXT}, comment=b"of 2026"),
        zip_of({}),
        wide(zip_of({"a.py": TEXT})),
        gzip.compress(tar_files({"a.py": TEXT})) + bytes(512),
        gzip.compress(tar_files({"a.py": TEXT})[:700]) + gzip.compress(tar_files({"a.py": TEXT})[700:]),
        PACK[ArchiveKind.TAR_XZ](tar_files({"a.py": TEXT})),
        tar_of((header("./", type=b"5"), b""), (header("./a.py"), TEXT)),
        zip_of({"a.py": TEXT, "__MACOSX/._a.py": b"\0\5"}),
    ],
)
def test_what_is_unusual_and_harmless_is_read(raw: bytes) -> None:
    members, last = frames(raw)

    assert "end" in last
    assert [member["path"] for member in members] in (["a.py"], [])


@pytest.mark.parametrize("kind", ArchiveKind)
def test_what_is_gits_own_is_left_out_wherever_it_stands(kind: ArchiveKind) -> None:
    beside = {
        ".git/HEAD": b"ref: refs/heads/main",
        ".git/refs/heads/Fix": TEXT,
        ".git/refs/heads/fix": TEXT,  # names that would be refused elsewhere
        "lib/.git": b"gitdir: ../.git/modules/lib",
        f".git/objects/pack/{'a' * 300}.pack": bytes(300_000),
    }

    assert frames(archive_of(kind, beside | FILES)) == frames(archive_of(kind, FILES))


def test_an_archive_that_ends_in_the_middle_of_what_is_gits_own_is_damaged() -> None:
    raw = tar_files({"a.py": TEXT, ".git/objects/pack/a.pack": bytes(300_000)})

    assert frames(raw[:200_000])[1]["refused"][0] == "archive_damaged"


def test_a_link_is_told_as_a_link_and_never_followed() -> None:
    tar, _ = frames(tar_of((header("to", type=b"2", linkname="/etc/passwd"), b"")))
    packed, _ = frames(zip_member("to", b"/etc/passwd", stat.S_IFLNK | 0o777))

    assert tar == packed
    assert (tar[0]["mode"], tar[0]["content"]) == ("120000", b"/etc/passwd")


def test_permissions_are_as_git_keeps_them() -> None:
    tar, _ = frames(tar_of((header("run", mode=0o755), TEXT), (header("read", mode=0o600), TEXT)))

    assert [member["mode"] for member in tar] == ["100755", "100644"]
    assert frames(zip_member("run", TEXT, stat.S_IFREG | 0o755))[0][0]["mode"] == "100755"


def test_a_zip_without_the_mark_of_utf8_is_read_as_what_it_holds() -> None:
    info = zip_name("größe.py")
    assert info.flag_bits == 0
    raw = zip_of({"größe.py": TEXT})
    unmarked = raw.replace(struct.pack("<H", 0x800), struct.pack("<H", 0))

    assert unmarked != raw
    assert frames(unmarked)[0][0]["path"].encode("latin-1").decode() == "größe.py"


def test_limits_hold_at_their_edge() -> None:
    out = io.BytesIO()
    tell(io.BytesIO(tar_files({f"f{n}": b"" for n in range(5)})), replace(LIMITS, entries=5), out)

    assert b'"end"' in out.getvalue()


def test_names_that_a_sentence_has_are_escaped_and_short() -> None:
    assert shown("a\x1b\u202e") == "a\\x1b\\u202e"
    assert len(shown("x" * 500)) < 100
    assert Names().add("./a/./".removesuffix("./"), is_folder=True) == "a"


def test_the_content_id_is_gits_tree() -> None:
    # git init; printf '' > a.b; mkdir a; printf '' > a/c; git add .; git write-tree
    empty = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    entries = [TreeEntry(b"a/c", "100644", empty, 0), TreeEntry(b"a.b", "100644", empty, 0)]

    assert content_id([]) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    assert content_id(entries) == content_id(entries[::-1])
    assert content_id(entries) != content_id([entry._replace(mode="100755") for entry in entries])


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        (["flask-3/a", "flask-3/b/c"], ["a", "b/c"]),
        (["a", "b/c"], ["a", "b/c"]),
        (["x/a", "y/a"], ["x/a", "y/a"]),
        (["a"], ["a"]),
        ([], []),
    ],
)
def test_one_folder_around_everything_is_taken_off(paths: list[str], left: list[str]) -> None:
    entries = [TreeEntry(path.encode(), "100644", "0" * 40, 0) for path in paths]

    assert [entry.path.decode() for entry in without_top(entries)] == left


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("flask-3.0.tar.gz", "flask-3.0"),
        ("C:\\Users\\me\\My Project.zip", "My-Project"),
        ("../../etc/passwd", "passwd"),
        ("größe.tgz", "gr--e"),
        (".zip", "upload"),
        ("", "upload"),
        ("-" * 300, "upload"),
        ("a" * 300 + ".tar", "a" * 100),
    ],
)
def test_an_upload_is_called_as_its_file_in_characters_of_an_address(name: str, title: str) -> None:
    assert title_of(name) == title
