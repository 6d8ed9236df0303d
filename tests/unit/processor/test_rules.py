"""What a repository says of its files, and what becomes of them."""

from collections.abc import Mapping
from time import process_time

import pytest

from processor.ports import TreeEntry
from processor.rules.attributes import Attributes
from processor.rules.patterns import Patterns
from processor.rules.said import MAX_BYTES, Rules, read_rules, rule_files_above
from processor.stages.take_sources import Intake, SourceLimits
from tests.support.trees import rows_of, take


@pytest.mark.parametrize(
    ("pattern", "matched", "not_matched"),
    [
        (b"*.log", (b"a.log", b"x/a.log", b"logs.log/"), (b"a.log.txt", b"logs.log/x")),
        (b"/build", (b"build", b"build/"), (b"x/build",)),
        (b"build/", (b"build/", b"x/build/"), (b"build", b"build/x")),
        (b"docs/*.md", (b"docs/a.md",), (b"docs/x/a.md", b"x/docs/a.md")),
        (b"docs/**", (b"docs/a", b"docs/x/"), (b"docs/", b"docs")),
        (b"a/**/b", (b"a/b", b"a/x/y/b"), (b"ab", b"x/a/b")),
        (b"**/", (b"x/", b"x/y/"), (b"x",)),
        (b"\\!keep", (b"!keep",), (b"keep",)),
        (b"\\#x", (b"#x",), (b"x",)),
        (b"trailing\\ ", (b"trailing ",), (b"trailing",)),
        (b"[[:digit:]]x", (b"1x",), (b"ax",)),
    ],
)
def test_a_pattern_matches_what_it_names_and_nothing_below(
    pattern: bytes, matched: tuple[bytes, ...], not_matched: tuple[bytes, ...]
) -> None:
    patterns = Patterns([b"# a comment", b"", pattern])

    assert [path for path in (*matched, *not_matched) if patterns.matching(path) == [2]] == list(matched)


@pytest.mark.parametrize("line", [b"", b"   ", b"# x", b"/", b"!", b"[z-a]", b"x\\", b"a//"])
def test_a_line_that_means_nothing_matches_nothing(line: bytes) -> None:
    assert len(Patterns([line])) == 0


def test_a_pattern_that_would_take_a_backtracking_matcher_for_ever_takes_no_time() -> None:
    hostile = Patterns([b"*a" * 60 + b"*b", b"**/" + b"a*/**/" * 30 + b"b"])
    began = process_time()

    assert hostile.matching(b"a" * 255 + b"/" + b"a/" * 300 + b"c") == []
    assert process_time() - began < 1  # of the processor: a backtracking one is not done in a lifetime


def test_attributes_know_quotes_octal_bytes_macros_and_what_a_bad_line_loses() -> None:
    content = b'"a \\303\\251" x\n[attr]mine -text y=1\nb mine\nb -mine\nc x -=bad\n#d x\n !e x\nf binary\n'
    found = Attributes({b".gitattributes": content})

    def values(path: bytes) -> dict[str, object]:
        return {name: said.value for name, said in found.of(path).items()}

    assert values("a é".encode()) == {"x": True}
    assert values(b"b") == {"mine": False}
    assert values(b"c") == values(b"#d") == values(b"e") == {}
    assert values(b"f") == {"binary": True, "diff": False, "merge": False, "text": False}
    assert found.of(b"f")["diff"].rule == ".gitattributes:8"


FILES: Mapping[str, bytes] = {
    ".repostreamignore": b"*.csv\n/drafts/\n!keep.csv\n",
    "pkg/.repostreamignore": b"!data.csv\n",
    ".gitignore": b"*.log\n",
    ".gitattributes": (
        b"gen/* linguist-generated\nlib/* linguist-vendored=true\nvendor/own/* -linguist-vendored\n"
        b"*_pb2.py -linguist-generated\n*.inc linguist-language=C++\nman/* linguist-documentation\n"
        b"*.sql -linguist-detectable\n*.dat binary\n* -text\n*.psd filter=lfs\n"
    ),
    "a.py": b"x = 1\n",
    "a.csv": b"1\n",
    "keep.csv": b"1\n",
    "pkg/data.csv": b"1\n",
    "pkg/b.csv": b"1\n",
    "drafts/x/y.md": b"# x\n",
    "x.log": b"tracked\n",
    "gen/g.py": b"x = 1\n",
    "lib/l.py": b"x = 1\n",
    "vendor/own/o.py": b"x = 1\n",
    "vendor/other/p.py": b"x = 1\n",
    "m_pb2.py": b"x = 1\n",
    "q.inc": b"int x;\n",
    "man/m.py": b"x = 1\n",
    "s.sql": b"select 1;\n",
    "d.dat": b"text\n",
    "old.psd": b"version http://git-media.io/v/2\n",
    "whole.psd": b"committed whole\n",
}


def test_what_the_repository_says_decides_and_the_line_is_kept() -> None:
    rows = rows_of(take(FILES))

    assert {path: (row.skipped, row.rule) for path, row in rows.items() if row.skipped} == {
        "a.csv": ("ignored", ".repostreamignore:1"),
        "pkg/b.csv": ("ignored", ".repostreamignore:1"),
        "drafts/x/y.md": ("ignored", ".repostreamignore:2"),
        "gen/g.py": ("generated", ".gitattributes:1"),
        "lib/l.py": ("vendored", ".gitattributes:2"),
        "vendor/other/p.py": ("vendored", ""),
        "d.dat": ("binary", ".gitattributes:8"),
        "old.psd": ("lfs_pointer", ""),
    }
    assert (rows["q.inc"].language, rows["man/m.py"].file_class) == ("cpp", "docs")
    assert (rows["vendor/own/o.py"].file_class, rows["m_pb2.py"].file_class) == ("code", "code")
    assert [path for path, row in rows.items() if not row.is_counted] == ["s.sql"]


def test_a_gitignore_says_nothing_of_what_is_committed_and_counts_where_nothing_says_what_is() -> None:
    assert rows_of(take(FILES))["x.log"].skipped is None
    assert rows_of(take(FILES, is_tracked=False))["x.log"].rule == ".gitignore:1"


LEFT_OUT: Mapping[str, bytes] = {
    ".repostreamignore": b"ignored.txt\n",
    ".gitattributes": b"marked.txt binary\n",
    "ignored.txt": b"x\n",
    "vendor/v.py": b"x = 1\n",
    "app.min.js": b"x=1\n",
    "wide.js": b"x" * 5_000,
    "Cargo.lock": b"version = 4\n",
    "de.po": b"msgid 1\n",
    "marked.txt": b"x\n",
    "nul.bin": b"\0",
    "model.bin": b"version https://git-lfs.github.com/spec/v1\n",
    "large.json": b"{}" + b" " * 1_048_576,
    "huge.json": b"{}" + b" " * 2_097_152,
}
NEVER = (
    TreeEntry(b"link", "120000", "l", 4),
    TreeEntry(b"sub", "160000", "s", 0),
    TreeEntry(b"d/" * 70 + b"deep.txt", "100644", "t", 1),
    TreeEntry(b"bad\nname", "100644", "b", 1),
)


def test_whoever_asks_has_read_what_a_rule_leaves_out_where_that_makes_sense() -> None:
    limits = SourceLimits(wanted_bytes=1_500_000)
    before = rows_of(take(LEFT_OUT, NEVER, limits=limits))
    after = rows_of(take(LEFT_OUT, NEVER, limits=limits, include=["*"]))

    assert sorted(path for path, row in before.items() if row.skipped is None) == [
        ".gitattributes",
        ".repostreamignore",
    ]
    assert {path: row.skipped for path, row in after.items() if row.skipped is not None} == {
        "nul.bin": "binary",
        "model.bin": "lfs_pointer",
        "huge.json": "too_large",
        "link": "symlink",
        "sub": "submodule",
        "d/" * 70 + "deep.txt": "too_deep",
        "bad\\nname": "bad_path",
    }
    assert {row.rule for row in after.values() if row.skipped is None} == {"request"}


def test_only_what_the_patterns_name_is_read_all_the_same() -> None:
    rows = rows_of(take(LEFT_OUT, include=["vendor/", "!x", "/app.min.js"]))

    assert [path for path, row in rows.items() if row.rule == "request"] == ["app.min.js", "vendor/v.py"]


def test_a_lock_file_that_is_read_all_the_same_is_a_source_and_not_kept_twice() -> None:
    intake = take(LEFT_OUT, include=["Cargo.lock"])

    assert intake.locks == []
    assert rows_of(intake)["Cargo.lock"].skipped is None


def test_rules_beyond_the_limits_are_passed_over_and_named() -> None:
    files = {".repostreamignore": b"#" * MAX_BYTES + b"\n*\n", "a/.gitattributes": b"* linguist-generated\n"}
    entries = [TreeEntry(path.encode(), "100644", path, len(content)) for path, content in files.items()]
    linked = TreeEntry(b"b/.gitattributes", "120000", "a/.gitattributes", 1)
    rules = read_rules([*entries, linked], files.get)

    assert rules.facts() == {"files": 1, "lines": 1, "passed_over": [".repostreamignore"]}
    assert rules.of(b"a/x").generated is True
    assert rules.of(b"b/x").generated is None


def test_the_rules_above_a_folder_are_looked_for_outside_of_it() -> None:
    assert rule_files_above("") == []
    assert rule_files_above("a/b") == [
        ".repostreamignore",
        ".gitattributes",
        "a/.repostreamignore",
        "a/.gitattributes",
    ]


def test_a_tree_without_rules_says_nothing() -> None:
    assert Rules({}).of(b"a/b") == Rules({b".gitattributes": b"x y"}).of(b"a/b")
    assert Intake(SourceLimits()).rules.facts() == {"files": 0, "lines": 0}
