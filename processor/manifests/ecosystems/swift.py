"""Swift: `Package.swift`, `Package.resolved`. Read, never run."""

from collections.abc import Sequence

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.nodes import read_json
from processor.manifests.tokens import SLASHES, Token, argument, calls, tokens

_BOUNDS = ("from", "exact", "branch", "revision")


def parse_package(text: Text) -> Manifest:
    """`Package.swift`: the calls `.package(url: …, from: …)`."""
    name, found, programs = "", [], []
    for call in calls(tokens(text, SLASHES)):
        kind = call.name.rpartition(".")[2]
        if kind == "Package":
            name = argument(call.inside, "name")
        elif kind == "package" and (where := argument(call.inside, "url") or argument(call.inside, "path")):
            found.append(Dependency(identity(where), _constraint(call.inside), "runtime", call.line, group=where))
        elif kind == "package" and (registered := argument(call.inside, "id")):
            found.append(Dependency(registered, _constraint(call.inside), "runtime", call.line))
        elif kind in {"executable", "executableTarget"} and (program := argument(call.inside, "name")):
            programs.append(EntryPoint(program, argument(call.inside, "path")))
    return Manifest("swift", name=name, dependencies=limited(found), entry_points=tuple(dict.fromkeys(programs[:100])))


def identity(where: str) -> str:
    """A package's name, as the package manager takes it from its address."""
    return where.rstrip("/").rpartition("/")[2].removesuffix(".git").lower()


def _constraint(inside: Sequence[Token]) -> str:
    for at, token in enumerate(inside[:-2]):
        if token.value.lstrip(".") in {"upToNextMajor", "upToNextMinor"} and (said := argument(inside[at:], "from")):
            return f"{token.value} {said}"
    for bound in _BOUNDS:
        if said := argument(inside, bound):
            return f">={said}" if bound == "from" else said
    versions = [token.value for token in inside if token.kind == "text" and token.value[:1].isdigit()]
    marks = "".join(token.value for token in inside if token.kind == "mark")
    return ("..<" if "..<" in marks else "...").join(versions) if len(versions) == 2 else "".join(versions)


def parse_resolved(text: Text) -> Manifest:
    """`Package.resolved`, of each version. It does not say what is asked for directly. Raises ValueError."""
    root = read_json(text)
    pins = [*root.get("pins"), *root.get("object", "pins")]
    found = []
    for pin in pins:
        where = pin.get("location").text or pin.get("repositoryURL").text
        state = pin.get("state")
        version = state.get("version").text or state.get("branch").text or state.get("revision").text
        line = pin.get("identity").line or pin.get("package").line
        found.append(Dependency(pin.get("identity").text or identity(where), "", "", line, version=version))
    return Manifest("swift", dependencies=limited(found))


FORMATS = (
    Format(r"package(?:@swift-[\d.]+)?\.swift", parse_package),
    Format(r"package\.resolved", parse_resolved, is_lock=True),
)
