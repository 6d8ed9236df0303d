"""Tell files that mention everything and explain little: tests, examples, documents, old code kept for compatibility.

In:  a path and its file class.
Out: the kind of noise, or None.
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
        # A package called `doc` or `site` is code; a folder called so beside the code has documents and what shows them.
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


@lru_cache(maxsize=100_000)
def noise_of(path: str, file_class: str) -> str | None:
    """Return test, example, docs or compat, or None for a file that does the work. Pure."""
    if file_class in _CLASS:
        return _CLASS[file_class]
    return next((kind for kind, pattern in _PATHS if pattern.search(path)), None)
