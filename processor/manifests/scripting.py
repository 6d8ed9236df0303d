"""Ruby and PHP: `Gemfile`, `*.gemspec`, `composer.json`."""

import json
import re

from processor.manifests.model import Dependency, EntryPoint, Manifest, Text, limited, table, text_of, texts

_QUOTED = r"[\"']([^\"'\n]{1,150})[\"']"
_GEM = re.compile(rf"^\s*gem\s*\(?\s*{_QUOTED}(.{{0,300}})")
_GROUP = re.compile(r"^\s*group\s*\(?\s*(.{1,200}?)\)?\s+do\b")
_WORD = re.compile(r":(\w{1,50})")
_VERSION = re.compile(r"[\"']\s*((?:[~<>=!]{1,2}\s*)?\d[\w.]{0,50})[\"']")
_SPEC = re.compile(rf"\.add_(runtime_|development_)?dependency[\s(]{{1,5}}{_QUOTED}(.{{0,300}})")
_FIELD = re.compile(rf"^\s*\w+\.(name|summary|license)\s*=\s*{_QUOTED}")


def parse_gemfile(text: Text) -> Manifest:
    """`Gemfile`, line by line; gems in a `group` block have that scope."""
    found, scope, depth = [], "runtime", 0
    for number, line in enumerate(text.lines, 1):
        if (group := _GROUP.match(line)) is not None:
            scope, depth = "+".join(_WORD.findall(group[1])) or "runtime", 1
        elif depth and re.match(r"\s*end\b", line):
            scope, depth = "runtime", 0
        elif (gem := _GEM.match(line)) is not None:
            found.append(Dependency(gem[1], ", ".join(_VERSION.findall(gem[2])), scope, number))
    return Manifest("ruby", dependencies=limited(found))


def parse_gemspec(text: Text) -> Manifest:
    """A gem's specification, line by line."""
    found, fields = [], {}
    for number, line in enumerate(text.lines, 1):
        if (spec := _SPEC.search(line)) is not None:
            scope = "dev" if spec[1] == "development_" else "runtime"
            found.append(Dependency(spec[2], ", ".join(_VERSION.findall(spec[3])), scope, number))
        elif (said := _FIELD.match(line)) is not None:
            fields[said[1]] = said[2]
    return Manifest(
        "ruby",
        name=fields.get("name", ""),
        description=fields.get("summary", ""),
        licence=fields.get("license", ""),
        dependencies=limited(found),
    )


def parse_composer(text: Text) -> Manifest:
    """`composer.json`. Raises ValueError where it is not JSON."""
    document = table(json.loads(text.content))
    found = []
    for key, scope in (("require", "runtime"), ("require-dev", "dev")):
        after = text.heading(f'"{key}"')
        for name, constraint in table(document.get(key)).items():
            if "/" in name:  # `php` and `ext-…` are the platform
                found.append(Dependency(name, text_of(constraint), scope, text.line_of(name, after=after)))
    licence = document.get("license")
    return Manifest(
        "php",
        name=text_of(document.get("name")),
        description=text_of(document.get("description")),
        licence=text_of(licence) or " OR ".join(texts(licence)),
        dependencies=limited(found),
        entry_points=tuple(EntryPoint(target.rpartition("/")[2], target) for target in texts(document.get("bin"))),
    )
