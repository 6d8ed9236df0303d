"""Visibility, complexity, size, imports by their names, receivers and types: what one file says of its code."""

import pytest

from processor.stages.parse import parse_source
from tests.support.sources import a_source

VISIBILITY = {
    "a.py": (
        (
            "class A:\n    def run(self): ...\n    def _step(self): ...\n    def __x(self): ...\n"
            "    def __len__(self): ...\n"
            "def _help():\n    def inner(): ...\n"
        ),
        {
            "A": "public",
            "run": "public",
            "_step": "protected",
            "__x": "private",
            "__len__": "public",
            "_help": "internal",
        }
        | {"inner": "private"},
    ),
    "a.ts": (
        (
            "export class A {\n  run() {}\n  private step() {}\n  protected mid() {}\n  #own() {}\n}\n"
            "function help() {}\nfunction later() {}\nexport { later }\n"
        ),
        {"A": "public", "run": "public", "step": "private", "mid": "protected", "#own": "private"}
        | {"help": "internal", "later": "public"},
    ),
    "a.go": ("package a\nfunc Run() {}\nfunc step() {}\n", {"Run": "public", "step": "internal"}),
    "a.rs": (
        "pub fn run() {}\npub(crate) fn mid() {}\nfn step() {}\npub trait T { fn ask(&self); }\n",
        {"run": "public", "mid": "internal", "step": "private", "T": "public", "ask": "public"},
    ),
    "A.java": (
        (
            "public class A {\n  @Deprecated\n  public void run() {}\n  void mid() {}\n  private void step() {}\n}\n"
            "interface B { void ask(); }\n"
        ),
        {"A": "public", "run": "public", "mid": "internal", "step": "private", "B": "internal", "ask": "internal"},
    ),
    "a.kt": (
        "class A {\n  fun run() = 1\n  private fun step() = 1\n  internal fun mid() = 1\n}\n",
        {"A": "public", "run": "public", "step": "private", "mid": "internal"},
    ),
    "a.cs": (
        "public class A {\n  public void Run() {}\n  void Step() {}\n  protected void Mid() {}\n}\nclass B {}\n",
        {"A": "public", "Run": "public", "Step": "private", "Mid": "protected", "B": "internal"},
    ),
    "a.cpp": (
        (
            "class A {\n  void own() {}\npublic:\n  void run() {}\nprotected:\n  void mid() {}\n};\n"
            "struct S { void open() {} };\nstatic void help() {}\n"
        ),
        {"A": "public", "own": "private", "run": "public", "mid": "protected", "S": "public", "open": "public"}
        | {"help": "internal"},
    ),
    "a.c": (
        "static int help(void) { return 1; }\nint run(void) { return 2; }\n",
        {"help": "internal", "run": "public"},
    ),
    "a.rb": (
        "class A\n  def run\n  end\n\n  private\n\n  def step\n  end\nend\nclass B\n  def free\n  end\nend\n",
        {"A": "public", "run": "public", "step": "private", "B": "public", "free": "public"},
    ),
    "a.php": (
        "<?php\nclass A {\n  function run() {}\n  private function step() {}\n}\n",
        {"A": "public", "run": "public", "step": "private"},
    ),
    "a.js": (
        "export function run() {}\nfunction help() {}\nclass A { own() {} }\nexport default A\n",
        {"run": "public", "help": "internal", "A": "public", "own": "public"},
    ),
}
BRANCHED = {
    "a.py": "def f(a, b):\n    if a and b:\n        return 1\n    elif b:\n        return [x for x in b if x]\n"
    "    return 2\n",
    "a.js": "function f(a, b) {\n  if (a && b) return 1\n  else if (b) return 2\n  for (const x of b) a ? x : b\n}\n",
    "a.go": "package a\nfunc f(a, b bool) {\n\tif a && b {\n\t} else if b {\n\t}\n\tfor {\n"
    "\t\tswitch { case a: }\n\t}\n}\n",
    "a.rs": "fn f(a: bool, b: bool) {\n  if a && b {} else if b {}\n  loop { match a { true => {}, } }\n}\n",
    "A.java": "class A { int f(boolean a, boolean b) {\n  if (a && b) return 1; else if (b) return 2;\n"
    "  for (;;) { a = a ? b : a; } } }\n",
    "a.kt": "fun f(a: Boolean, b: Boolean) {\n  if (a && b) {} else if (b) {}\n  for (x in y) { while (a) {} }\n}\n",
    "a.cs": "class A { int F(bool a, bool b) {\n  if (a && b) return 1; else if (b) return 2;\n"
    "  for (;;) { a = a ? b : a; } } }\n",
    "a.c": "int f(int a, int b) {\n  if (a && b) return 1; else if (b) return 2;\n  for (;;) { a = a ? b : a; } }\n",
    "a.cpp": "int f(int a, int b) {\n  if (a && b) return 1; else if (b) return 2;\n"
    "  for (auto x : y) { a = a ? b : a; } }\n",
    "a.rb": "def f(a, b)\n  if a && b\n    1\n  elsif b\n    2\n  end\n  a ? b : a while b\nend\n",
    "a.php": "<?php\nfunction f($a, $b) {\n  if ($a && $b) {} elseif ($b) {}\n"
    "  foreach ($b as $x) { $a ? 1 : 2; }\n}\n",
}
IMPORTS = {
    "a.py": (
        "import os.path as p\nfrom .. import x\nfrom .m import (a as b,\n  c)\nfrom z import *\n",
        [("os.path", "", "p", 0), ("", "x", "", 2), ("m", "a", "b", 1), ("m", "c", "", 1), ("z", "*", "", 0)],
    ),
    "a.ts": (
        (
            "import d, { a as b, type C } from './m'\nimport * as ns from 'pkg'\nimport 'side'\n"
            "export { x } from './y'\n"
            "export * from './z'\n"
        ),
        [
            ("./m", "default", "d", 1),
            ("./m", "a", "b", 1),
            ("./m", "C", "", 1),
            ("pkg", "", "ns", 0),
            ("side", "", "", 0),
            ("./y", "x", "", 1),
            ("./z", "*", "", 1),
        ],
    ),
    "a.js": (
        "const m = require('./m')\nconst { a, b: c } = require('pkg')\nimport('./late')\n",
        [("./m", "", "m", 1), ("pkg", "a", "", 0), ("pkg", "b", "c", 0), ("pkg", "", "", 0), ("./late", "", "", 1)],
    ),
    "a.go": (
        'package a\nimport (\n\t"fmt"\n\tl "x.org/log"\n\t. "x.org/all"\n)\n',
        [("fmt", "", "", 0), ("x.org/log", "", "l", 0), ("x.org/all", "*", "", 0)],
    ),
    "a.rs": (
        "use a::b::{self, c as d, e::*};\nuse std::io;\nmod inner;\n",
        [
            ("a::b", "", "", 0),
            ("a::b", "c", "d", 0),
            ("a::b::e", "*", "", 0),
            ("std", "io", "", 0),
            ("self::inner", "", "inner", 1),
        ],
    ),
    "A.java": (
        "import a.b.C;\nimport a.d.*;\nimport static a.E.f;\n",
        [("a.b.C", "", "", 0), ("a.d", "*", "", 0), ("a.E", "f", "", 0)],
    ),
    "a.kt": ("import a.b.C as D\nimport a.e.*\n", [("a.b.C", "", "D", 0), ("a.e", "*", "", 0)]),
    "a.scala": (
        (
            "import b.{Help, D => E, /* not */ F as G, H => _}\nimport a.B, c.d.X\nimport e._\nimport f.{g, *}\n"
            "import h\nimport k.m as n\nimport o.given\nimport p.{given Q, R}\nobject K { import s.`t` }\n"
        ),
        [
            ("b.D", "", "E", 0),
            ("b.F", "", "G", 0),
            ("b.Help", "", "", 0),
            ("a.B", "", "", 0),
            ("c.d.X", "", "", 0),
            ("e", "*", "", 0),
            ("f", "*", "", 0),
            ("f.g", "", "", 0),
            ("h", "", "", 0),
            ("k.m", "", "n", 0),
            ("o", "", "", 0),
            ("p.R", "", "", 0),
            ("s.t", "", "", 0),
        ],
    ),
    "a.cs": ("using A.B;\nusing X = C.D;\n", [("A.B", "*", "", 0), ("C.D", "", "X", 0)]),
    "a.c": ('#include "x/y.h"\n#include <stdio.h>\n', [("x/y.h", "", "", 1), ("stdio.h", "", "", 0)]),
    "a.rb": ("require 'a/b'\nrequire_relative 'c'\n", [("a/b", "", "", 0), ("c", "", "", 1)]),
    "a.php": (
        "<?php\nuse A\\B\\C as D;\nuse E\\{F, G as H};\n",
        [("A\\B\\C", "", "D", 0), ("E\\F", "", "", 0), ("E\\G", "", "H", 0)],
    ),
}
RECEIVERS = {
    "a.py": (
        (
            "class A:\n    def __init__(self):\n        self.b = B(1)\n"
            "    def f(self, c: 'C | None', d: Optional[D]):\n"
            "        self.b.go()\n        c.go()\n        d.go()\n        make(1, (2)).go()\n"
            "        super().go()\n        go()\n"
        ),
        [("self.b", "B()"), ("c", "C"), ("d", "D"), ("make()", ""), ("super()", ""), ("", "")],
    ),
    "a.ts": (
        "class A {\n  b: B\n  f(c: C) { this.b.go(); c.go(); const d = new D(); d.go(); go() }\n}\n",
        [("this.b", "B"), ("c", "C"), ("d", "D"), ("", "")],
    ),
    "a.go": (
        "package a\nfunc (a *A) f(c *C) {\n\ta.go_()\n\tc.go_()\n\td := &D{}\n\td.go_()\n}\n",
        [("a", "A"), ("c", "C"), ("d", "D")],
    ),
    "A.java": (
        "class A { B b; void f(C<X> c) { b.go(); c.go(); go(); new D().go(); } }\n",
        [("b", "B"), ("c", "C"), ("", ""), ("newD()", "")],
    ),
    "a.cs": (
        "class A { B b; void F(C c) { b.go(); c.go(); var d = new D(); d.go(); } }\n",
        [("b", "B"), ("c", "C"), ("d", "D")],
    ),
    "a.php": (
        "<?php\nfunction f(C $c) { $c->go(); $d = new D(); $d->go(); E::go(); }\n",
        [("$c", "C"), ("$d", "D"), ("E", "")],
    ),
}


@pytest.mark.parametrize("path", VISIBILITY)
def test_a_definition_says_who_may_use_it(path: str) -> None:
    text, expected = VISIBILITY[path]
    found = {str(symbol["name"]): symbol["visibility"] for symbol in parse_source(a_source(path, text)).symbols}

    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("path", BRANCHED)
def test_complexity_counts_each_place_where_the_flow_divides(path: str) -> None:
    symbols = parse_source(a_source(path, BRANCHED[path])).symbols

    assert {symbol["complexity"] for symbol in symbols if symbol["kind"] in {"function", "method"}} == {6}
    assert {symbol["complexity"] for symbol in symbols if symbol["kind"] not in {"function", "method"}} <= {0}


def test_branches_of_an_inner_function_are_its_own() -> None:
    inner = "        def g(b):\n            if b and a:\n                pass\n"
    text = f"def f(a):\n    if a:\n{inner}    # said\n\n    return a  # too\n"
    symbols = parse_source(a_source("a.py", text)).symbols

    assert [(s["name"], s["complexity"], s["code_lines"]) for s in symbols] == [("f", 2, 6), ("g", 3, 3)]


@pytest.mark.parametrize("path", IMPORTS)
def test_an_import_says_what_it_brings_from_where(path: str) -> None:
    text, expected = IMPORTS[path]
    edges = parse_source(a_source(path, text)).edges

    assert [(e["module"], e["name"], e["alias"], e["level"]) for e in edges if e["kind"] == "import"] == expected


@pytest.mark.parametrize("path", RECEIVERS)
def test_a_call_says_what_it_is_asked_of_and_which_type_that_has(path: str) -> None:
    text, expected = RECEIVERS[path]
    calls = [edge for edge in parse_source(a_source(path, text)).edges if edge["kind"] == "call"]
    names = [call for call in calls if str(call["target"]).split(".")[-1] in {"go", "go_"}]

    assert [(call["receiver"], call["receiver_type"]) for call in names] == expected


def test_a_name_that_is_given_two_types_has_none() -> None:
    text = "def f(a):\n    x = A()\n    x = B()\n    x.go()\n"
    [call] = [edge for edge in parse_source(a_source("a.py", text)).edges if edge["target"] == "x.go"]

    assert call["receiver_type"] == ""


def test_fields_and_variables_of_a_file_say_their_types() -> None:
    text = "app = Flask()\nclass A:\n    b: B\n    def f(self):\n        self.c = C()\n        d = D()\n"
    typed = [edge for edge in parse_source(a_source("a.py", text)).edges if edge["kind"] == "typed"]

    assert [(e["source"], e["name"], e["target"]) for e in typed] == [
        (None, "app", "Flask()"),
        ("A", "b", "B"),
        ("A", "c", "C()"),
    ]


def test_imports_nested_without_end_are_read_as_far_as_they_are_names() -> None:
    text = "use a::" + "{b::" * 3_000 + "c" + "}" * 3_000 + ";\nfn f() {}\n"
    parsed = parse_source(a_source("a.rs", text))

    assert parsed.outcome["outcome"] in {"parsed", "lines"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.js", "/* istanbul ignore next */ function a() {}\nfunction b() {}\n/* says c */  \nfunction c() {}\n"),
        ("a.c", "/* unused */ int a(void) { return 1; }\nint b(void) { return 2; }\n/* says c */\r\nint c(void);\n"),
        ("A.java", "class K {\n/** no\n * more */ int a() {}\nint b() {}\n/** says\n * c */\nint c() {}\n}\n"),
        ("a.scala", "object K {\n/* only a */ def a = 1\ndef b = 2\n/* says c */\ndef c = 3\n}\n"),
    ],
)
def test_a_comment_before_code_on_its_line_says_nothing_of_what_comes_below(path: str, text: str) -> None:
    said = {str(one["name"]): one["docstring"] for one in parse_source(a_source(path, text)).symbols}

    assert said["b"] == ""
    assert str(said["c"]).split() == ["says", "c"]
