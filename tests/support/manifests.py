"""What manifests say, in a form that tests can compare."""

from processor.manifests.model import Manifest
from processor.manifests.registry import read_manifest


def needs(manifest: Manifest) -> list[tuple[str, str, str, int]]:
    """Name, constraint (or the version that a lock file chose), scope with its group, line."""
    return [
        (
            one.name,
            one.constraint or one.version,
            f"{one.scope}:{one.group}" if one.group else one.scope,
            one.line,
        )
        for one in manifest.dependencies
    ]


def read(path: str, text: str) -> list[tuple[str, str, str, int]]:
    """The same of a text."""
    return needs(read_manifest(path, text))
