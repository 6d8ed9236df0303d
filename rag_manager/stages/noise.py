"""Tell files that mention everything and explain little: tests, examples, documents, old code kept for compatibility.

In:  a path and its file class.
Out: the kind of noise, or None; and what a file is that stands beside the code and does nothing itself.
"""

import re
from functools import lru_cache

_CLASS = {"test": "test", "docs": "docs", "generated": "compat", "vendored": "compat"}
_PATHS = tuple(
    (kind, re.compile("|".join(patterns), re.IGNORECASE))
    for kind, patterns in (
        (
            "test",
            (
                r"(^|/)(tests?|testing|__tests__|specs?|test[_-]?(data|utils?|helpers?|support)|fixtures?|mocks?)/",
                r"(^|/)(test_[^/]*|conftest\.py)$",
                r"[._-](test|tests|spec)\.[a-z]+$",
                r"(?-i:Tests?)\.(java|cs|kt|php|swift)$",
            ),
        ),
        ("example", (r"(^|/)(examples?|samples?|demos?|tutorials?|docs_src|bench(marks?)?|perf|playground)/",)),
        (
            "docs",
            (
                r"(^|/)(docs|documentation|website|\.github)/(?!.*\.go$)",
                r"^(doc|site)/(?!.*\.go$)",
                r"\.(md|rst|txt|adoc|mdx)$",
            ),
        ),
        (
            "compat",
            (
                r"(^|/)(_?compat|_?legacy|_?vendor(ed)?|third_party|node_modules|polyfills?)/",
                r"(^|/)(_?compat|_?legacy|_?deprecated)\.[a-z]+$",
            ),
        ),
    )
)
# Inside the code a package may be called so; what else is in such a folder are documents.
_DOCUMENTS = re.compile(r"(^|/)(doc|site)/", re.IGNORECASE)


@lru_cache(maxsize=100_000)
def noise_of(path: str, file_class: str) -> str | None:
    """Return test, example, docs or compat, or None for a file that does the work. Pure."""
    if file_class in _CLASS:
        return _CLASS[file_class]
    if file_class != "code" and _DOCUMENTS.search(path):
        return "docs"
    return next((kind for kind, pattern in _PATHS if pattern.search(path)), None)


_DECLARES = re.compile(r"\.(d\.[cm]?ts|pyi)$", re.IGNORECASE)


@lru_cache(maxsize=100_000)
def aside_of(path: str, file_class: str) -> str | None:
    """Return types for a file that only declares what another one does, config for one that sets; else None. Pure."""
    if _DECLARES.search(path):
        return "types"
    return "config" if file_class in {"config", "data"} else None
