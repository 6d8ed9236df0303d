"""Java and .NET: `pom.xml`, `build.gradle(.kts)`, `libs.versions.toml`, `*.csproj`, `Directory.Packages.props`."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from processor.manifests.model import Dependency, EntryPoint, Manifest, Text, limited, table, text_of

_DTD = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_PROPERTY = re.compile(r"\$\{([\w.-]{1,100})\}")
_GRADLE = re.compile(
    r"^\s*(api|implementation|compile|compileOnly|runtimeOnly|annotationProcessor|kapt|ksp|classpath"
    r"|test\w{0,40}|androidTest\w{0,40}|debugImplementation|developmentOnly)"
    r"[\s(]{1,10}(?:(?:platform|enforcedPlatform|kotlin|project)\s{0,5}\(\s{0,5})?"
    r"(?:[\"']([\w.-]{1,150}):([\w.-]{1,150})(?::([^\"'\s]{1,100}))?[\"']|(libs\.[\w.]{1,150}))"
)


def _xml(text: Text) -> ET.Element:
    """The root element. Raises ValueError; a document type is refused, because entities in it could explode."""
    if _DTD.search(text.content):
        raise ValueError("a document type is not read")
    try:
        return ET.fromstring(text.content)  # noqa: S314  # without a document type there are no entities
    except ET.ParseError as error:
        raise ValueError(str(error)) from error


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _child(element: ET.Element, name: str) -> ET.Element | None:
    return next((child for child in element if _name(child) == name), None)


def _said(element: ET.Element | None, name: str) -> str:
    child = _child(element, name) if element is not None else None
    return text_of(child.text) if child is not None and child.text else ""


def parse_pom(text: Text) -> Manifest:
    """`pom.xml`. Raises ValueError where it is not XML."""
    root = _xml(text)
    properties = {_name(item): text_of(item.text) for item in (_child(root, "properties") or ())}
    properties["project.version"] = _said(root, "version") or _said(_child(root, "parent"), "version")
    licences = _child(root, "licenses")
    first = next(iter(licences), None) if licences is not None else None
    return Manifest(
        "java",
        name=":".join(filter(None, (_said(root, "groupId"), _said(root, "artifactId")))),
        description=_said(root, "description"),
        licence=_said(first, "name"),
        dependencies=limited(_pom_dependencies(text, root, properties)),
    )


def _pom_dependencies(text: Text, root: ET.Element, properties: Mapping[str, str]) -> Iterator[Dependency]:
    after = 0
    for item in _child(root, "dependencies") or ():
        group, artifact = _said(item, "groupId"), _said(item, "artifactId")
        version = _PROPERTY.sub(lambda found: properties.get(found[1], found[0]), _said(item, "version"))
        line = text.line_of(artifact, after=after)
        after = line or after
        yield Dependency(f"{group}:{artifact}", version, _said(item, "scope") or "runtime", line)


def parse_gradle(text: Text) -> Manifest:
    """`build.gradle` and `build.gradle.kts`, line by line: only what is written out, nothing that is computed."""
    found = []
    for number, line in enumerate(text.lines, 1):
        if len(line) <= 500 and (match := _GRADLE.match(line)) is not None:
            name = match[5] or f"{match[2]}:{match[3]}"
            found.append(Dependency(name, match[4] or "", _gradle_scope(match[1]), number))
    return Manifest("java", dependencies=limited(found))


def _gradle_scope(configuration: str) -> str:
    if configuration.startswith(("test", "androidTest")):
        return "test"
    return "build" if configuration in {"classpath", "annotationProcessor", "kapt", "ksp"} else "runtime"


def parse_version_catalog(text: Text) -> Manifest:
    """`libs.versions.toml`. Raises ValueError where it is not TOML."""
    document = tomllib.loads(text.content)
    versions = table(document.get("versions"))
    after = text.heading("[libraries]")
    found = []
    for alias, item in table(document.get("libraries")).items():
        found.append(Dependency(*_module(item, versions), "catalog", text.line_of(alias, after=after)))
    return Manifest("java", dependencies=limited(found))


def _module(item: object, versions: Mapping[str, object]) -> tuple[str, str]:
    if isinstance(item, str):
        module, _, pinned = item.rpartition(":")
        return module, pinned
    entry = table(item)
    module = text_of(entry.get("module")) or f"{text_of(entry.get('group'))}:{text_of(entry.get('name'))}"
    version = entry.get("version")
    named = table(version).get("ref")
    return module, text_of(versions.get(named)) if isinstance(named, str) else text_of(version)


def parse_dotnet(text: Text) -> Manifest:
    """A project file or `Directory.Packages.props`. Raises ValueError where it is not XML."""
    root = _xml(text)
    found, described = [], ""
    program: tuple[EntryPoint, ...] = ()
    for element in root.iter():
        name = _name(element)
        if name in {"PackageReference", "PackageVersion"}:
            package = element.get("Include") or element.get("Update") or ""
            version = element.get("Version") or _said(element, "Version")
            scope = "catalog" if name == "PackageVersion" else "runtime"
            found.append(Dependency(package, version, scope, text.line_of(package)))
        elif name == "Description" and not described:
            described = text_of(element.text)
        elif name == "OutputType" and text_of(element.text).lower() in {"exe", "winexe"}:
            program = (EntryPoint("", text_of(element.text)),)
    return Manifest("dotnet", description=described, dependencies=limited(found), entry_points=program)
