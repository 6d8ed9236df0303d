"""Receivers and signatures, as they are written, taken apart. Pure."""

import re

from processor.languages.bindings import plain_type
from processor.linking.symbols import Symbols

_SPLIT = re.compile(r"\?\.|->|::|\.|\\")
_GENERIC = re.compile(r"<[^<>]*>|\[[^\[\]]*\]")
_NEW = re.compile(r"^new([A-Z]\w*)")
_RETURNS = {
    "python": re.compile(r"->\s*([^:]+?)\s*:?$"),
    "rust": re.compile(r"->\s*([^{]+?)\s*(?:where\b.*)?$"),
    "typescript": re.compile(r"\)\s*:\s*([^{=]+?)\s*$"),
    "tsx": re.compile(r"\)\s*:\s*([^{=]+?)\s*$"),
    "go": re.compile(r"\)\s*\(?\s*(?:\w+\s+)?(\*?[A-Za-z_][\w.]*)\s*(?:,.*\)|\))?\s*$"),
    "kotlin": re.compile(r"\)\s*:\s*([\w.<>?]+)"),
}
_BEFORE_NAME = frozenset({"java", "csharp", "c", "cpp"})


def made_by(name: str) -> str:
    """The class of `newFoo`, which is `new Foo` without its blanks; else empty."""
    made = _NEW.match(name)
    return made.group(1) if made else ""


def parts_of(written: str) -> list[str]:
    """The parts of a chain of names and calls; a call ends with `()`."""
    text = written
    while (shorter := _GENERIC.sub("", text)) != text:
        text = shorter
    called = "()" if text.endswith("()") else ""
    return [part for part in _SPLIT.split(text.replace("!", "").strip("&*() ") + called) if part]


def returned(language: str, symbols: Symbols, number: int) -> str:
    """The type that the signature of a function says it gives; else empty."""
    signature = symbols.signature(number)
    if language in _BEFORE_NAME:
        before = signature.partition(f"{symbols.name(number)}(")[0].split()
        return plain_type(before[-1]) if before and before[-1] not in {"new", "return", "void"} else ""
    rule = _RETURNS.get(language)
    found = rule.search(signature) if rule is not None else None
    return plain_type(found.group(1)) if found else ""
