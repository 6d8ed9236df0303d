"""Ignore rules and attributes beside git's own answers, on trees and patterns that nobody chose."""

import random
import subprocess
from pathlib import Path

import pytest

from processor.rules.attributes import Attributes
from processor.rules.ignoring import Ignoring
from tests.support.git_repositories import CLEAN_ENVIRONMENT

TREES = 120
NAMES = ("a", "b", "foo", "x.py", "y.txt", "build", "ab", "b*", "c", "é", "a b")
SEGMENTS = (
    "a",
    "b",
    "foo",
    "x.py",
    "build",
    "*",
    "*.py",
    "f*o",
    "?",
    "[ab]",
    "**",
    "*a*b",
    "[!a]",
    "b\\*",
    "é",
    "[[:alpha:]]",
)
STATES = (
    "text",
    "-text",
    "binary",
    "-binary",
    "!text",
    "linguist-language=Go",
    "diff",
    "-diff",
    "!diff",
    "mine",
    "x=false",
)
ASKED = ("text", "binary", "diff", "merge", "linguist-language", "mine", "x")
MACRO = "[attr]mine x=macro -text"


def a_pattern(chance: random.Random) -> str:
    pattern = "/".join(chance.choice(SEGMENTS) for _ in range(chance.choice((1, 1, 2, 3))))
    before = "!" * (chance.random() < 0.25) + "/" * (chance.random() < 0.25)
    return before + pattern + "/" * (chance.random() < 0.25) + "  " * (chance.random() < 0.1)


def a_tree(chance: random.Random, top: str) -> list[str]:
    """Paths of files, none of which is also a folder."""
    paths = {"/".join((top, *(chance.choice(NAMES) for _ in range(chance.choice((1, 2, 2, 3, 4)))))) for _ in range(25)}
    return sorted(path for path in paths if not any(other.startswith(f"{path}/") for other in paths))


def an_attribute_line(chance: random.Random) -> str:
    pattern = a_pattern(chance).strip()
    shown = '"' + pattern.replace("\\", "\\\\") + '"' if chance.random() < 0.2 else pattern
    return " ".join((shown, *(chance.choice(STATES) for _ in range(chance.choice((1, 1, 2))))))


class Trees:
    """Files and rules on disk, and the same rules for us."""

    def __init__(self, folder: Path, seed: int) -> None:
        chance = random.Random(seed)
        self.folder, self.paths = folder, list[str]()
        self.ignoring: dict[bytes, bytes] = {}
        self.attributes: dict[bytes, bytes] = {}
        subprocess.run(["git", "init", "--quiet", str(folder)], env=CLEAN_ENVIRONMENT, check=True)
        self._write(".gitattributes", f"{MACRO}\r\n*.txt mine\n")
        for number in range(TREES):
            files = a_tree(chance, f"t{number}")
            folders = sorted({path.rpartition("/")[0] for path in files})
            for path in files:
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.touch()
            for place in {f"t{number}", chance.choice(folders)}:
                count = chance.choice((1, 3, 6))
                self._write(f"{place}/.gitignore", "\n".join(a_pattern(chance) for _ in range(count)))
                self._write(f"{place}/.gitattributes", "\n".join(an_attribute_line(chance) for _ in range(count)))
            self.paths += files

    def _write(self, path: str, text: str) -> None:
        (self.folder / path).write_bytes(text.encode())
        kept = self.ignoring if path.endswith("ignore") else self.attributes
        kept[path.encode()] = text.encode()

    def git(self, *arguments: str) -> list[bytes]:
        told = "".join(f"{path}\0" for path in self.paths).encode()
        command = ["git", *arguments]
        done = subprocess.run(
            command, check=False, input=told, cwd=self.folder, env=CLEAN_ENVIRONMENT, capture_output=True
        )
        assert not done.stderr or b"Negative patterns are ignored" in done.stderr, done.stderr
        return done.stdout.split(b"\0")[:-1]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    return Trees(tmp_path_factory.mktemp("trees"), seed=20)


def test_the_same_paths_are_ignored_by_the_same_lines_as_git_says(trees: Trees) -> None:
    said = trees.git("check-ignore", "--verbose", "--non-matching", "--no-index", "-z", "--stdin")
    expected = {}
    for source, line, pattern, path in zip(*(said[n::4] for n in range(4)), strict=True):
        is_ignored = bool(source) and not pattern.startswith(b"!")
        expected[path.decode()] = f"{source.decode()}:{line.decode()}" if is_ignored else None
    rules = Ignoring(trees.ignoring)

    assert {path: rules.rule_for(path.encode()) for path in trees.paths} == expected
    assert len(expected) == len(trees.paths) > 1_000
    assert 100 < sum(rule is not None for rule in expected.values()) < len(expected) - 100


def test_every_attribute_has_the_value_that_git_says(trees: Trees) -> None:
    said = trees.git("check-attr", "-z", "--stdin", *ASKED)
    expected = {
        (path, name.decode()): value.decode()
        for path, name, value in zip(said[0::3], said[1::3], said[2::3], strict=True)
    }
    rules = Attributes(trees.attributes)
    words: dict[object, str] = {True: "set", False: "unset", None: "unspecified"}

    def ours(path: bytes, name: str) -> str:
        found = rules.of(path).get(name)
        value = found.value if found is not None else None
        return value if isinstance(value, str) else words[value]

    assert {(path, name): ours(path, name) for path, name in expected} == expected
    assert {"set", "unset", "unspecified", "Go", "macro", "false"} <= set(expected.values())
