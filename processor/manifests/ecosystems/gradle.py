"""Java and Kotlin by Gradle: `*.gradle(.kts)`, `*.versions.toml`, `gradle.properties`, `gradle.lockfile`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from processor.manifests.model import (
    MAX_DEPENDENCIES,
    Dependency,
    Format,
    Manifest,
    Text,
    limited,
    table,
    text_of,
    texts,
)
from processor.manifests.tokens import SLASHES, Statement, Token, argument, statements, tokens
from processor.manifests.toml import Toml

_MODULE = re.compile(r"([\w.$-]{1,150}):([\w.$-]{1,150})(?::([^:@\"']{1,100}))?(?:[:@].{0,100})?")
_RICH = frozenset(("strictly", "require", "prefer"))
_TEST_SET = re.compile(r"^(?:test|\w{1,100}Test)(?:\.|$)")  # a source set: `commonTest`
# `v = ''`, `def v = ''`, `ext.v = ''`, `extra["v"] = ''`, `val v by extra('')`
_SET = re.compile(r"(?:\w+ ){0,3}?(?:ext[.]|(?:ext|extra) )?(?P<name>[A-Za-z_]\w{0,99}) (?:= |by extra )''")
_BRACKETS = frozenset("()[]")
_PROPERTY = re.compile(r"\s*([A-Za-z_][\w.]{0,99})\s*[=:]\s*(\S{1,200})\s*")
_MOST_VARIABLES = 1_000
_SEPARATOR = re.compile(r"[-_]")
_CONFIGURATION = re.compile(r"[a-z]\w{0,80}")
_NO_CONFIGURATION = frozenset(
    (
        "exclude",
        "because",
        "version",
        "project",
        "if",
        "else",
        "for",
        "transitive",
        "println",
        "force",
        "def",
        "val",
        "var",
    )
)
_BUILD = (
    "classpath",
    "annotationprocessor",
    "kapt",
    "ksp",
    "compileonly",
    "compileonlyapi",
    "developmentonly",
    "lintchecks",
    "detektplugins",
)


def parse_gradle(text: Text) -> Manifest:
    """A build script, read and never run: what is written out in its `dependencies` and `plugins` blocks."""
    found: list[Dependency] = []
    variables: dict[str, str] = {}
    name = ""
    for statement in statements(tokens(text, SLASHES)):
        if found and statement.head in _RICH and statement.texts and statement.blocks[-1:] == (("version",),):
            found[-1] = replace(found[-1], constraint=found[-1].constraint or statement.texts[0])
        elif any(words[0].rpartition(".")[2] == "dependencies" for words in statement.blocks if words):
            found += _dependencies(statement)
        elif statement.is_in("plugins"):
            found += _plugins(statement)
        elif statement.head in {"rootProject.name", "archivesBaseName"} and statement.texts:
            name = statement.texts[0]
        elif (match := _SET.fullmatch(_shape(statement))) is not None:
            variables.setdefault(match["name"], statement.texts[-1])
    return Manifest(
        "java",
        name=text_of(name),
        dependencies=limited(found),
        variables=tuple(variables.items())[:_MOST_VARIABLES],
    )


def _shape(statement: Statement) -> str:
    """A short statement with `''` for the text that it ends with, to see whether it sets a variable."""
    listed = [token.value for token in statement.tokens if token.value not in _BRACKETS]
    return " ".join([*listed[:-1], "''"]) if statement.texts and listed[-1] == statement.texts[-1] else ""


def parse_properties(text: Text) -> Manifest:
    """`gradle.properties`: what build scripts call by name."""
    pairs = (match for line in text.lines if (match := _PROPERTY.fullmatch(line[:1_000])) is not None)
    return Manifest("java", variables=tuple((match[1], match[2]) for match in islice(pairs, _MOST_VARIABLES)))


def _dependencies(statement: Statement) -> Iterator[Dependency]:
    if statement.head == "add" and len(statement.tokens) > 3:  # `add("configuration", …)`
        statement = Statement(statement.tokens[2:], statement.blocks)
    first = statement.tokens[0]
    configuration = first.value if first.kind in {"word", "text"} else ""
    if not _CONFIGURATION.fullmatch(configuration) or configuration in _NO_CONFIGURATION or len(statement.tokens) < 2:
        return
    is_of_tests = any(_TEST_SET.search(word) for words in statement.blocks for word in words)
    scope = "test" if is_of_tests else _scope(configuration)
    words = [token.value for token in statement.tokens if token.kind == "word"]
    is_platform = any(word.endswith(("platform", "enforcedPlatform", "Platform")) for word in words[1:])
    group = "platform" if is_platform else ("" if configuration == "implementation" else configuration)
    used = "managed" if is_platform or any(words[0] == "constraints" for words in statement.blocks if words) else scope
    written = [(match, at) for at, token in enumerate(statement.tokens) if (match := _text_module(token))]
    for match, at in written:
        version = match[3] or _added(statement.tokens[at + 1 : at + 3])
        yield Dependency(f"{match[1]}:{match[2]}", version, used, statement.tokens[at].line, group=group)
    if not written:
        yield from _otherwise(statement, words, used, group)


def _text_module(token: Token) -> re.Match[str] | None:
    return _MODULE.fullmatch(token.value) if token.kind == "text" else None


def _added(after: Sequence[Token]) -> str:
    """The variable of `'group:name:' + version`, as it is written in a text."""
    is_added = len(after) == 2 and after[0].value == "+" and after[1].kind == "word"
    return f"${{{after[1].value}}}" if is_added else ""


def _otherwise(statement: Statement, words: list[str], scope: str, group: str) -> Iterator[Dependency]:
    """Named arguments (`group: …, name: …`), `kotlin("…")`, and entries of a version catalog."""
    named, owner = argument(statement.tokens, "name"), argument(statement.tokens, "group")
    if named:
        version = argument(statement.tokens, "version")
        yield Dependency(":".join(filter(None, (owner, named))), version, scope, statement.line, group=group)
    elif "kotlin" in words and (said := [token.value for token in statement.tokens[1:] if token.kind == "text"]):
        version = said[1] if len(said) > 1 else ""
        yield Dependency(f"org.jetbrains.kotlin:kotlin-{said[0]}", version, scope, statement.line, group=group)
    else:
        for token in statement.tokens:
            if token.kind == "word" and token.value.startswith(("libs.", "deps.")):
                yield Dependency(token.value.removesuffix(".get"), "", scope, token.line, group=group)


def _plugins(statement: Statement) -> Iterator[Dependency]:
    if statement.head == "kotlin" and statement.texts:
        yield Dependency(
            f"org.jetbrains.kotlin.{statement.texts[0]}", _version(statement), "build", statement.line, group="plugin"
        )
    elif statement.head == "id" and statement.texts:
        yield Dependency(statement.texts[0], _version(statement), "build", statement.line, group="plugin")
    elif statement.head == "alias":
        names = [token.value for token in statement.tokens[1:] if token.kind == "word"]
        yield from (Dependency(name, "", "build", statement.line, group="plugin") for name in names[:1])


def _version(statement: Statement) -> str:
    is_said = any(token.kind == "word" and token.value == "version" for token in statement.tokens)
    return statement.texts[1] if is_said and len(statement.texts) > 1 else ""


def _scope(configuration: str) -> str:
    lowered = configuration.lower()
    if "test" in lowered:
        return "test"
    return "build" if lowered.endswith(_BUILD) else "runtime"


def parse_version_catalog(text: Text) -> Manifest:
    """`libs.versions.toml`: versions for whoever needs them. Raises ValueError where it is not TOML."""
    toml = Toml(text)
    versions = toml.table("versions")
    found: list[tuple[str, Dependency]] = []
    for alias, item in toml.table("libraries").items():
        found.append((alias, Dependency(*_module(item, versions), "managed", toml.line("libraries", alias))))
    for alias, item in toml.table("plugins").items():
        name, version = _plugin(item, versions)
        line = toml.line("plugins", alias)
        found.append((f"plugins.{alias}", Dependency(name, version, "managed", line, group="plugin")))
    aliases = [(_SEPARATOR.sub(".", alias), dependency) for alias, dependency in found]
    return Manifest(
        "java",
        dependencies=limited(dependency for _, dependency in found),
        aliases=(*aliases, *islice(_bundles(toml, dict(aliases)), MAX_DEPENDENCIES)),
    )


def _bundles(toml: Toml, libraries: Mapping[str, Dependency]) -> Iterator[tuple[str, Dependency]]:
    """Each library of each bundle under the bundle's name."""
    for bundle, named in toml.table("bundles").items():
        alias = f"bundles.{_SEPARATOR.sub('.', bundle)}"
        for library in texts(named):
            if (meant := libraries.get(_SEPARATOR.sub(".", library))) is not None:
                yield alias, meant


def _module(item: object, versions: Mapping[str, object]) -> tuple[str, str]:
    if isinstance(item, str):
        match = _MODULE.fullmatch(item)
        return (f"{match[1]}:{match[2]}", match[3] or "") if match is not None else (item, "")
    entry = table(item)
    module = text_of(entry.get("module")) or f"{text_of(entry.get('group'))}:{text_of(entry.get('name'))}"
    return module, _catalog_version(entry.get("version"), versions)


def _plugin(item: object, versions: Mapping[str, object]) -> tuple[str, str]:
    if isinstance(item, str):
        name, _, version = item.partition(":")
        return name, version
    return text_of(table(item).get("id")), _catalog_version(table(item).get("version"), versions)


def _catalog_version(said: object, versions: Mapping[str, object]) -> str:
    if isinstance(said, str):
        return said
    named = table(said).get("ref")
    rich = versions.get(named) if isinstance(named, str) else said
    entry = table(rich)
    return text_of(rich) or text_of(entry.get("strictly") or entry.get("require") or entry.get("prefer"))


def parse_lock(text: Text) -> Manifest:
    """`gradle.lockfile`: `group:name:version=configurations`. It does not say what is asked for directly."""
    found = []
    for number, line in enumerate(text.lines, 1):
        module, equals, configurations = line.strip().partition("=")
        if equals and (match := _MODULE.fullmatch(module)) is not None:
            is_test = all("test" in one.lower() for one in configurations.split(","))
            scope = "test" if configurations and is_test else ""
            found.append(Dependency(f"{match[1]}:{match[2]}", "", scope, number, version=match[3] or ""))
    return Manifest("java", dependencies=limited(found))


FORMATS = (
    Format(r"[\w.-]+\.gradle(?:\.kts)?", parse_gradle),
    Format(r"[\w.-]+\.versions\.toml", parse_version_catalog),
    Format(r"gradle\.properties", parse_properties),
    Format(r"gradle\.lockfile", parse_lock, is_lock=True),
)
