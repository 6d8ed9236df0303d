"""What names a definition without calling it: a small project of each language, with what only looks like that."""

from collections.abc import Mapping

import pytest

from processor.linking.own_modules import is_wanted, known_of
from tests.support.linking import linked

C = {
    "user.h": "#define LIMIT 3\ntypedef struct user { int age; } user_t;\ntypedef int (*hook_t)(user_t *);\n"
    "enum mood { GOOD };\n",
    "main.c": """\
#include "user.h"
struct later;
static user_t first = { 1 };
static int helper(user_t *one) { return 1; }
int f(user_t *one, enum mood how) {
    hook_t on = helper;
    int limits[LIMIT];
    return one->LIMIT;
}
int g(int first) {
    goto helper;
helper:
    puts("user_t LIMIT"); /* user_t */
    return first;
}
int h(void) { return sizeof(user_t) + first.age; }
int size(void) { size_t LIMIT = 1; return LIMIT; }
""",
}
CPP = {
    "user.h": "namespace app {\nclass User { public: enum class Mood { Good }; void run(); };\nstruct Opts {};\n"
    "template <typename T> struct Box { T kept; };\n}\n",
    "main.cpp": """\
#include "user.h"
namespace app {
class Later;
class A : public User {
  Box<Opts> box_;
  User::Mood mood_;
};
template <typename Later> Later pass(Later value) { return value; }
}
app::User* make(const std::vector<app::Later>& User) { return nullptr; }
void f() { auto p = &app::User::run; catching([](const app::Opts& one) {}); }
void g(other::User one) { puts("User Opts"); }
""",
    "sort.cpp": '#include "user.h"\nnamespace app { Opts h(Opts one) { Box<int> Opts; return Opts; } }\n',
}
CSHARP = {
    "src/Models/User.cs": "namespace App.Models {\npublic class User { public const int Max = 3; }\n"
    "public interface IRun { }\npublic class Opts { }\n}\n",
    "src/Other/User.cs": "namespace App.Other {\npublic class Opts { }\n}\n",
    "src/Main.cs": """\
using App.Models;
namespace App {
class A<Opts> {
  const int Limit = User.Max;
  IRun kept;
  User[] All { get; set; }
  string Name(int other = Limit) { return nameof(A); }
  bool M(object one, List<User> many) {
    if (one is User found) return true;
    var text = $"{Limit} User";
    return new { User = 1 } == typeof(Opts);
  }
  void N() { Run(User: 1); var IRun = 1; Use(IRun); goto Limit; Limit: ; }
  App.Other.Opts O() => null;
}
}
""",
}
RUBY = {
    "lib/app/user.rb": "module App\n  LIMIT = 3\n  class User\n    MAX = LIMIT\n  end\n"
    "  class Bad < StandardError; end\nend\n",
    "lib/main.rb": """\
require "app/user"
module App
  class Main
    OWN = { User: 1, "User" => :User }
    def run(user = User)
      rescuing { MAX }
    rescue Bad, ::App::User => e
      OWN
    end

    def on(one)
      case one when App::User then 1 end
      one.Bad
    end
  end
end
""",
}
PHP = {
    "composer.json": '{"autoload": {"psr-4": {"App\\\\": "src/", "Lib\\\\": "lib/"}}}',
    "src/User.php": "<?php\nnamespace App;\nclass User { const MAX = 3; public static $all; }\n",
    "src/Opts.php": "<?php\nnamespace App;\ninterface Opts {}\nclass Exception {}\n",
    "lib/Made.php": "<?php\nnamespace Lib;\nclass Made {}\nclass Far {}\n",
    "src/Main.php": """\
<?php
namespace App;
use Lib\\Made as M;
class Main extends User {
  const OWN = self::LIMIT;
  const LIMIT = User::MAX;
  private ?M $made = null;
  function run(User $Opts, Opts|array $o = []): M { return $Opts->Opts; }
  function bad($e) { if ($e instanceof \\Exception) { throw new User(); } }
  function far(Far $f) { return [User::class, 'Opts', "Opts"]; }
  function named() { call(Opts: 1); goto Opts; Opts: return static::LIMIT; }
}
""",
}
RUST = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "1.0.0"\n',
    "src/lib.rs": "mod user;\nmod main_part;\n",
    "src/user.rs": "pub const LIMIT: usize = 3;\npub struct User { pub age: u8 }\npub enum Mood { Good }\n"
    "pub trait Run {}\npub fn helper() {}\n",
    "src/main_part.rs": """\
use crate::user::{helper, Mood, Run, User, LIMIT};
struct A<T: Run> { user: User, kept: T }
impl<T: Run> A<T> {
    const OWN: usize = LIMIT;
    fn run(&self, one: &User) -> Option<Mood> {
        let found = match self.mood { Mood::Good => LIMIT, _ => Self::OWN };
        one.age.map(helper)
    }
    fn hidden<Mood>(helper: fn(), LIMITS: Mood) { let call = helper; println!("User LIMIT"); }
}
fn labels() { 'helper: loop { break 'helper; } }
fn fields(a: A<u8>) -> u8 { a.user; let B { LIMIT: one, .. } = a; one }
""",
}
KOTLIN = {
    "src/app/model/User.kt": "package app.model\nclass User {\n  companion object {\n    const val MAX = 3\n  }\n}\n"
    "class Opts\nenum class Mood { GOOD }\nfun helper(x: Int) = x\nval top = 1\n",
    "src/app/Near.kt": "package app\ninterface Near\n",
    "src/app/Main.kt": """\
package app
import app.model.User
import app.model.Mood as M
import app.model.helper
@Ann(User::class)
class A<Opts>(val kept: List<User>, near: Near? = null) : Base(LIMIT), Near {
  fun run(one: Any, mood: M = M.GOOD): User? {
    if (one is User) return one
    return listOf(1).map(::helper)
  }
  fun hidden(helper: Int) { val User = 1; use(User, helper); call(Near = 1) }
  fun other(x: Opts): Int = LIMIT
  fun text() = "User Near" // Near
}
const val LIMIT = 3
""",
}
SCALA = {
    "src/app/User.scala": "package app\nclass User\nobject User { val Max = 3 }\ntrait Run\ncase class Opts(x: Int)\n",
    "src/app/Main.scala": """\
package app
class A[Opts](val kept: User) extends Base(1) with Run {
  val all: List[User] = Nil
  def run(one: Any): Run = one match { case u: User => null }
  def hidden(Run: Int) = { call(Run, User = 1) }
  def text(o: Opts) = "Run User" // Run
}
""",
}
SWIFT = {
    "Sources/App/User.swift": "public struct User { static let max = 3 }\nprotocol Run {}\nclass Opts {}\n",
    "Sources/App/Main.swift": """\
import Foundation
class A<Opts>: Base, Run {
  let kept: [User] = []
  func run(_ one: Any, by other: Run?) -> User? { return one as? User }
  func hidden(User: Int) -> Int { return User }
  func named(x: Opts) { call(Run: 1); print("User Run") }
}
let limit = 3
func g() -> Int { return limit }
""",
}
PYTHON = {
    "a.py": "LIMIT = 3\nclass User: ...\n",
    "b.py": "from a import LIMIT, User\n\ndef f(**kept): ...\n\ndef g():\n    f(x=LIMIT)\n    f(User=1)\n\n"
    "class A:\n    field = f(default=User)\n",
}
CASES = [
    (C, {"": "user_t", "helper": "user_t", "f": "LIMIT helper hook_t mood user_t", "h": "first user_t"}),
    (
        CPP,
        {
            "app::A": "app::Box app::Opts app::User::Mood",
            "app::h": "app::Box app::Opts",
            "f": "app::Opts app::User::run",
            "make": "app::User",
        },
    ),
    (
        CSHARP,
        {
            "App.A": "App.Models.IRun App.Models.User",
            "App.A.M": "App.A.Limit App.Models.User",
            "App.A.Name": "App.A App.A.Limit",
        },
    ),
    (
        RUBY,
        {
            "App::Main::on": "App::User",
            "App::Main::run": "App::Bad App::Main::OWN App::User",
            "App::User": "App::LIMIT",
        },
    ),
    (
        PHP,
        {"Main": "Made Main::LIMIT", "Main::far": "User", "Main::named": "Main::LIMIT", "Main::run": "Made Opts User"},
    ),
    (RUST, {"A": "LIMIT Run User", "A::run": "A::OWN LIMIT Mood User helper", "fields": "A"}),
    (KOTLIN, {"A": "LIMIT User", "A.other": "LIMIT", "A.run": "Mood User helper"}),
    (SCALA, {"A": "User", "A.run": "Run User"}),
    (SWIFT, {"A": "User", "A.run": "Run User", "g": "limit"}),
    (PYTHON, {"A": "User", "g": "LIMIT"}),
]


@pytest.mark.parametrize(("files", "expected"), CASES, ids=[list(files)[-1].rpartition(".")[2] for files, _ in CASES])
def test_what_is_named_is_found_and_nothing_that_only_looks_like_it(
    files: Mapping[str, str], expected: Mapping[str, str]
) -> None:
    known = known_of([(path, text) for path, text in files.items() if is_wanted(path)], {})
    found: dict[str, set[str]] = {}
    for row in linked(files, known).links.to_pylist():
        if row["kind"] == "use":
            found.setdefault(row["source"], set()).add(row["target"])

    assert {source: " ".join(sorted(targets)) for source, targets in found.items()} == expected
