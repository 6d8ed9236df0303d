"""What names a definition without calling it: found, told apart from names of a function's own, and bounded."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.languages.namings import LANGUAGES, naming_of
from processor.languages.references import MAX_LOOKED_AT, places_of
from processor.linking.own_modules import is_wanted, known_of
from processor.stages.parse import parse_source
from tests.support.linking import linked
from tests.support.sources import a_source

PYTHON = {
    "app/models.py": "LIMIT = 3\nclass User:\n    def run(self): ...\ndef helper(x): return x\n",
    "app/__init__.py": "from .models import LIMIT as LIMIT, User as User\n",
    "app/main.py": """\
import os
from app import LIMIT, User
from app import models as m

class A(User):
    kept: User = None
    def on(self, user: "User", other: User, m=None) -> list[User]:
        os.path.join(m.LIMIT)
        return map(self.done, [])
    def done(self):
        User()
        yield User, LIMIT, os.sep
    def hidden(self):
        for LIMIT in (1,): print(LIMIT)
        A

@m.helper
def g(key=LIMIT, limit=m.LIMIT):
    isinstance(key, (User, A))
    f(User=1)
    return m.helper, m.User.run
""",
}
SCRIPT = {
    "src/m.ts": "export const LIMIT = 3\nexport class User {}\nexport type Opts = {}\nexport function helper() {}\n",
    "src/a.ts": """\
import { User, helper, LIMIT, type Opts } from "./m"
import * as ns from "./m"
class A extends User {
  f: ns.User = LIMIT
  m(o: Opts, User: any) { call(this.k, helper); return { LIMIT, x: User } }
  k() { return new User(ns.LIMIT) }
}
interface B { u: User; g(x: Opts): void }
""",
}
GO = {
    "model/user.go": "package model\n\ntype User struct{}\n\nconst Max = 3\n",
    "model/err.go": "package model\n\nvar ErrX = 1\n",
    "go.mod": "module example.com/x\n",
    "main.go": """\
package main

import (
	"fmt"
	m "example.com/x/model"
)

type T struct{ u m.User }

func F(u m.User, o []T) (*T, int) {
	fmt.Println(u, F, m.Max)
	return &T{}, m.ErrX
}

func G() { T := 2; H(T) }
""",
}
JAVA = {
    "src/a/b/User.java": "package a.b;\npublic class User { }\n",
    "src/a/Main.java": """\
package a;
import a.b.User;
class Main {
  User kept;
  User m(java.util.List<User> l, Object User2) {
    if (l instanceof User) return null;
    return new User();
  }
  void n() { int User = 1; use(User); }
}
""",
}


def uses(files: Mapping[str, str], kind: str = "use") -> list[tuple[str, str, str, str]]:
    """(path, who names, what is named, level), as they come."""
    known = known_of([(path, text) for path, text in files.items() if is_wanted(path)], {})
    rows = linked(files, known).links.to_pylist()
    return [(row["path"], row["source"], row["target"], row["level"]) for row in rows if row["kind"] == kind]


def test_names_of_python_lead_to_what_they_mean() -> None:
    main = "app/main.py"

    assert uses(PYTHON) == [
        (main, "A.on", "User", "exact"),
        (main, "A.on", "A.done", "exact"),
        (main, "A.done", "LIMIT", "inferred"),
        (main, "A.hidden", "A", "exact"),
        (main, "g", "LIMIT", "inferred"),
        (main, "g", "User", "exact"),
        (main, "g", "A", "exact"),
        (main, "g", "helper", "exact"),
        (main, "g", "User.run", "exact"),
    ]


def test_a_module_is_not_taken_for_the_variable_of_its_name() -> None:
    files = {
        "app/__init__.py": "",
        "app/cli.py": "class Group: ...\ncli = Group()\n",
        "app/a.py": "from . import cli\ndef f():\n    return cli.Group, cli.cli\n",
        "app/b.py": "from .cli import cli\ndef g():\n    return cli\n",
    }

    assert [(source, target) for _, source, target, _ in uses(files)] == [("f", "Group"), ("f", "cli"), ("g", "cli")]


def test_an_import_counts_where_nothing_else_in_the_file_leads_there() -> None:
    assert uses(PYTHON, "import") == [
        ("app/__init__.py", "", "LIMIT", "exact"),
        ("app/__init__.py", "", "User", "exact"),
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            SCRIPT,
            {("A", "LIMIT"), ("A.m", "Opts"), ("A.m", "A.k"), ("A.m", "helper"), ("A.m", "LIMIT"), ("A.k", "LIMIT")}
            | {("B", "User"), ("B", "Opts")},
        ),
        (GO, {("T", "User"), ("F", "User"), ("F", "Max"), ("F", "ErrX")}),
        (JAVA, {("Main", "User")}),
    ],
)
def test_names_of_other_languages_do_too(files: Mapping[str, str], expected: set[tuple[str, str]]) -> None:
    assert {(source, target) for _, source, target, _ in uses(files)} == expected


def test_what_is_called_or_derived_from_is_not_said_twice() -> None:
    rows = linked(PYTHON).links.to_pylist()
    ends = [(row["path"], row["source"], row["target_path"], row["target"]) for row in rows if row["kind"] != "call"]

    assert len(ends) == len(set(ends))
    called = {(row["source"], row["target"]) for row in rows if row["kind"] in {"call", "inherit"}}
    assert {("A", "User"), ("A.done", "User")} <= called
    assert called.isdisjoint((source, target) for _, source, target, _ in uses(PYTHON))


def test_where_files_stand_in_shards_changes_nothing() -> None:
    backwards = dict(reversed(PYTHON.items()))

    assert sorted(uses(backwards)) == sorted(uses(PYTHON))


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_file_of_nothing_but_its_own_names_ends_in_time(language: str) -> None:
    text = "import a\n" + "a.b\nA.b\n" * 4 * MAX_LOOKED_AT

    parsed = parse_source(a_source(f"x.{language}", text).model_copy(update={"language": language}))

    assert len([edge for edge in parsed.edges if edge["kind"] == "use"]) <= 1_000


TOKENS = ("a", "aa", "ab", "$a", "a1", "1a", "self", "this", "cls", ".", "(", " ", "\n", "\0", "=", "ä", "self.a", "b(")
NAMES = st.sets(st.sampled_from([b"a", b"aa", b"ab", b"$a", b"self"]))


@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join), NAMES, NAMES)
def test_every_whole_word_is_looked_at_that_is_a_name_and_not_called(
    written: str, tops: set[bytes], members: set[bytes]
) -> None:
    text = written.encode()
    words = [word for word in re.finditer(rb"[\w$]+", text) if text[word.end() : word.end() + 1] != b"("]
    alone = [word.start() for word in words if word[0] in tops and text[word.start() - 1 : word.start()] != b"."]
    asked = [word.start() for word in words if word[0] in members]
    own = [at for at in asked if text[:at].endswith((b"self.", b"this.", b"cls."))]

    naming = naming_of("python")
    assert naming is not None
    assert places_of(text, tops, members, naming) == sorted(alone + own)
