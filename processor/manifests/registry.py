"""Which file is which manifest: the formats of all modules in `ecosystems`. A new ecosystem is a new module there."""

import importlib
import pkgutil
import re
from dataclasses import replace
from functools import cache

from processor.manifests import ecosystems
from processor.manifests.model import Format, Manifest, Text


class NotRead(ValueError):
    """A manifest that says nothing because it cannot be read."""


@cache
def formats() -> tuple[tuple[re.Pattern[str], re.Pattern[str], Format], ...]:
    """All formats with their patterns of name and folder, by module name, then as listed there."""
    names = sorted(module.name for module in pkgutil.iter_modules(ecosystems.__path__))
    modules = [importlib.import_module(f"{ecosystems.__name__}.{name}") for name in names]
    return tuple(
        (re.compile(one.name, re.IGNORECASE), re.compile(one.folder, re.IGNORECASE), one)
        for module in modules
        for one in module.FORMATS
    )


@cache
def _any_name() -> re.Pattern[str]:
    """All names at once, so that a tree of many files is looked through quickly."""
    return re.compile("|".join(f"(?:{one.name})" for _, _, one in formats()), re.IGNORECASE)


def format_of(path: str) -> Format | None:
    """The format of the file at a path, or None where it is no manifest."""
    folder, _, name = path.rpartition("/")
    if _any_name().fullmatch(name) is None:
        return None
    return next(
        (one for by_name, by_folder, one in formats() if by_name.fullmatch(name) and by_folder.fullmatch(folder)), None
    )


def is_lock(path: str) -> bool:
    """Whether it is a lock file that can be read."""
    found = format_of(path)
    return found is not None and found.is_lock


def is_kept_apart(path: str, skipped: str) -> bool:
    """Whether a file that is left out for the reason `skipped` may be read for its dependencies alone."""
    return is_lock(path) if skipped == "lock_file" else skipped == "too_large" and format_of(path) is not None


def read_manifest(path: str, content: str) -> Manifest:
    """What a manifest says. Raises NotRead, whatever is in it."""
    found = format_of(path)
    if found is None:
        raise NotRead("no manifest")
    try:
        manifest = found.parse(Text(content))
    except (ValueError, RecursionError) as error:
        raise NotRead(str(error)[:200] or type(error).__name__) from error
    stem = path.rpartition("/")[2].rpartition(".")[0]
    if not found.names_project:
        return manifest
    points = tuple(one if one.name else replace(one, name=manifest.name or stem) for one in manifest.entry_points)
    return replace(manifest, name=manifest.name or stem, entry_points=points)
