# ruff: noqa: E501  # a sentence is a cell of a table
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


# By the beginning of a row, for all projects.
SHARED = {
    "definitions: python": "attributes and constants of a module count here, too",
    "definitions: go": "methods of interfaces count here, too",
    "definitions: java": "constants, fields and constructors count here, too",
    "definitions: ruby": "constants that are assigned together on one line are not told apart here",
    "definitions: php": "anonymous classes have no name here; constants and properties count here, too",
    "definitions: csharp": "constants and fields count here, too; parameters of primary constructors that ctags takes for methods",
    "definitions: rust": "`mod name;` is an import here; fields and constants count here, too",
    "definitions: c": "include guards and macros that make functions (`G_DEFINE_TYPE`) are none here; declarations count here, too",
    "definitions: cpp": "include guards are left out on purpose; declarations count here, too; heads behind macros are missed",
    "definitions: typescript": "names of `import { type X }` and of `export { X } from` that ctags takes for definitions; fields and constants count here, too",
    "definitions: javascript": "objects that are assigned to names (`const defaults = {…}`), `exports` and their keys are no definitions here",
}
PERSONS: dict[str, Person] = {
    "flask": Person(
        "Python",
        {
            "test": ("tests/*", "examples/*/tests/*"),
            "docs": ("docs/*.rst", "docs/*.md", "*.md", "*.rst", "LICENSE.txt", "examples/*/LICENSE.txt"),
        },
        ("pyproject.toml flask",),
        explained={
            "imports: python": "examples and test applications that have to be installed, or put on the path by a fixture; the edges lead to the files that are meant"
        },
    ),
    "django": Person(
        "Python",
        {"test": ("tests/*", "js_tests/*", "django/test/*")},
        ("pyproject.toml django-admin", "package.json pretest", "package.json test"),
        explained={
            "files with a language": "a drawing of OmniGraffle, which is XML inside",
            "class: test": "`js_tests/tests.html` is a page that loads tests; its folder is called as none",
            "imports: python": "what docs/conf.py puts on the path (`docs/_ext`), and `sphinx` of tests below their own folder",
            "licence: BSD-3-Clause": "licensecheck calls Python's licence by its oldest part; here it is Python-2.0",
            "dependencies: python, dev": "`docs/requirements.txt`: what documentation is built with is for development here",
            "dependencies: python, runtime": "the same: the file itself says nothing",
        },
    ),
    "cobra": Person(
        "Go",
        {"test": ("*_test.go",), "docs": ("*.md", "LICENSE.txt")},
        explained={"class: docs": "MAINTAINERS, a text without an ending"},
    ),
    "ripgrep": Person(
        "Rust",
        {"test": ("tests/*", "crates/*/tests/*")},
        explained={
            "binary files": "a Brotli stream: it has no NUL, but is no text in UTF-8 either",
            "language: zsh": "zsh is among the shells here",
        },
    ),
    "gson": Person(
        "Java, Maven",
        {"test": ("*/src/test/*",)},
        explained={
            "files with a language": "ProGuard's rules have no language here",
            "class: test": "`TestExecutor.java` of a project that tests shrinking: code, called like a test",
        },
    ),
    "fmt": Person(
        "C++, CMake",
        {"test": ("test/*",)},
        include_folders=("include", "test/gtest", "test"),
        explained={
            "language: cpp": "CUDA is C++ here",
            "language: properties": "Java's properties are `ini` here",
            "files with a language": "a template of CMake (`.cmake.in`) and a syntax of an editor",
            "dependencies: cmake, build": "Threads, of the bundled googletest: manifests among tests belong to what is tested",
            "imports: python": "a script imports what stands beside it, which it has to be started for",
            "inclusions": "one stands where the grammar cannot read",
        },
    ),
    "trpc": Person(
        "a TypeScript monorepo (pnpm)",
        {"test": ("*.test.ts", "*.test.tsx", "*.test-d.ts", "*__tests__/*", "packages/tests/*", "*/test/*", "*/e2e/*")},
        explained={
            "dependencies: javascript, optional": "peer dependencies that `peerDependenciesMeta` calls optional are optional here",
            "dependencies: javascript, peer": "the same: npm has them among its peers",
            "class: test": "generated files among the tests are generated here",
            "imports: typescript and javascript": "packages of the workspace, which pnpm would link into `node_modules`: TypeScript does not find them before, here they lead to their sources; style sheets and documents, which have no types; files below `vendor`, which are left out; `entrypoints.js`, beside which there is an `entrypoints.ts`",
            "entry points": "the first that fit into the metadata are listed; how many there are is told beside them",
        },
    ),
    "thrift": Person(
        "a dozen languages",
        {"test": ("test/*", "*/test/*", "*/tests/*", "*/Tests/*", "*_test.*", "*Test.*", "*Tests.*")},
        include_folders=("lib/cpp/src", "compiler/cpp/src"),
        explained={
            "files with a language": "without a name here: XML of Visual Studio, NuGet, Haxe and others 18, solutions of Visual Studio 4, Smalltalk 2, `configure.ac` 2, `.app.src` of Erlang 2, and three others",
            "class: test": "specifications of Ruby below `spec` are tests here, and two scripts are called as tests; of files that somebody's patterns call tests three are generated, and one is a script of PowerShell",
            "dependencies: cmake, build": "cmake has no scopes: REQUIRED is runtime here, the rest optional; modules that are included by cmake are read where they stand in `cmake/`",
            "dependencies: cmake, dev": "as above",
            "dependencies: cmake, optional": "as above",
            "dependencies: cmake, runtime": "as above",
            "dependencies: dotnet, runtime": "FrameworkReference, and references under a condition, count here, too",
            "dependencies: javascript, constraint": "`overrides` of package.json, which npm pkg get was not asked for",
            "dependencies: php, dev": "`ext-…` names the platform, no package",
            "dependencies: php, optional": "`suggest`",
            "dependencies: php, runtime": "`php` names the platform, no package",
            "dependencies: ruby, dev": "`thin` stands in a group for development, which the lines alone do not say",
            "dependencies: ruby, runtime": "as above",
            "imports: python": "found in a folder that has to be put on the path first",
            "imports: go": "packages that the installed Go (1.19) does not have yet: `slices`, `maps`, `log/slog`",
            "entry points": "programs of CMake, Dockerfiles, .NET, Composer and Bower, which neither cargo nor npm knows",
        },
    ),
}
