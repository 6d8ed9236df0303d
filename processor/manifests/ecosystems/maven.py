"""Java by Maven: `pom.xml`."""

import re
from collections.abc import Iterator, Mapping

from processor.manifests.model import Dependency, Format, Manifest, Text, limited
from processor.manifests.xml import Element, read_xml

_PROPERTY = re.compile(r"\$\{([\w.-]{1,100})\}")
_SCOPES = {"": "runtime", "compile": "runtime", "runtime": "runtime", "provided": "build", "system": "runtime"}
_HANDED_DOWN = frozenset(("test", "provided"))  # what a dependency is for that does not say it itself
_MOST_VARIABLES = 1_000
_ROUNDS = 5  # a property may be made of others


def parse_pom(text: Text) -> Manifest:
    """`pom.xml`, with its own properties put in. Raises ValueError where it is not XML."""
    root = read_xml(text)
    properties = _properties(root)
    managed = {_name(one, properties): one for one in root.child("dependencyManagement", "dependencies").children}
    found = [*_listed(root.child("dependencies"), properties, managed)]
    found += _managed(root, properties)
    for profile in root.child("profiles").children:
        own = {**properties, **_set(profile)}
        found += _listed(profile.child("dependencies"), own, managed, profile.child("id").said)
        found += _managed(profile, own)
    found += _plugins(root, properties)
    return Manifest(
        "java",
        name=":".join(filter(None, (_coordinate(root, "groupId"), root.child("artifactId").said))),
        description=root.child("description").said,
        licence=root.child("licenses", "license", "name").said,
        dependencies=limited(found),
        variables=tuple(properties.items())[:_MOST_VARIABLES],
    )


def _properties(root: Element) -> dict[str, str]:
    known = _set(root)
    for name in ("groupId", "version"):
        known[f"project.{name}"] = known[f"pom.{name}"] = _coordinate(root, name)
        known[f"project.parent.{name}"] = root.child("parent", name).said
    known["project.artifactId"] = root.child("artifactId").said
    return known


def _set(part: Element) -> dict[str, str]:
    return {item.name: item.said for item in part.child("properties").children}


def _coordinate(root: Element, name: str) -> str:
    return root.child(name).said or root.child("parent", name).said


def _filled(written: str, properties: Mapping[str, str]) -> str:
    for _ in range(_ROUNDS):
        filled = _PROPERTY.sub(lambda found: properties.get(found[1], found[0]), written)[:500]
        if filled == written:
            break
        written = filled
    return written


def _name(item: Element, properties: Mapping[str, str]) -> str:
    return f"{_filled(item.child('groupId').said, properties)}:{_filled(item.child('artifactId').said, properties)}"


def _listed(
    listed: Element, properties: Mapping[str, str], managed: Mapping[str, Element], profile: str = ""
) -> Iterator[Dependency]:
    for item in listed.children:
        name = _name(item, properties)
        from_above = managed.get(name, Element("", 0))
        version = item.child("version").said or from_above.child("version").said
        scope = _filled(item.child("scope").said or from_above.child("scope").said, properties)
        is_optional = item.child("optional").said == "true"
        used = "optional" if is_optional else _SCOPES.get(scope, scope if scope == "test" else "runtime")
        group = profile or (scope if scope == "provided" else "")
        yield Dependency(name, _filled(version, properties), used, item.child("artifactId").line, group=group)


def _managed(root: Element, properties: Mapping[str, str]) -> Iterator[Dependency]:
    for item in root.child("build", "pluginManagement", "plugins").children:
        version = _filled(item.child("version").said, properties)
        yield Dependency(_plugin(item, properties), version, "managed", item.child("artifactId").line, group="plugin")
    for item in root.child("dependencyManagement", "dependencies").children:
        scope = item.child("scope").said
        group = "bom" if scope == "import" else (scope if scope in _HANDED_DOWN else "")
        version = _filled(item.child("version").said, properties)
        yield Dependency(_name(item, properties), version, "managed", item.child("artifactId").line, group=group)


def _plugins(root: Element, properties: Mapping[str, str]) -> Iterator[Dependency]:
    if (parent := root.child("parent")).children:
        name = f"{parent.child('groupId').said}:{parent.child('artifactId').said}"
        yield Dependency(name, parent.child("version").said, "build", parent.line, group="parent")
    for part in (root, *root.child("profiles").children):
        own = {**properties, **_set(part)}
        for item in (*part.child("build", "plugins").children, *part.child("reporting", "plugins").children):
            version = _filled(item.child("version").said, own)
            yield Dependency(_plugin(item, own), version, "build", item.child("artifactId").line, group="plugin")
            for one in item.child("dependencies").children:
                yield _of_build(one, own, "plugin")
            for path in item.all("annotationProcessorPaths"):
                yield from (_of_build(one, own, "annotationProcessor") for one in path.children)
        for one in part.child("build", "extensions").children:
            yield _of_build(one, own, "extension")


def _of_build(item: Element, properties: Mapping[str, str], group: str) -> Dependency:
    version = _filled(item.child("version").said, properties)
    return Dependency(_name(item, properties), version, "build", item.child("artifactId").line, group=group)


def _plugin(item: Element, properties: Mapping[str, str]) -> str:
    group = item.child("groupId").said or "org.apache.maven.plugins"
    return f"{group}:{_filled(item.child('artifactId').said, properties)}"


FORMATS = (Format(r"pom\.xml|[\w.-]+\.pom", parse_pom),)
