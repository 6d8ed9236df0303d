"""Python by setuptools: `setup.cfg`, `setup.py`. Read, never run."""

import configparser
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from processor.manifests.ecosystems.python import requirement
from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited, text_of
from processor.manifests.tokens import HASH, Token, argument, calls, tokens

_FILES = "file:"  # setuptools reads what is wanted from files
_KEYWORDS = {"install_requires": "runtime", "setup_requires": "build", "tests_require": "test"}
_EXTRA, _POINTS = "extras_require", "entry_points"
# A requirement ends at a semicolon, unless a condition follows.
_SEMICOLON = re.compile(r";(?!\s*(?:\(|(?:python|platform|implementation)_\w|sys_platform|os_name|extra\b))")


def parse_setup_cfg(text: Text) -> Manifest:
    """`setup.cfg`. Raises ValueError where it cannot be read."""
    config = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        config.read_string(text.content)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    meta, options = _section(config, "metadata"), _section(config, "options")
    extras, points = _section(config, "options.extras_require"), _section(config, "options.entry_points")
    return Manifest(
        "python",
        name=text_of(meta.get("name")),
        description=text_of(meta.get("description")),
        licence=text_of(meta.get("license")),
        dependencies=limited(_configured(text, options, extras)),
        includes=tuple(islice(_listed_elsewhere(options, extras), 100)),
        entry_points=tuple(point for group, value in points.items() for point in _points(group, value.splitlines())),
    )


def _configured(text: Text, options: Mapping[str, str], extras: Mapping[str, str]) -> Iterator[Dependency]:
    yield from _lines(text, options.get("install_requires", ""), "runtime", "", "install_requires")
    yield from _lines(text, options.get("setup_requires", ""), "build", "", "setup_requires")
    yield from _lines(text, options.get("tests_require", ""), "test", "", "tests_require")
    for name, value in extras.items():
        yield from _lines(text, value, "optional", name, name)


def _listed_elsewhere(options: Mapping[str, str], extras: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The files that setuptools is told to read requirements from, with their scopes."""
    groups = ((options.get(key, ""), scope) for key, scope in _KEYWORDS.items())
    for value, scope in (*groups, *((value, "optional") for value in extras.values())):
        if value.strip().startswith(_FILES):
            for path in re.split(r"[\n,]", value.strip().removeprefix(_FILES)):
                if path.strip():
                    yield path.strip(), "" if scope == "runtime" else scope


def _section(config: configparser.ConfigParser, name: str) -> dict[str, str]:
    return {key: value or "" for key, value in config[name].items()} if config.has_section(name) else {}


def _lines(text: Text, value: str, scope: str, group: str, key: str) -> Iterator[Dependency]:
    if value.strip().startswith(_FILES):
        return
    line = max(1, text.find(key))
    parts = value.splitlines() if "\n" in value else _SEMICOLON.split(value)
    for written in filter(None, (part.strip() for part in parts)):
        name, constraint = requirement(written)
        if name:
            line = text.find(written, from_line=line) or line
            yield Dependency(name, constraint, scope, line, group=group)


def parse_setup_py(text: Text) -> Manifest:
    """`setup.py`, read and never run: the lists that are written out in it, also where a name stands for one."""
    found, points = list[Dependency](), list[EntryPoint]()
    name = description = licence = ""
    listed = list(calls(tokens(text, HASH)))
    means = {key: key for key in (*_KEYWORDS, _EXTRA, _POINTS)}
    for call in listed:
        if call.name.rpartition(".")[2] == "setup":
            name, description, licence = (argument(call.inside, key) for key in ("name", "description", "license"))
            means |= {variable: key for key, variable in _variables(call.inside, tuple(means))}
    for call in listed:
        around = {means.get(one, "") for one in call.around}
        if _POINTS in around and call.mark == "[":
            points += _points(call.name, (token.value for token in call.inside if token.kind == "text"))
        key = means.get(call.name, "")
        scope = _KEYWORDS.get(key) or ("optional" if _EXTRA in around and key != _EXTRA else "")
        group, _, condition = call.name.partition(":") if scope == "optional" else ("", "", "")
        for token in call.inside if scope else ():
            wanted, constraint = requirement(token.value) if token.kind == "text" else ("", "")
            if wanted:
                used = "runtime" if condition and not group else scope  # `":python_version < '3'"` is of no extra
                found.append(Dependency(wanted, constraint, used, token.line, group=group))
    return Manifest(
        "python",
        name=text_of(name),
        description=text_of(description),
        licence=licence,
        dependencies=limited(found),
        entry_points=tuple(points[:200]),
    )


def _variables(inside: Sequence[Token], keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(key, variable) of `key=variable` in a call; `key=read("file")` names none."""
    for place, (key, mark, value) in enumerate(zip(inside, inside[1:], inside[2:], strict=False)):
        after = inside[place + 3].value if place + 3 < len(inside) else ","
        if key.value in keys and mark.value == "=" and value.kind == "word" and after == ",":
            yield key.value, value.value


def _points(group: str, lines: Iterable[str]) -> Iterator[EntryPoint]:
    for name, equals, target in (line.partition("=") for line in lines):
        if equals and name.strip():
            yield EntryPoint(name.strip(), target.strip(), "command" if group == "console_scripts" else group)


FORMATS = (Format(r"setup\.cfg", parse_setup_cfg), Format(r"setup\.py", parse_setup_py))
