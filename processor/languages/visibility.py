"""Who may use a definition, by the rules of its language. Pure: from words and names that stand in the file.

`public` for everybody, `internal` for its package, module or file, `protected` for heirs, `private` for its class or
scope; empty where the language has no such notion (data, markup, headings).
"""

import re
from functools import lru_cache

_REMEMBERED = 4_096  # beginnings of definitions, which are a few words
_WORD = re.compile(r"[a-z]+(?:\([a-z ]+\))?|[A-Z]\w*")
_INSIDE = frozenset({"function", "method"})
_MODIFIERS = {
    "private": "private",
    "protected": "protected",
    "fileprivate": "internal",
    "internal": "internal",
    "public": "public",
    "open": "public",
    "export": "public",
}
# What holds where nothing is said: at the top of a file, and within a class.
_DEFAULTS = {
    "java": ("internal", "internal"),
    "csharp": ("internal", "private"),
    "kotlin": ("public", "public"),
    "scala": ("public", "public"),
    "swift": ("internal", "internal"),
    "php": ("public", "public"),
    "javascript": ("internal", "public"),
    "typescript": ("internal", "public"),
    "tsx": ("internal", "public"),
    "ruby": ("public", "public"),
    "rust": ("private", "private"),
    "cpp": ("public", "private"),
    "c": ("public", "public"),
    "shell": ("public", "public"),
    "elixir": ("public", "public"),
    "lua": ("public", "public"),
    "sql": ("public", "public"),
}
SAID_IN_WORDS = frozenset(_DEFAULTS)  # before a name; others say it by the name itself
_CONTRACTS = frozenset({"interface", "trait", "enum"})  # what they ask for is as visible as they are
_OPEN_CLASSES = frozenset({"struct", "namespace", "module"})
_CLASSES = frozenset({"class", "interface", "struct", "enum", "trait", "object"})


def visibility_of(language: str, name: str, before: bytes, outer: tuple[str, str] | None, access: str) -> str:
    """Who may use a definition.

    `before` is the source that stands before its name, of languages in `SAID_IN_WORDS`; `outer` the kind of what
    encloses it, and who may use that; `access` what a label above says (`private:` in C++, `private` in Ruby), empty
    where none does.
    """
    if language in {"python", "dart", "cython"}:
        return _by_underscore(language, name, outer)
    if language == "go":
        return "public" if name[:1].isupper() else "internal"
    if language not in _DEFAULTS:
        return ""
    if outer is not None and outer[0] in _INSIDE and language not in {"ruby", "rust"}:
        return "private"
    if name.startswith("#"):
        return "private"
    return _said(language, before) or access or _default(language, outer)


def _by_underscore(language: str, name: str, outer: tuple[str, str] | None) -> str:
    if outer is not None and outer[0] in _INSIDE:
        return "private"
    if name.startswith("__") and name.endswith("__") and len(name) > 4:
        return "public"
    if name.startswith("__"):
        return "private"
    if not name.startswith("_"):
        return "public"
    if language == "dart":
        return "internal"
    return "protected" if outer is not None and outer[0] == "class" else "internal"


@lru_cache(_REMEMBERED)
def _said(language: str, before: bytes) -> str:
    words = _WORD.findall(before.decode("utf-8", "replace"))
    if language == "rust":
        return next(("public" if word == "pub" else "internal" for word in words if word.startswith("pub")), "")
    if language in {"c", "cpp"}:
        return "internal" if "static" in words else ""
    if language == "elixir":
        return "private" if words and words[-1].endswith("p") and words[-1].startswith("def") else ""
    if language == "lua":
        return "internal" if "local" in words else ""
    if language == "csharp" and "protected" in words and "private" in words:
        return "internal"
    return next((_MODIFIERS[word] for word in words if word in _MODIFIERS), "")


def _default(language: str, outer: tuple[str, str] | None) -> str:
    top, within = _DEFAULTS[language]
    if outer is None:
        return top
    kind, visible = outer
    if kind in _CONTRACTS or (language == "cpp" and kind in _OPEN_CLASSES) or (language == "rust" and kind == "enum"):
        return visible if kind in _CONTRACTS and visible else "public"
    return within if kind in _CLASSES or language == "rust" else top
