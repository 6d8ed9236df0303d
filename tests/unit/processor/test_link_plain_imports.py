# ruff: noqa: E501  # files are quoted as they are written
"""Imports of languages that only say a path or the name of a module: Elixir, Swift, Dart, Lua, the shell, CSS, HTML."""

import pytest

from processor.linking.own_modules import is_wanted, known_of
from tests.support.linking import linked

PACKAGE = """\
let package = Package(name: "App", targets: [
  .executableTarget(name: "App", dependencies: ["Core", .product(name: "NIO", package: "swift-nio")]),
  .target(name: "Core"), .target(name: "Odd", path: "Elsewhere/Odd"), .target(name: "NotThere"),
  .testTarget(name: "CoreTests", dependencies: ["Core"]),
])
"""
FILES = {
    "lib/web.ex": "defmodule A.Web do\n  alias A.{Repo, User.Profile}\n  use Phoenix.LiveView\n  require Logger\n  import A.Twice\nend\n",
    "lib/repo.ex": "defmodule A.Repo do\nend\n",
    "lib/user.ex": "defmodule A.User do\n  defmodule Profile do\n  end\nend\n",
    "apps/one/twice.ex": "defmodule A.Twice do\nend\n",
    "apps/two/twice.ex": "defmodule A.Twice do\nend\n",
    "Package.swift": PACKAGE,
    "Sources/App/main.swift": "import Core\nimport Odd\nimport Foundation\nimport struct NIO.ByteBuffer\nimport NotThere\n",
    "Sources/Core/Inner/Thing.swift": "public struct Thing {}\n",
    "Elsewhere/Odd/Odd.swift": "struct Odd {}\n",
    "Tests/CoreTests/T.swift": "@testable import Core\n",
    "dart/pubspec.yaml": "name: me\n",
    "dart/lib/a.dart": "import 'src/b.dart';\nimport 'package:me/src/b.dart';\nimport 'dart:io';\nimport 'package:http/http.dart';\nimport 'package:me/gone.dart';\n",
    "dart/lib/src/b.dart": "class B {}\n",
    "init.lua": "require('app.mod')\nrequire 'app.pkg'\nrequire('socket')\nrequire('string')\n",
    "deep/er/socket.lua": "return {}\n",
    "lua/app/mod.lua": "return {}\n",
    "rocks/app/pkg/init.lua": "return {}\n",
    "bin/run.sh": 'source ./lib.sh\n. "$DIR/lib.sh"\nsource "$(dirname "$0")/lib.sh"\n. /etc/profile\n. "$FILE"\n',
    "bin/lib.sh": "f() { :; }\n",
    "web/pages/index.html": '<script src="/js/app.js?v=1"></script><script src="https://example.org/js/app.js"></script>\n',
    "web/js/app.js": "1\n",
    "web/css/main.css": '@import "base.css";\n@import url("../theme.css");\n',
    "web/css/base.css": "a{}\n",
    "web/theme.css": "b{}\n",
}
DEPENDENCIES = {
    "elixir": frozenset({"phoenix_live_view"}),
    "dart": frozenset({"http"}),
    "swift": frozenset({"swift-nio"}),
}


@pytest.fixture(scope="module")
def imports() -> dict[str, list[tuple[str, str]]]:
    manifests = [(path, text) for path, text in FILES.items() if is_wanted(path)]
    graph = linked(FILES, known_of(manifests, DEPENDENCIES))
    found: dict[str, list[tuple[str, str]]] = {}
    for row in graph.imports.to_pylist():
        found.setdefault(row["path"], []).append((row["resolution"], row["target"]))
    return found


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        (
            "lib/web.ex",
            [
                ("file", "lib/repo.ex"),
                ("file", "lib/user.ex"),
                ("dependency", "phoenix_live_view"),
                ("standard", "Logger"),
                ("unknown", "A.Twice"),  # two files are equally near
            ],
        ),
        (
            "Sources/App/main.swift",
            [
                ("folder", "Sources/Core"),
                ("folder", "Elsewhere/Odd"),
                ("standard", "Foundation"),
                ("dependency", "swift-nio"),
                ("unknown", "NotThere"),
            ],
        ),
        ("Tests/CoreTests/T.swift", [("folder", "Sources/Core")]),
        (
            "dart/lib/a.dart",
            [
                ("file", "dart/lib/src/b.dart"),
                ("file", "dart/lib/src/b.dart"),
                ("standard", "dart:io"),
                ("dependency", "http"),
                ("unknown", "package:me/gone.dart"),
            ],
        ),
        (
            "init.lua",
            [
                ("file", "lua/app/mod.lua"),
                ("file", "rocks/app/pkg/init.lua"),
                ("unknown", "socket"),  # one word alone is not looked for in every folder
                ("standard", "string"),
            ],
        ),
        (
            "bin/run.sh",
            [
                ("file", "bin/lib.sh"),
                ("file", "bin/lib.sh"),
                ("file", "bin/lib.sh"),
                ("unknown", "/etc/profile"),
                ("unknown", "$FILE"),
            ],
        ),
        ("web/pages/index.html", [("file", "web/js/app.js"), ("unknown", "https://example.org/js/app.js")]),
        ("web/css/main.css", [("file", "web/css/base.css"), ("file", "web/theme.css")]),
    ],
)
def test_what_imports_lead_to(
    imports: dict[str, list[tuple[str, str]]], path: str, meant: list[tuple[str, str]]
) -> None:
    assert imports[path] == meant


def test_calls_through_an_alias_of_elixir_lead_to_the_module_that_it_names() -> None:
    files = {
        "lib/web.ex": "defmodule A.Web do\n  alias A.Repo\n  def go(), do: Repo.fetch_users()\nend\n",
        "lib/repo.ex": "defmodule A.Repo do\n  def fetch_users(), do: 1\nend\n",
        "lib/other.ex": "defmodule B.Repo do\n  def fetch_users(), do: 1\nend\n",
    }
    [link] = linked(files).links.to_pylist()

    assert (link["target_path"], link["target"], link["level"]) == ("lib/repo.ex", "A.Repo.fetch_users", "exact")


def test_a_package_swift_that_is_cut_off_or_no_program_has_the_targets_that_can_be_read() -> None:
    known = known_of(
        [("Package.swift", '.target(name: "A"), .target(name: "B", path: "../out'), ("pubspec.yaml", "[")], {}
    )

    assert {target.name for target in known.swift_targets} == {"A"}
    assert not known.dart_packages
