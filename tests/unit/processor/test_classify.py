from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.stages.classify import (
    MAX_FILE_BYTES,
    count_lines,
    is_minified,
    is_not_utf8,
    read_text,
    readable_path,
    skip_by_content,
    skip_by_name,
)


@pytest.mark.parametrize(
    "raw",
    [
        b"src/app.py",
        "docs/größe.md".encode(),
        "目录/文件.go".encode(),
        b".github/x",
        b"a b/c d",
        b"...",
        b"a..b",
        b"x/.gitignore",
    ],
)
def test_a_harmless_path_is_used_as_it_is(raw: bytes) -> None:
    assert readable_path(raw) == (raw.decode(), True)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"a\nb", "a\\nb"),
        (b"a\x1b[31mb", "a\\x1b[31mb"),
        (b"a\\b", "a\\\\b"),
        ("a\u202egpj.exe".encode(), "a\\u202egpj.exe"),
        (b"a\xffb", "a\\udcffb"),
        (b"../up", "../up"),
        (b"a/../b", "a/../b"),
        (b"a//b", "a//b"),
        (b"/abs", "/abs"),
        (b"x/.GIT/config", "x/.GIT/config"),
        (b"", ""),
    ],
)
def test_an_odd_path_is_not_used_and_shown_escaped(raw: bytes, shown: str) -> None:
    assert readable_path(raw) == (shown, False)


def test_a_byte_and_the_text_that_shows_it_are_told_apart() -> None:
    assert readable_path(b"a\xffb") != readable_path(readable_path(b"a\xffb")[0].encode())


def test_a_long_path_is_cut_and_told_apart_by_its_hash() -> None:
    one, usable = readable_path(b"a" * 5_000)
    other, _ = readable_path(b"a" * 5_001)

    assert not usable
    assert len(one.encode()) <= 1_024
    assert one != other


@given(st.lists(st.binary(max_size=40), unique=True, max_size=8))
def test_two_paths_never_look_the_same_and_nothing_shown_is_a_control(paths: list[bytes]) -> None:
    shown = [readable_path(path)[0] for path in paths]

    assert len(set(shown)) == len(paths)
    assert all(char.isprintable() or char in " \u00a0" or ord(char) > 127 for text in shown for char in text)
    assert not any(char in text for text in shown for char in "\n\r\x00\x1b\u202e")


@pytest.mark.parametrize(
    ("path", "mode", "size", "reason"),
    [
        ("a.py", "100644", 10, None),
        ("run", "100755", 10, None),
        ("link", "120000", 10, "symlink"),
        ("sub", "160000", 0, "submodule"),
        ("odd", "100000", 1, "bad_mode"),
        ("/".join("a" * 64), "100644", 1, None),
        ("/".join("a" * 65), "100644", 1, "too_deep"),
        ("big.txt", "100644", MAX_FILE_BYTES + 1, "too_large"),
        ("filtered.txt", "100644", None, "too_large"),
        ("node_modules/x/index.js", "100644", 1, "vendored"),
        ("src/vendor/x.go", "100644", 1, "vendored"),
        ("Third_Party/x.c", "100644", 1, "vendored"),
        ("vendor", "100644", 1, None),
        ("deps/own.ex", "100644", 1, None),
        ("yarn.lock", "100644", 1, "lock_file"),
        ("web/package-lock.json", "100644", 5_000_000, "lock_file"),
        ("go.sum", "100644", 1, "lock_file"),
        ("Package.resolved", "100644", 1, "lock_file"),
        ("infra/.terraform.lock.hcl", "100644", 1, "lock_file"),
        ("charts/a/Chart.lock", "100644", 1, "lock_file"),
        ("pylock.dev.toml", "100644", 1, "lock_file"),
        ("lock.py", "100644", 1, None),
        ("static/app.min.js", "100644", 1, "generated"),
        ("api_pb2.py", "100644", 1, "generated"),
        ("api.proto", "100644", 1, None),
        ("dist/app.js.map", "100644", 1, "generated"),
        ("locale/de/LC_MESSAGES/django.po", "100644", 1, "translation"),
    ],
)
def test_an_entry_is_left_out_by_its_name_mode_and_size(
    path: str, mode: str, size: int | None, reason: str | None
) -> None:
    assert skip_by_name(path, mode, size) == reason


def test_a_pointer_and_a_binary_file_are_no_text() -> None:
    assert skip_by_content(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n") == "lfs_pointer"
    assert skip_by_content(b"\x7fELF\0\0") == "binary"
    assert skip_by_content(b"x" * 8_192 + b"\0") is None


SOURCE = 'class Grüße // 漢字 🙂\r\n{\r\n    string s = "a";\r\n}\r\n'


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_read_by_its_mark(encoding: str) -> None:
    content = f"\ufeff{SOURCE}".encode(encoding)

    assert skip_by_content(content) is None
    assert skip_by_content(content * 1_000) is None
    assert read_text(content) == (SOURCE, 0)
    assert read_text(content + b"x")[1] == 1


def test_what_only_begins_like_utf16_is_no_text() -> None:
    assert skip_by_content(f"\ufeff{SOURCE}".encode("utf-32-le")) == "binary"
    assert skip_by_content(SOURCE.encode("utf-16-le")) == "binary"  # without a mark nothing says so
    for mark in (b"\xff\xfe", b"\xfe\xff"):
        assert skip_by_content(mark + Random(7).randbytes(1_000)) == "binary"
        assert skip_by_content(mark) is None


def test_text_never_holds_what_a_database_refuses() -> None:
    assert read_text("grün\n".encode()) == ("grün\n", 0)
    assert read_text(b"a\0b\0") == ("a\ufffdb\ufffd", 2)
    assert read_text(b"\xed\xa0\x80") == ("\ufffd\ufffd\ufffd", 3)
    assert read_text("ein \ufffd im Text \xfc".encode("utf-8")[:-2] + b"\xfc") == ("ein \ufffd im Text \ufffd", 1)


@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_become_text_that_utf8_and_postgresql_take(content: bytes) -> None:
    text, replaced = read_text(content)

    assert "\0" not in text
    assert text.encode()
    assert replaced >= 0


@pytest.mark.parametrize(
    ("text", "lines"), [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("\n\n", 2), ("a\r\nb\r\n", 2)]
)
def test_lines_are_counted_as_an_editor_does(text: str, lines: int) -> None:
    assert count_lines(text) == lines


def test_minified_is_a_mean_line_that_nobody_writes() -> None:
    assert is_minified("x" * 1_001, 1)
    assert not is_minified("x" * 1_000, 1)
    assert not is_minified(("x" * 80 + "\n") * 100, 100)


def test_a_little_of_another_encoding_is_text_and_much_is_not() -> None:
    assert not is_not_utf8(b"x" * 100, 5)
    assert is_not_utf8(b"x" * 100, 6)
