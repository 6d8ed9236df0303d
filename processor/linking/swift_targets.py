"""The modules of a `Package.swift`, read and never run: in which folders they are, and which come from where. Pure."""

from collections.abc import Iterator
from posixpath import join, normpath

from processor.linking.meanings import SwiftTarget
from processor.manifests.model import Text
from processor.manifests.tokens import SLASHES, argument, calls, tokens

# Where the package manager looks for a target that does not say its folder.
_SOURCES = ("Sources", "Source", "src", "srcs")
_FOLDERS = {
    "target": _SOURCES,
    "executableTarget": _SOURCES,
    "systemLibrary": _SOURCES,
    "macro": _SOURCES,
    "testTarget": ("Tests", *_SOURCES),
}


def swift_targets(folder: str, content: str) -> Iterator[SwiftTarget]:
    """The targets of the package in a folder, one for each place where one may be."""
    for call in calls(tokens(Text(content), SLASHES)):
        places = _FOLDERS.get(call.name.rpartition(".")[2])
        if places and (name := argument(call.inside, "name")):
            path = argument(call.inside, "path")
            for place in [path] if path else [f"{one}/{name}" for one in places]:
                yield SwiftTarget(name, normpath(join(folder, place)).removeprefix("./"), folder)


def swift_products(content: str) -> Iterator[tuple[str, str]]:
    """(module, package) of the products that targets say they depend on."""
    for call in calls(tokens(Text(content), SLASHES)):
        if call.name.rpartition(".")[2] == "product" and (name := argument(call.inside, "name")):
            yield name, argument(call.inside, "package")
