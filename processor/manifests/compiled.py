"""Go, Rust, C and C++: `go.mod`, `Cargo.toml`, `CMakeLists.txt`, `vcpkg.json`, `conanfile.txt`."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping

from processor.manifests.model import Dependency, EntryPoint, Manifest, Text, limited, table, text_of

_GO = re.compile(r"(?:require\s+)?([\w.~/-]{1,200}\.[\w.~/-]{1,200})\s+(v[\w.+-]{1,100})(\s*//\s*indirect)?\s*$")
_FIND_PACKAGE = re.compile(
    r"^\s*find_package\s*\(\s*([\w.+-]{1,100})(?:\s+(\d[\w.]{0,30}))?([^)\n]{0,300})", re.IGNORECASE
)
_PROJECT = re.compile(r"^\s*project\s*\(\s*([\w.+-]{1,100})", re.IGNORECASE)
_EXECUTABLE = re.compile(r"^\s*add_executable\s*\(\s*([\w.+-]{1,100})", re.IGNORECASE)
_CARGO = {"dependencies": "runtime", "dev-dependencies": "dev", "build-dependencies": "build"}


def parse_go_mod(text: Text) -> Manifest:
    """`go.mod`: the module and what it requires; what only others require is `indirect`."""
    name, found, block = "", [], ""
    for number, line in enumerate(text.lines, 1):
        bare = line.strip()
        if bare.startswith("module "):
            name = bare.removeprefix("module ").strip().strip('"')
        elif bare.endswith("("):
            block = bare[:-1].strip()
        elif bare == ")":
            block = ""
        elif (match := _GO.match(bare)) is not None and (block == "require" or bare.startswith("require ")):
            found.append(Dependency(match[1], match[2], "indirect" if match[3] else "runtime", number))
    return Manifest("go", name=text_of(name), dependencies=limited(found))


def parse_cargo(text: Text) -> Manifest:
    """`Cargo.toml`. Raises ValueError where it is not TOML."""
    document = tomllib.loads(text.content)
    package, workspace = table(document.get("package")), table(document.get("workspace"))
    targets = [table(target) for target in table(document.get("target")).values()]
    found = [item for part in (document, *targets) for item in _crates(text, part)]
    found += _crate_table(text, table(workspace.get("dependencies")), "workspace", "[workspace.dependencies]")
    listed = document.get("bin")
    programs = [table(item) for item in listed] if isinstance(listed, list) else []
    return Manifest(
        "rust",
        name=text_of(package.get("name")),
        description=text_of(package.get("description")),
        licence=text_of(package.get("license")),
        dependencies=limited(found),
        entry_points=tuple(EntryPoint(text_of(item.get("name")), text_of(item.get("path"))) for item in programs),
    )


def _crates(text: Text, part: Mapping[str, object]) -> Iterator[Dependency]:
    for key, scope in _CARGO.items():
        yield from _crate_table(text, table(part.get(key)), scope, f"{key}]")


def _crate_table(text: Text, crates: Mapping[str, object], scope: str, heading: str) -> Iterator[Dependency]:
    after = text.heading(heading)
    for name, wanted in crates.items():
        version = table(wanted).get("version") if isinstance(wanted, Mapping) else wanted
        optional = isinstance(wanted, Mapping) and table(wanted).get("optional") is True
        yield Dependency(name, text_of(version), "optional" if optional else scope, text.line_of(name, after=after))


def parse_cmake(text: Text) -> Manifest:
    """`CMakeLists.txt`: project, packages it looks for, programs it builds."""
    name, found, programs = "", [], []
    for number, line in enumerate(text.lines, 1):
        if (match := _FIND_PACKAGE.match(line)) is not None:
            scope = "runtime" if "REQUIRED" in (match[3] or "") else "optional"
            found.append(Dependency(match[1], match[2] or "", scope, number))
        elif not name and (match := _PROJECT.match(line)) is not None:
            name = match[1]
        elif (match := _EXECUTABLE.match(line)) is not None:
            programs.append(EntryPoint(match[1], ""))
    return Manifest("cpp", name=name, dependencies=limited(found), entry_points=tuple(programs[:100]))


def parse_vcpkg(text: Text) -> Manifest:
    """`vcpkg.json`. Raises ValueError where it is not JSON."""
    document = table(json.loads(text.content))
    listed = document.get("dependencies")
    found = []
    for item in listed if isinstance(listed, list) else []:
        name = text_of(item if isinstance(item, str) else table(item).get("name"))
        version = text_of(table(item).get("version>="))
        found.append(Dependency(name, f">={version}" if version else "", "runtime", text.line_of(name)))
    return Manifest(
        "cpp",
        name=text_of(document.get("name")),
        description=text_of(document.get("description")),
        licence=text_of(document.get("license")),
        dependencies=limited(found),
    )


def parse_conanfile(text: Text) -> Manifest:
    """`conanfile.txt`: the `requires` sections."""
    found, scope = [], ""
    scopes = {
        "[requires]": "runtime",
        "[build_requires]": "build",
        "[tool_requires]": "build",
        "[test_requires]": "test",
    }
    for number, line in enumerate(text.lines, 1):
        bare = line.partition("#")[0].strip()
        if bare.startswith("["):
            scope = scopes.get(bare, "")
        elif bare and scope:
            name, _, version = bare.partition("/")
            found.append(Dependency(name, version.partition("@")[0], scope, number))
    return Manifest("cpp", dependencies=limited(found))
