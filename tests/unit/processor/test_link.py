"""A whole repository linked: imports to files, calls to definitions, each with how sure that is."""

from collections.abc import Mapping

import pyarrow as pa
import pytest

from events.artifacts import SymbolRow
from processor.linking.meanings import Known
from processor.linking.own_modules import known_of
from processor.stages.link import Repository, link
from runtime.parquet import schema_of
from tests.support.linking import linked


def calls(files: Mapping[str, str], known: Known | None = None) -> list[tuple[str, str, str, str]]:
    """(who calls, file of what is called, what is called, level), sorted."""
    rows = linked(files, known).links.to_pylist()
    found = [(row["source"], row["target_path"], row["target"], row["level"]) for row in rows if row["kind"] == "call"]
    return sorted(found)


def imports(files: Mapping[str, str], known: Known | None = None) -> list[tuple[str, str]]:
    return [(row["resolution"], row["target"]) for row in linked(files, known).imports.to_pylist()]


PYTHON = {
    "src/zoo/__init__.py": "from .dog import Dog as Dog\nfrom . import tools\n",
    "src/zoo/animal.py": "class Animal:\n    def eat(self): ...\n    def sleep(self):\n        self.eat()\n",
    "src/zoo/dog.py": "from .animal import Animal\n\nclass Dog(Animal):\n    def bark(self) -> 'Dog':\n"
    "        self.eat()\n        super().sleep()\n        return self\n",
    "src/zoo/tools.py": "def clean_everything(): ...\n",
    "tests/test_zoo.py": "import os\nimport zoo\nfrom zoo import Dog, tools\n\ndef test(given: Dog, other):\n"
    "    given.bark().sleep()\n    zoo.Dog()\n    tools.clean_everything()\n    os.getcwd()\n    other.eat()\n"
    "    other.clean_everything()\n    unknown_function()\n    len(other)\n    local = Dog()\n    local.bark()\n",
}


def test_calls_are_found_through_scopes_imports_bases_and_types() -> None:
    dog, animal, tools = "src/zoo/dog.py", "src/zoo/animal.py", "src/zoo/tools.py"

    assert calls(PYTHON) == sorted(
        [
            ("Animal.sleep", animal, "Animal.eat", "exact"),
            ("Dog.bark", animal, "Animal.eat", "inferred"),
            ("Dog.bark", animal, "Animal.sleep", "inferred"),
            ("test", animal, "Animal.sleep", "inferred"),
            ("test", dog, "Dog.bark", "inferred"),
            ("test", dog, "Dog", "exact"),
            ("test", tools, "clean_everything", "exact"),
            ("test", tools, "clean_everything", "named"),
            ("test", dog, "Dog", "exact"),
            ("test", dog, "Dog.bark", "inferred"),
        ]
    )


def test_what_has_no_edge_is_counted_by_its_reason() -> None:
    counts = linked(PYTHON).counts

    # os.getcwd() and len() are not of the repository, super() is no definition; nobody knows whose eat() is meant.
    assert (counts["calls.outside"], counts["calls.unknown"]) == (3, 2)


def test_a_name_of_several_definitions_is_ambiguous_and_has_no_edge() -> None:
    files = {
        "a.py": "class A:\n    def rebalance(self): ...\n",
        "b.py": "class B:\n    def rebalance(self): ...\n",
        "c.py": "def f(x):\n    x.rebalance()\n",
    }

    assert calls(files) == []
    assert linked(files).counts == {"calls.ambiguous": 1}


def test_bases_are_edges_and_files_are_connected() -> None:
    found = linked(PYTHON)
    inherited = [row for row in found.links.to_pylist() if row["kind"] == "inherit"]
    rows = {row["path"]: row for row in found.connections.to_pylist()}

    assert [(row["source"], row["target"], row["level"]) for row in inherited] == [("Dog", "Animal", "exact")]
    assert (rows["src/zoo/dog.py"]["imports"], rows["src/zoo/dog.py"]["imported_by"]) == (1, 1)
    assert (rows["src/zoo/dog.py"]["functions"], rows["src/zoo/dog.py"]["complexity"]) == (1, 1)
    connected = found.facts["connected"]
    assert isinstance(connected, list)
    assert next(row["path"] for row in connected) == "tests/test_zoo.py"


def test_places_name_the_rows_of_the_shards() -> None:
    [row] = [row for row in linked(PYTHON).links.to_pylist() if row["source"] == "Animal.sleep"]

    assert (row["source_shard"], row["source_ordinal"], row["target_shard"], row["target_ordinal"]) == (1, 2, 1, 1)


def test_the_same_rows_give_the_same_tables() -> None:
    one, other = linked(PYTHON), linked(PYTHON)

    assert (one.links, one.imports, one.connections, one.facts) == (
        other.links,
        other.imports,
        other.connections,
        other.facts,
    )


def test_python_imports_mean_files_dependencies_or_the_standard_library() -> None:
    known = Known({"python": frozenset({"pyyaml", "flask"})})
    files = {
        "pkg/__init__.py": "",
        "pkg/sub/__init__.py": "",
        "pkg/sub/a.py": "from . import b\nfrom .. import c\nfrom ..missing import d\nfrom .b import x\n"
        "import pkg.c as y\n",
        "pkg/sub/b.py": "import yaml\nimport flask.views\nimport json.decoder\nimport nowhere\n",
        "pkg/c.py": "",
    }

    assert imports(files, known) == [
        ("file", "pkg/sub/b.py"),
        ("file", "pkg/c.py"),
        ("unknown", ""),
        ("file", "pkg/sub/b.py"),
        ("file", "pkg/c.py"),
        ("dependency", "pyyaml"),
        ("dependency", "flask"),
        ("standard", "json"),
        ("unknown", "nowhere"),
    ]


GO_MAIN = "func main() { fmt.Println(zoo.New().Bark()) }\n"
OTHERS = {
    "typescript": (
        {"src/a.ts": "import { b } from './b.js'\nimport x from 'react'\nimport fs from 'node:fs'\nb()\n"}
        | {"src/b.ts": "export function b() {}\n", "src/c.tsx": "import * as all from '.'\n", "src/index.ts": ""},
        [("file", "src/b.ts"), ("dependency", "react"), ("standard", "fs"), ("file", "src/index.ts")],
        [("", "src/b.ts", "b", "exact")],
    ),
    "go": (
        {"cmd/main.go": 'package main\nimport (\n\t"fmt"\n\t"x.org/p/zoo"\n)\n' + GO_MAIN}
        | {"zoo/dog.go": "package zoo\ntype Dog struct{}\nfunc New() *Dog { return newDog() }\n"}
        | {"zoo/more.go": "package zoo\nfunc newDog() *Dog { return nil }\nfunc (d *Dog) Bark() {}\n"},
        [("standard", "fmt"), ("folder", "zoo")],
        [
            ("main", "zoo/more.go", "Dog.Bark", "inferred"),
            ("main", "zoo/dog.go", "New", "exact"),
            ("New", "zoo/more.go", "newDog", "exact"),
        ],
    ),
    "java": (
        {
            "src/p/A.java": "package p;\nimport q.B;\n"
            "class A { B b; void run() { b.go(); help(); new C().go(); } void help() {} }\n",
            "src/q/B.java": "package q;\nimport p.C;\npublic class B extends C { }\n",
            "src/p/C.java": "package p;\npublic class C { public void go() {} }\n",
        },
        [("file", "src/q/B.java"), ("file", "src/p/C.java")],
        [
            ("A.run", "src/p/C.java", "C.go", "inferred"),
            ("A.run", "src/p/C.java", "C.go", "inferred"),
            ("A.run", "src/p/C.java", "C", "exact"),
            ("A.run", "src/p/A.java", "A.help", "exact"),
        ],
    ),
    "rust": (
        {"src/lib.rs": "mod zoo;\nuse crate::zoo::Dog;\nuse std::io;\nfn run() { Dog::make(); }\n"}
        | {"src/zoo.rs": "pub struct Dog;\nimpl Dog { pub fn make() {} }\n"},
        [("file", "src/zoo.rs"), ("file", "src/zoo.rs"), ("standard", "std")],
        [("run", "src/zoo.rs", "Dog::make", "exact")],
    ),
    "c": (
        {"src/a.c": '#include "a.h"\n#include <stdio.h>\nint main(void) { return helper(); }\n'}
        | {"src/a.h": "int helper(void);\n", "src/b.c": "int helper(void) { return 1; }\n"},
        [("file", "src/a.h"), ("standard", "stdio.h")],
        [("main", "src/b.c", "helper", "inferred")],
    ),
    "ruby": (
        {"lib/a.rb": "require 'json'\nrequire_relative 'b'\nclass A < B\n  def run\n    help_me()\n  end\nend\n"}
        | {"lib/b.rb": "class B\n  def help_me\n  end\nend\n"},
        [("standard", "json"), ("file", "lib/b.rb")],
        [("A::run", "lib/b.rb", "B::help_me", "inferred")],
    ),
    "php": (
        {"src/A.php": "<?php\nnamespace P;\nuse P\\Q\\B;\nfunction f(B $b) { $b->go(); B::make(); }\n"}
        | {"src/Q/B.php": "<?php\nnamespace P\\Q;\nclass B { function go() {} static function make() {} }\n"},
        [("file", "src/Q/B.php")],
        [("f", "src/Q/B.php", "B::go", "inferred"), ("f", "src/Q/B.php", "B::make", "inferred")],
    ),
    "kotlin": (
        {"src/p/A.kt": "package p\nimport q.B\nfun f(b: B) { b.go() }\n"}
        | {"src/q/B.kt": "package q\nclass B {\n  fun go() = 1\n}\n"},
        [("file", "src/q/B.kt")],
        [("f", "src/q/B.kt", "B.go", "inferred")],
    ),
    "scala": (
        {"src/a/A.scala": "package a\nimport b.{Help, D => E}\nobject A { def run() = { Help.go(); E.stop() } }\n"}
        | {"src/b/All.scala": "package b\nobject Help { def go() = 1 }\nobject D { def stop() = 2 }\n"},
        [("file", "src/b/All.scala"), ("file", "src/b/All.scala")],
        [("A.run", "src/b/All.scala", "D.stop", "exact"), ("A.run", "src/b/All.scala", "Help.go", "exact")],
    ),
    "csharp": (
        {"A.cs": "using System;\nclass A { B b; void F() { b.Go(); } }\n", "B.cs": "class B { public void Go() {} }\n"},
        [("standard", "System")],
        [("A.F", "B.cs", "B.Go", "inferred")],
    ),
}


@pytest.mark.parametrize("language", OTHERS)
def test_other_languages_are_linked_by_their_own_rules(language: str) -> None:
    files, expected_imports, expected_calls = OTHERS[language]
    known = known_of(
        [("go.mod", "module x.org/p\n"), ("package.json", '{"name": "own"}')], {"javascript": frozenset({"react"})}
    )

    assert imports(files, known) == expected_imports
    assert calls(files, known) == sorted(expected_calls)


def test_a_jvm_import_leads_to_the_file_that_defines_it_whatever_that_is_called() -> None:
    files = {
        "src/main/kotlin/com/ex/a/App.kt": "package com.ex.a\nimport com.ex.b.help\nimport com.ex.b.Point\n"
        "import com.ex.b.Kind.LARGE\nimport com.ex.b.twice\nimport com.ex.b.gone\nimport com.ex.c.*\n"
        "import b.Point\nimport d.Point\nfun run(p: Point) { help(); p.move() }\n",
        "src/main/kotlin/com/ex/b/Models.kt": "package com.ex.b\nfun help() = 1\nclass Point { fun move() = 2 }\n"
        "enum class Kind { LARGE }\nfun twice() = 1\n",
        "src/main/kotlin/com/ex/b/More.kt": "package com.ex.b\nfun twice(n: Int) = n\n",
        "src/main/kotlin/com/ex/c/Other.kt": "package com.ex.c\nfun other() = 1\n",
    }
    models, package = "src/main/kotlin/com/ex/b/Models.kt", "src/main/kotlin/com/ex/b"

    assert imports(files) == [
        *([("file", models)] * 3),
        *([("folder", package)] * 2),
        ("folder", "src/main/kotlin/com/ex/c"),
        ("unknown", "b.Point"),
        ("unknown", "d.Point"),
    ]
    assert [call[:3] for call in calls(files)] == [("run", models, "Point.move"), ("run", models, "help")]


def test_a_package_of_the_repository_is_no_dependency() -> None:
    known = known_of([("libs/own/package.json", '{"name": "@me/own"}'), ("bad/package.json", "{")], {})
    files = {"app.ts": "import { a } from '@me/own'\n", "libs/own/src/index.ts": "export const a = 1\n"}

    assert imports(files, known) == [("file", "libs/own/src/index.ts")]


def test_rows_of_older_artifacts_are_linked_by_what_they_have() -> None:
    edges = pa.table({"path": ["a.py"], "kind": ["import"], "source": [None], "target": ["os.path"], "line": [1]})
    symbols = schema_of(SymbolRow).empty_table().drop_columns(["visibility", "complexity", "code_lines"])
    found = link(Repository({"a.py": "python"}, lambda: [(0, symbols)], lambda: [(0, edges)], Known()))

    assert [(row["resolution"], row["target"]) for row in found.imports.to_pylist()] == [("standard", "os")]


def test_cycles_of_imports_and_bases_come_to_an_end() -> None:
    files = {
        "a.py": "from b import X\nclass A(X):\n    pass\nA().nothing_here()\n",
        "b.py": "from a import X\nfrom a import A as B\nclass C(C): ...\nC().nothing_here()\n",
    }

    assert [call[2] for call in calls(files)] == ["A", "C"]


def test_typescript_finds_files_by_the_paths_of_its_nearest_configuration() -> None:
    files = {
        "web/src/app.ts": "import { f } from '@/lib/f';\nimport { g } from 'shared/g';\nimport x from '~env';\n"
        "import { h } from 'lib/h';\nimport { z } from '@/../../../outside';\n",
        "web/src/lib/f.ts": "export function f() {}\n",
        "web/src/lib/h/index.tsx": "export function h() {}\n",
        "web/env.ts": "export default 1;\n",
        "shared/src/g.ts": "export function g() {}\n",
        "other/a.ts": "import { f } from '@/lib/f';\n",
    }
    base = '{"compilerOptions": {"baseUrl": "src", /* all of it */ "paths": {"@/*": ["*"], "~env": ["../env"],\n'
    base += '"shared/*": ["../nowhere/*", "../../shared/src/*"],}, // the last\n}}'
    known = known_of([("web/tsconfig.json", '{"extends": "./tsconfig.base"}'), ("web/tsconfig.base.json", base)], {})

    assert imports(files, known) == [
        ("file", "web/src/lib/f.ts"),
        ("file", "shared/src/g.ts"),
        ("file", "web/env.ts"),
        ("file", "web/src/lib/h/index.tsx"),
        ("unknown", "@/.."),
        ("unknown", "@/lib"),
    ]


def test_a_configuration_of_references_alone_is_read_by_them_and_a_broken_one_says_nothing() -> None:
    files = {"src/a.ts": "import { f } from '#lib';\n", "src/lib.ts": "export function f() {}\n"}
    split = [("tsconfig.json", '{"files": [], "references": [{"path": "./tsconfig.app.json"}]}')]
    split += [("tsconfig.app.json", '{"compilerOptions": {"paths": {"#lib": ["./src/lib.ts"]}}}')]

    assert imports(files, known_of(split, {})) == [("file", "src/lib.ts")]
    for broken in (
        "{",
        "[]",
        '{"extends": "./tsconfig.json"}',
        '{"compilerOptions": {"paths": {"#lib": 1}}}',
        "/*" * 99,
    ):
        assert imports(files, known_of([("tsconfig.json", broken)], {})) == [("unknown", "#lib")]


def test_php_finds_classes_where_composer_loads_them_from() -> None:
    files = {
        "app/run.php": "<?php\nuse Acme\\Shop\\Cart\\Item;\nuse Acme\\Shop\\Tests\\ItemTest;\nuse Else\\Where;\n",
        "lib/Cart/Item.php": "<?php\nnamespace Acme\\Shop\\Cart;\nclass Item {}\n",
        "old/Cart/Item.php": "<?php\nnamespace Old\\Cart;\nclass Item {}\n",
        "checks/ItemTest.php": "<?php\nnamespace Acme\\Shop\\Tests;\nclass ItemTest {}\n",
    }
    composer = '{"autoload": {"psr-4": {"Acme\\\\Shop\\\\": ["missing/", "lib/"]}},'
    composer += ' "autoload-dev": {"psr-4": {"Acme\\\\Shop\\\\Tests\\\\": "checks"}}}'

    assert imports(files, known_of([("composer.json", composer)], {})) == [
        ("file", "lib/Cart/Item.php"),
        ("file", "checks/ItemTest.php"),
        ("unknown", "Else\\Where"),
    ]
