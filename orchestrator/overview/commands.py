"""How a repository is built, run and tested: what its own files say, each with the line that says so.

In:  the files at the top that were read, by path; the entry points that manifests name.
Out: commands with their purpose: build, run, test or check. Nothing is guessed: a command whose line is not there is
     not told.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

BUILD, RUN, TEST, CHECK = "build", "run", "test", "check"
_PURPOSES = {
    BUILD: {"build", "install", "compile", "setup", "bootstrap", "all"},
    RUN: {"run", "serve", "server", "start", "dev", "up", "watch"},
    TEST: {"test", "tests", "unit", "coverage", "e2e"},
    CHECK: {"check", "lint", "format", "fmt", "typecheck", "ci"},
}
_TARGET = re.compile(r"([A-Za-z][\w-]{0,40})\s*:(?![=:])")
_EACH = 4  # commands of one purpose


@dataclass(frozen=True)
class Convention:
    """By a line of a file at the top, a tool's own command."""

    file: str
    line: str
    purpose: str
    command: str


# file → the line that shows it, as a pattern from its beginning → what is then run
_CONVENTIONS = tuple(
    Convention(*row)
    for row in (
        ("pyproject.toml", r"\[(build-system|project)\]", BUILD, "pip install ."),
        ("setup.py", r"\s*(setuptools\.)?setup\(", BUILD, "pip install ."),
        ("pyproject.toml", r"\[tool\.pytest", TEST, "pytest"),
        ("setup.cfg", r"\[tool:pytest\]", TEST, "pytest"),
        ("pytest.ini", r"\[pytest\]", TEST, "pytest"),
        ("pyproject.toml", r"\[tool\.tox", TEST, "tox"),
        ("tox.ini", r"\[(tox|testenv)", TEST, "tox"),
        ("noxfile.py", r"@(nox\.)?session", TEST, "nox"),
        ("manage.py", r".*execute_from_command_line", RUN, "python manage.py runserver"),
        ("Cargo.toml", r"\[(package|workspace)\]", BUILD, "cargo build"),
        ("Cargo.toml", r"\[(package|workspace)\]", TEST, "cargo test"),
        ("go.mod", r"module\s", BUILD, "go build ./..."),
        ("go.mod", r"module\s", TEST, "go test ./..."),
        ("pom.xml", r"\s*<project", BUILD, "mvn package"),
        ("pom.xml", r"\s*<project", TEST, "mvn test"),
        ("build.gradle", r"\s*(plugins|apply|buildscript|dependencies)\b", BUILD, "gradle build"),
        ("build.gradle", r"\s*(plugins|apply|buildscript|dependencies)\b", TEST, "gradle test"),
        ("build.gradle.kts", r"\s*(plugins|dependencies)\b", BUILD, "gradle build"),
        ("build.gradle.kts", r"\s*(plugins|dependencies)\b", TEST, "gradle test"),
        ("mix.exs", r"\s*use Mix\.Project", TEST, "mix test"),
        ("Package.swift", r".*Package\(", BUILD, "swift build"),
        ("Package.swift", r".*Package\(", TEST, "swift test"),
        ("CMakeLists.txt", r"(?i:project)\s*\(", BUILD, "cmake -B build && cmake --build build"),
        ("CMakeLists.txt", r"(?i:enable_testing)\s*\(", TEST, "ctest --test-dir build"),
        ("meson.build", r"project\s*\(", BUILD, "meson setup build && meson compile -C build"),
        ("Gemfile", r"\s*(source|gem|gemspec)\b", BUILD, "bundle install"),
        ("Rakefile", r".*(TestTask|RSpec|task\s+:?\"?test)", TEST, "rake test"),
        ("Dockerfile", r"FROM\s", BUILD, "docker build ."),
        *((name, r"services:", RUN, "docker compose up") for name in ("compose.yaml", "compose.yml")),
        *((name, r"services:", RUN, "docker compose up") for name in ("docker-compose.yml", "docker-compose.yaml")),
    )
)
_MAKERS = {"Makefile": "make", "makefile": "make", "GNUmakefile": "make", "justfile": "just", "Justfile": "just"}
_SCRIPTS = {"package.json": "npm run", "composer.json": "composer run"}
READ = frozenset({convention.file for convention in _CONVENTIONS} | _MAKERS.keys() | _SCRIPTS.keys())


@dataclass(frozen=True)
class Command:
    """One command, what it is for, and the line that says so."""

    purpose: str
    command: str
    path: str
    line: int


def commands_of(texts: Mapping[str, str], scripts: Iterable[tuple[str, str]]) -> list[Command]:
    """What can be run, by purpose; at most four of each. `scripts` are (path, name) of a manifest's scripts. Pure."""
    found: dict[str, Command] = {}
    for command in (*_targets(texts), *_scripts(texts, scripts), *_by_convention(texts)):
        found.setdefault(command.command, command)
    return [
        command
        for purpose in _PURPOSES
        for command in [one for one in found.values() if one.purpose == purpose][:_EACH]
    ]


def _purpose(name: str) -> str | None:
    word = re.split(r"[-_:.]", name.lower(), maxsplit=1)[0]
    return next((purpose for purpose, words in _PURPOSES.items() if word in words), None)


def _targets(texts: Mapping[str, str]) -> Iterator[Command]:
    """Targets of a Makefile or a justfile."""
    for path, maker in _MAKERS.items():
        for number, line in enumerate(texts.get(path, "").split("\n"), 1):
            target = _TARGET.match(line)
            if target is not None and (purpose := _purpose(target[1])):
                yield Command(purpose, f"{maker} {target[1]}", path, number)


def _scripts(texts: Mapping[str, str], scripts: Iterable[tuple[str, str]]) -> Iterator[Command]:
    """Scripts of a manifest at the top."""
    for path, name in scripts:
        runner, purpose = _SCRIPTS.get(path), _purpose(name)
        if runner is None or purpose is None:
            continue
        lines = texts.get(path, "").split("\n")
        number = next((n for n, line in enumerate(lines, 1) if line.lstrip().startswith(f'"{name}"')), 0)
        if number:
            yield Command(purpose, f"{runner} {name}", path, number)


def _by_convention(texts: Mapping[str, str]) -> Iterator[Command]:
    for convention in _CONVENTIONS:
        pattern = re.compile(convention.line)
        for number, line in enumerate(texts.get(convention.file, "").split("\n"), 1):
            if pattern.match(line):
                yield Command(convention.purpose, convention.command, convention.file, number)
                break
