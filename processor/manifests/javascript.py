"""JavaScript: `package.json`."""

import json
from collections.abc import Iterator, Mapping

from processor.manifests.model import Dependency, EntryPoint, Manifest, Text, limited, table, text_of

_SCOPES = {
    "dependencies": "runtime",
    "devDependencies": "dev",
    "peerDependencies": "peer",
    "optionalDependencies": "optional",
}


def parse_package_json(text: Text) -> Manifest:
    """`package.json`. Raises ValueError where it is not JSON."""
    document = table(json.loads(text.content))
    licence = document.get("license")
    return Manifest(
        "javascript",
        name=text_of(document.get("name")),
        description=text_of(document.get("description")),
        licence=text_of(table(licence).get("type") if isinstance(licence, Mapping) else licence),
        dependencies=limited(_dependencies(text, document)),
        entry_points=tuple(_entry_points(document)),
    )


def _dependencies(text: Text, document: Mapping[str, object]) -> Iterator[Dependency]:
    for key, scope in _SCOPES.items():
        after = text.heading(f'"{key}"')
        for name, constraint in table(document.get(key)).items():
            yield Dependency(name, text_of(constraint), scope, text.line_of(name, after=after))


def _entry_points(document: Mapping[str, object]) -> Iterator[EntryPoint]:
    commands = document.get("bin")
    if isinstance(commands, str):
        yield EntryPoint(text_of(document.get("name")).rpartition("/")[2], commands)
    for name, target in table(commands).items():
        yield EntryPoint(name, text_of(target))
    if isinstance(main := document.get("main") or document.get("module"), str):
        yield EntryPoint(text_of(document.get("name")), main, "module")
    for name, line in table(document.get("scripts")).items():
        yield EntryPoint(name, text_of(line), "script")
