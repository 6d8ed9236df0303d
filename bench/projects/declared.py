"""Dependencies and entry points as each ecosystem's own tool reads a manifest; where none runs here, as a person does.

Every function gives (manifest, name, scope) of what a manifest asks for, in the words of the product's scopes.
"""

import json
import os
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from packaging.requirements import InvalidRequirement, Requirement

from processor.manifests.model import scope_of_group

Asked = tuple[str, str, str]
_MAVEN = "{http://maven.apache.org/POM/4.0.0}"
_SECTIONS = {
    "dependencies": "runtime",
    "devDependencies": "dev",
    "peerDependencies": "peer",
    "optionalDependencies": "optional",
}


def python(root: Path, path: str) -> Iterator[Asked]:
    """tomllib and packaging, for pyproject.toml (PEP 621, PEP 735)."""
    said = tomllib.loads((root / path).read_text())
    project = said.get("project", {})
    for line in said.get("build-system", {}).get("requires", []):
        yield path, _named(line), "build"
    for line in project.get("dependencies", []):
        yield path, _named(line), "runtime"
    for lines in project.get("optional-dependencies", {}).values():
        for line in lines:
            yield path, _named(line), "optional"
    for group, lines in said.get("dependency-groups", {}).items():
        for line in lines:
            if isinstance(line, str):
                yield path, _named(line), scope_of_group(group)


def requirements(root: Path, path: str) -> Iterator[Asked]:
    """packaging, line by line; what the list is for is in its name or folder.

    In a list that a tool has compiled, `# via` and a package says that it is there for that one alone.
    """
    words = {"py3": "runtime", "requirements": "runtime"}
    scope = "test" if "tests" in Path(path).parts else words.get(Path(path).stem, "dev")
    text = (root / path).read_text()
    wanted = re.compile(r"^(?P<line>[^\s#-].*?)(?:\\?\s*\n\s+--hash.*)*(?P<via>(?:\n[ ]+#.*)*)$", re.MULTILINE)
    is_compiled = "    # via" in text
    for found in wanted.finditer(text):
        reasons = [line.strip(" #").removeprefix("via").strip() for line in found["via"].splitlines()]
        asked = any("(" in reason or "-r " in reason or ".in" in reason for reason in reasons) or not is_compiled
        name = _named(found["line"].split(" #")[0].rstrip(" \\"))
        yield path, name, scope if asked or not any(reasons) else "transitive"


def _named(line: str) -> str:
    try:
        return Requirement(line).name
    except InvalidRequirement:
        return line


def go(root: Path, path: str) -> Iterator[Asked]:
    """`go mod edit -json`."""
    for wanted in json.loads(_run(root / path, "go", "mod", "edit", "-json", str(root / path))).get("Require") or []:
        yield path, wanted["Path"], "transitive" if wanted.get("Indirect") else "runtime"


def rust(root: Path, path: str) -> Iterator[Asked]:
    """`cargo metadata --no-deps`."""
    said = json.loads(_cargo(root, path))
    kinds = {None: "runtime", "dev": "dev", "build": "build"}
    for package in said["packages"]:
        if Path(package["manifest_path"]) == root / path:
            for wanted in package["dependencies"]:
                scope = "optional" if wanted["optional"] and wanted["kind"] is None else kinds[wanted["kind"]]
                yield path, wanted["name"], scope


def javascript(root: Path, path: str) -> Iterator[Asked]:
    """`npm pkg get`. A package among the optional or peer ones is not counted again among the others."""
    said = json.loads(_run(root / path, "npm", "pkg", "get", "--workspaces=false", *_SECTIONS))
    for section, scope in _SECTIONS.items():
        for name in said.get(section, {}):
            yield path, name, scope


def maven(root: Path, path: str) -> Iterator[Asked]:
    """The elements of a `pom.xml`, read with Python's own parser: Maven itself wants its plugins from the network."""
    project = ET.parse(root / path).getroot()
    if (parent := project.find(f"{_MAVEN}parent")) is not None:
        yield path, _maven_name(parent), "build"
    for part in (project, *project.findall(f"{_MAVEN}profiles/{_MAVEN}profile")):
        for one in part.findall(f"{_MAVEN}build/{_MAVEN}plugins/{_MAVEN}plugin"):
            yield path, _maven_name(one), "build"
        for one in part.findall(f"{_MAVEN}build/{_MAVEN}pluginManagement/{_MAVEN}plugins/{_MAVEN}plugin"):
            yield path, _maven_name(one), "managed"
        for one in part.findall(f"{_MAVEN}dependencies/{_MAVEN}dependency"):
            scope = one.findtext(f"{_MAVEN}scope") or "compile"
            is_optional = one.findtext(f"{_MAVEN}optional") == "true"
            yield path, _maven_name(one), "optional" if is_optional else _maven_scope(scope)
        for one in part.findall(f"{_MAVEN}dependencyManagement/{_MAVEN}dependencies/{_MAVEN}dependency"):
            yield path, _maven_name(one), "managed"


def _maven_name(one: ET.Element) -> str:
    group = one.findtext(f"{_MAVEN}groupId") or "org.apache.maven.plugins"  # Maven's own, where a plugin names none
    return f"{group}:{one.findtext(f'{_MAVEN}artifactId')}"


def _maven_scope(scope: str) -> str:
    return {"test": "test", "provided": "build"}.get(scope, "runtime")


def cmake(root: Path, path: str) -> Iterator[Asked]:
    """`find_package` and `pkg_check_modules` of a trace that cmake writes while it configures the project."""
    with tempfile.TemporaryDirectory(prefix="bench-cmake-") as folder:
        trace = Path(folder) / "trace.json"
        command = ["cmake", "-S", str((root / path).parent), "-B", f"{folder}/build", "--trace-format=json-v1"]
        subprocess.run([*command, f"--trace-redirect={trace}"], capture_output=True, check=False)
        for line in trace.read_text().splitlines():
            said = json.loads(line)
            written = str(said.get("file", ""))
            if said.get("cmd") == "find_package" and written.startswith(str(root)):
                yield str(Path(written).relative_to(root)), str(said["args"][0]), "build"


def composer(root: Path, path: str) -> Iterator[Asked]:
    """The sections of composer.json; what names the platform (`php`, `ext-json`) is asked for as well."""
    said = json.loads((root / path).read_text())
    for section, scope in (("require", "runtime"), ("require-dev", "dev")):
        for name in said.get(section, {}):
            yield path, name, scope


def dotnet(root: Path, path: str) -> Iterator[Asked]:
    """`PackageReference` of a project file."""
    for one in ET.parse(root / path).getroot().iter():
        if one.tag.rpartition("}")[2] == "PackageReference" and "Include" in one.attrib:
            yield path, one.attrib["Include"], "runtime"


def gems(root: Path, path: str) -> Iterator[Asked]:
    """Lines of a Gemfile or of a gemspec, as a person reads them."""
    for line in (root / path).read_text().splitlines():
        wanted = re.match(r"\s*(?:gem|\w+\.add_(\w*_?)dependency)[ (]+['\"]([\w-]+)", line)
        if wanted is not None:
            yield path, wanted[2], "dev" if wanted[1] == "development_" else "runtime"


READERS: dict[str, tuple[str, str, Callable[[Path, str], Iterator[Asked]]]] = {
    "pyproject.toml": ("python", "tomllib + packaging", python),
    "requirements": ("python", "packaging", requirements),
    "go.mod": ("go", "go mod edit -json", go),
    "Cargo.toml": ("rust", "cargo metadata", rust),
    "package.json": ("javascript", "npm pkg get", javascript),
    "pom.xml": ("maven", "the elements, read", maven),
    "CMakeLists.txt": ("cmake", "cmake --trace", cmake),
    "composer.json": ("php", "the sections, read", composer),
    ".csproj": ("dotnet", "the elements, read", dotnet),
    "Gemfile": ("ruby", "the lines, read", gems),
    ".gemspec": ("ruby", "the lines, read", gems),
}


def crate_binaries(root: Path, path: str) -> Iterator[str]:
    """What cargo would build as commands."""
    for package in json.loads(_cargo(root, path))["packages"]:
        if Path(package["manifest_path"]) == root / path:
            yield from (target["name"] for target in package["targets"] if "bin" in target["kind"])


def _cargo(root: Path, path: str) -> str:
    options = ["--no-deps", "--offline", "--format-version", "1", "--manifest-path"]
    return _run(root / path, "cargo", "metadata", *options, str(root / path))


def _run(manifest: Path, *command: str) -> str:
    environment = {**os.environ, "RUSTUP_TOOLCHAIN": "stable"}  # not the one that a project asks for
    done = subprocess.run(command, cwd=manifest.parent, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def package_scripts(root: Path, path: str) -> Iterator[str]:
    """Commands and scripts of a package.json."""
    said = json.loads((root / path).read_text())
    commands = said.get("bin", {})
    yield from commands if isinstance(commands, dict) else [str(said.get("name", "")).rpartition("/")[2]]
    yield from said.get("scripts", {})
