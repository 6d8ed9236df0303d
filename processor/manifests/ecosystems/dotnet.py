""".NET: project files, `Directory.Packages.props`, `packages.config`, `packages.lock.json`, tool manifests."""

from collections.abc import Iterator

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.nodes import read_json
from processor.manifests.xml import Element, read_xml

_TEST_SDKS = frozenset(
    ("microsoft.net.test.sdk", "xunit", "xunit.v3", "nunit", "mstest.testframework", "mstest", "tunit")
)
_PROGRAMS = ("Microsoft.NET.Sdk.Web", "Microsoft.NET.Sdk.Worker", "Microsoft.NET.Sdk.BlazorWebAssembly")
_REFERENCES = {  # with their scopes, where they have one of their own
    "PackageReference": "",
    "FrameworkReference": "",
    "PackageVersion": "managed",
    "GlobalPackageReference": "build",
    "DotNetCliToolReference": "build",
    "PackageDownload": "build",
}


def parse_project(text: Text) -> Manifest:
    """A project file or `Directory.*.props`. Raises ValueError where it is not XML."""
    root = read_xml(text)
    references = list(root.all(*_REFERENCES))
    asked = {name.lower() for one in references if one.name == "PackageReference" for name in _included(one)}
    is_test = bool(asked & _TEST_SDKS) or _first(root, "IsTestProject").lower() == "true"
    program = next((one.said for one in root.all("OutputType") if one.said.lower() in {"exe", "winexe"}), "")
    program = program or ("Exe" if root.attributes.get("Sdk", "").startswith(_PROGRAMS) else "")
    return Manifest(
        "dotnet",
        name=_first(root, "PackageId", "AssemblyName"),
        description=_first(root, "Description"),
        licence=_first(root, "PackageLicenseExpression"),
        dependencies=limited(_packages(references, is_test=is_test)),
        entry_points=(EntryPoint(_first(root, "AssemblyName"), program),) if program else (),
        variables=tuple((one.name, one.said) for group in root.all("PropertyGroup") for one in group.children)[:1_000],
    )


def _packages(references: list[Element], *, is_test: bool) -> Iterator[Dependency]:
    for one in references:
        version = _said(one, "Version") or _said(one, "VersionOverride")
        scope = _REFERENCES[one.name] or ("test" if is_test else "runtime")
        if _said(one, "PrivateAssets").lower() == "all" and scope == "runtime":
            scope = "build"
        group = "framework" if one.name == "FrameworkReference" else ""
        for name in _included(one):
            yield Dependency(name, version, scope, one.line, group=group)


def _said(element: Element, name: str) -> str:
    return element.attributes.get(name) or element.child(name).said


def _included(element: Element) -> list[str]:
    written = element.attributes.get("Include") or element.attributes.get("Update") or ""
    return [name.strip() for name in written.split(";")]


def _first(root: Element, *names: str) -> str:
    return next((one.said for name in names for one in root.all(name) if one.said), "")


def parse_packages_config(text: Text) -> Manifest:
    """`packages.config`. Raises ValueError where it is not XML."""
    found = []
    for one in read_xml(text).all("package"):
        scope = "dev" if one.attributes.get("developmentDependency") == "true" else "runtime"
        found.append(Dependency(one.attributes.get("id", ""), one.attributes.get("version", ""), scope, one.line))
    return Manifest("dotnet", dependencies=limited(found))


def parse_lock(text: Text) -> Manifest:
    """`packages.lock.json`. Raises ValueError where it is not JSON."""
    found = []
    for framework, packages in read_json(text).get("dependencies").items():
        for name, package in packages.items():
            kind = package.get("type").text.lower()
            if kind != "project":
                scope = "transitive" if "transitive" in kind else ""
                asked, chosen = package.get("requested").text, package.get("resolved").text
                found.append(Dependency(name, asked, scope, package.line, version=chosen, group=framework))
    return Manifest("dotnet", dependencies=limited(found))


def parse_tools(text: Text) -> Manifest:
    """`dotnet-tools.json`. Raises ValueError where it is not JSON."""
    tools = read_json(text).get("tools").items()
    return Manifest(
        "dotnet",
        dependencies=limited(Dependency(name, tool.get("version").text, "dev", tool.line) for name, tool in tools),
    )


FORMATS = (
    Format(r"[\w.+-]+\.(?:cs|fs|vb)proj", parse_project, names_project=True),
    Format(r"directory\.(?:packages|build)\.(?:props|targets)", parse_project),
    Format(r"packages\.config", parse_packages_config),
    Format(r"packages\.lock\.json", parse_lock, is_lock=True),
    Format(r"dotnet-tools\.json", parse_tools),
)
