from collections.abc import Mapping

import pytest

from events.artifacts import SourceRow, TreeRow
from processor.ports import TreeEntry
from processor.stages.parse import parse_source
from processor.stages.take_sources import Intake, SourceLimits
from runtime.faults import Cancelled
from tests.support.trees import tree_of


def entries_of(files: Mapping[str, bytes], *, mode: str = "100644") -> list[TreeEntry]:
    return [TreeEntry(path.encode(), mode, f"id-{path}", len(content)) for path, content in files.items()]


def take(
    files: Mapping[str, bytes], limits: SourceLimits | None = None, extra: tuple[TreeEntry, ...] = ()
) -> tuple[Intake, list[list[SourceRow]]]:
    blobs = {f"id-{path}": content for path, content in files.items()}
    intake = Intake(limits or SourceLimits())
    shards = intake.shards([*entries_of(files), *extra], blobs.get, lambda *_: None)
    return intake, [list(shard.read()) for shard in shards]


def row_of(intake: Intake, path: str) -> TreeRow:
    return next(row for row in tree_of(intake) if row.path == path)


def test_an_accepted_file_is_a_row_with_its_language_class_size_and_lines() -> None:
    intake, [[row]] = take({"src/app.py": "größe = 1\n".encode()})

    assert row == SourceRow(
        path="src/app.py",
        blob_id="id-src/app.py",
        language="python",
        file_class="code",
        size=12,
        lines=1,
        content="größe = 1\n",
    )
    assert tree_of(intake) == [
        TreeRow(
            path="src/app.py",
            blob_id="id-src/app.py",
            mode="100644",
            size=12,
            language="python",
            file_class="code",
            lines=1,
            shard=0,
        )
    ]


def test_utf16_becomes_text_once_and_all_lines_are_those_of_the_text() -> None:
    text = "// Grüße\r\nclass Shop\r\n{\r\n    int Count() { return 1; }\r\n}\r\n"
    content = text.encode("utf-16")

    intake, [[row]] = take({"src/Shop.cs": content})
    symbols = parse_source(row).symbols

    assert (row.content, row.lines, row.size, row.language, row.replaced) == (text, 5, len(content), "csharp", False)
    assert (row_of(intake, "src/Shop.cs").lines, row_of(intake, "src/Shop.cs").skipped) == (5, None)
    assert [(one["name"], one["first_line"], one["last_line"]) for one in symbols] == [("Shop", 2, 5), ("Count", 4, 4)]


def test_every_entry_is_in_the_tree_with_the_reason_why_it_was_left_out() -> None:
    files = {
        "a.py": b"x = 1\n",
        "logo.png": b"\x89PNG\0\0",
        "app.js": b"x" * 5_000,
        "latin.txt": b"\xe4\xf6\xfc",
        "big.bin": b"",
        "model.bin": b"version https://git-lfs.github.com/spec/v1\n",
        "prose.md": b"word " * 1_000,
        "go.sum": b"x\n",
    }
    extra = (
        TreeEntry(b"link", "120000", "l", 4),
        TreeEntry(b"sub", "160000", "s", 0),
        TreeEntry(b"huge.csv", "100644", "h", None),
        TreeEntry(b"bad\nname", "100644", "b", 1),
    )
    intake, _ = take(files, extra=extra)

    assert {row.path: row.skipped for row in tree_of(intake)} == {
        "a.py": None,
        "app.js": "minified",
        "bad\\nname": "bad_path",
        "big.bin": None,
        "go.sum": "lock_file",
        "huge.csv": "too_large",
        "latin.txt": "binary",
        "link": "symlink",
        "logo.png": "binary",
        "model.bin": "lfs_pointer",
        "prose.md": None,
        "sub": "submodule",
    }
    assert intake.tree.counts() == {"files": 3, "bytes": 5_006, "lines": 2, "entries": 12, "skipped": 9}
    assert intake.tree.skipped()["binary"] == 2
    assert row_of(intake, "huge.csv").size == 1_048_576


def test_shards_follow_the_path_and_are_cut_by_files_or_bytes() -> None:
    files = {f"f{number:03}.txt": b"x\n" * 50 for number in reversed(range(10))}
    intake, shards = take(files, SourceLimits(shard_files=4, shard_bytes=10_000))
    _, heavy = take(files, SourceLimits(shard_files=400, shard_bytes=250))

    assert [[row.path for row in rows] for rows in shards] == [
        ["f000.txt", "f001.txt", "f002.txt", "f003.txt"],
        ["f004.txt", "f005.txt", "f006.txt", "f007.txt"],
        ["f008.txt", "f009.txt"],
    ]
    assert [len(rows) for rows in heavy] == [3, 3, 3, 1]
    assert {row.path: row.shard for row in tree_of(intake)}["f005.txt"] == 1


def test_the_same_tree_in_another_order_gives_the_same_shards() -> None:
    files = {f"d{number % 3}/f{number}.py": f"x = {number}\n".encode() for number in range(30)}
    limits = SourceLimits(shard_files=7)

    assert take(files, limits)[1] == take(dict(reversed(files.items())), limits)[1]


def test_beyond_the_budgets_files_are_left_out_with_that_as_the_reason() -> None:
    files = {f"f{number}.txt": b"x" * 100 for number in range(5)}
    few, _ = take(files, SourceLimits(files=2))
    small, _ = take(files, SourceLimits(text_bytes=250))

    assert [row.skipped for row in tree_of(few)] == [None, None, *["too_many_files"] * 3]
    assert [row.skipped for row in tree_of(small)] == [None, None, *["text_budget"] * 3]


def test_bytes_that_are_no_utf8_are_replaced_and_said_to_be() -> None:
    _, [[row]] = take({"a.txt": b"caf\xe9 " + b"x" * 100})

    assert row.replaced
    assert row.content.startswith("caf\ufffd ")


@pytest.mark.parametrize(("content", "expected"), [(b"", False), (b" \n\t\n", False), (b"x", True)])
def test_whether_there_is_anything_to_read_is_known(content: bytes, expected: bool) -> None:
    intake, _ = take({"a.txt": content})

    assert intake.has_text is expected


def test_looking_stops_the_work() -> None:
    def stop(_done: int, _total: int, _path: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        list(Intake(SourceLimits()).shards(entries_of({"a.py": b"x"}), lambda _: b"x", stop))


def test_a_blob_that_is_missing_is_too_large() -> None:
    intake = Intake(SourceLimits())

    assert list(intake.shards(entries_of({"a.py": b"x"}), lambda _: None, lambda *_: None)) == []
    assert intake.tree.skipped() == {"too_large": 1}


def test_lock_files_are_kept_apart_from_the_sources_within_their_limits() -> None:
    files = {
        "a/yarn.lock": b'ms@2:\n  version "2"\n',
        "go.sum": b"no lock file that says what is asked for\n",
        "poetry.lock": b"[[package]]\n",
        "z/poetry.lock": b"x" * 100,
        "main.py": b"x = 1\n",
    }
    extra = (TreeEntry(b"package-lock.json", "100644", "h", None),)

    intake, shards = take(files, SourceLimits(manifest_bytes=50), extra=extra)

    assert [row.path for row in intake.locks] == ["a/yarn.lock", "poetry.lock"]
    assert [row.path for rows in shards for row in rows] == ["main.py"]
    assert {row.skipped for row in tree_of(intake)} == {None, "lock_file"}
    assert [row.path for row in take(files, SourceLimits(lock_files=1))[0].locks] == ["a/yarn.lock"]
