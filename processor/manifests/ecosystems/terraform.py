"""Terraform and OpenTofu: required providers, modules, `.terraform.lock.hcl`."""

import re
from collections.abc import Iterator

from processor.manifests.model import Dependency, Format, Manifest, Text, limited
from processor.manifests.tokens import BOTH, Statement, argument, statements, tokens

_KEYS = ("source", "version")
_REF = re.compile(r"[?&]ref=([^&\s]{1,200})")
_REGISTRIES = re.compile(r"registry\.(?:terraform\.io|opentofu\.org)/")


def parse_configuration(text: Text) -> Manifest:
    """A `.tf` file. Modules of the repository itself (`./…`) are no dependencies."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    lines: dict[tuple[str, str], int] = {}
    for one in statements(tokens(text, BOTH)):
        if one.head == "module" and one.texts and not one.blocks:
            lines.setdefault(("module", one.texts[0]), one.line)
        elif (place := _place(one)) is not None:
            lines.setdefault(place, one.line)
            kept = found.setdefault(place, {})
            kept.update({key: said for key, said in _said(one).items() if key not in kept})
    return Manifest("terraform", dependencies=limited(_dependencies(found, lines)))


def _place(one: Statement) -> tuple[str, str] | None:
    """`("module", name)` or `("provider", name)` that a statement stands directly in."""
    if not one.blocks:
        return None
    last = one.blocks[-1]
    if last[:1] == ("module",) and len(last) > 1:
        return ("module", last[1])
    if last[:1] == ("provider",) and len(last) > 1 and one.head == "version":  # until 0.13
        return ("provider", last[1])
    if last == ("required_providers",) and one.head:
        return ("provider", one.head)
    if len(one.blocks) > 1 and one.blocks[-2] == ("required_providers",) and last:
        return ("provider", last[0])
    return None


def _said(one: Statement) -> dict[str, str]:
    """The source or the version that a statement sets; `aws = "~> 5.0"` is the short form of a provider's version."""
    if one.blocks[-1] == ("required_providers",):
        return {"version": one.texts[0]} if len(one.tokens) == 3 and one.texts else {}
    return {key: said for key in _KEYS if one.head in _KEYS and (said := argument(one.tokens, key))}


def _dependencies(
    found: dict[tuple[str, str], dict[str, str]], lines: dict[tuple[str, str], int]
) -> Iterator[Dependency]:
    for (kind, name), said in found.items():
        source = said.get("source", "")
        if kind == "module" and (not source or source.startswith((".", "/"))):
            continue
        shown = source or f"hashicorp/{name}"
        ref = _REF.search(source) if kind == "module" else None
        version = said.get("version") or (ref[1] if ref is not None else "")
        yield Dependency(shown, version, "runtime", lines[kind, name], group=kind)


def parse_lock(text: Text) -> Manifest:
    """`.terraform.lock.hcl`: the providers that were chosen."""
    found: dict[str, Dependency] = {}
    for one in statements(tokens(text, BOTH)):
        if one.head == "provider" and one.texts:
            name = _REGISTRIES.sub("", one.texts[0], count=1)
            found[name] = Dependency(name, "", "", one.line, group="provider")
        elif one.head == "version" and one.texts and found:
            name, last = next(reversed(found.items()))
            found[name] = Dependency(name, "", "", last.line, version=one.texts[0], group="provider")
    return Manifest("terraform", dependencies=limited(found.values()))


FORMATS = (
    Format(r"[\w.-]+\.(?:tf|tofu)", parse_configuration),
    Format(r"\.terraform\.lock\.hcl", parse_lock, is_lock=True),
)
