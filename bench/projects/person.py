"""What a person who looked at each project says of it: which files are what, and why the rest differs."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Person:
    """`classes` are git's patterns by class; `entry_points` what manifests of no tool's name, as `path name`.

    `include_folders` are where a compiler looks for headers; `not_judged` manifests that no reader here knows;
    `explained` says, by row, why it differs.
    """

    what: str
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    entry_points: tuple[str, ...] = ()
    include_folders: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = (".github/",)
    explained: Mapping[str, str] = field(default_factory=dict)


PERSONS: dict[str, Person] = {
    "flask": Person(
        "Python",
        {
            "test": ("tests/*", "examples/*/tests/*"),
            "docs": ("docs/*.rst", "docs/*.md", "*.md", "*.rst", "LICENSE.txt", "examples/*/LICENSE.txt"),
        },
        ("pyproject.toml flask",),
    ),
    "django": Person("Python", {"test": ("tests/*", "js_tests/*", "django/test/*")}, ("pyproject.toml django-admin",)),
    "cobra": Person("Go", {"test": ("*_test.go",), "docs": ("*.md", "LICENSE.txt")}),
    "ripgrep": Person("Rust", {"test": ("tests/*", "crates/*/tests/*")}),
    "gson": Person("Java, Maven", {"test": ("*/src/test/*",)}),
    "fmt": Person("C++, CMake", {"test": ("test/*",)}, include_folders=("include", "test/gtest", "test")),
    "trpc": Person("a TypeScript monorepo", {"test": ("*.test.ts", "*.test.tsx", "packages/tests/*")}),
    "thrift": Person(
        "a dozen languages", {"test": ("test/*", "lib/*/test/*")}, include_folders=("lib/cpp/src", "compiler/cpp/src")
    ),
}
