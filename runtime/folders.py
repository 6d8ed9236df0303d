"""What folders of a repository are for, as far as their names say it."""

_TESTS = frozenset(("test", "tests", "testing", "testdata", "spec", "specs", "__tests__", "fixtures"))
_DOCUMENTS = frozenset(("doc", "docs", "documentation", "bench", "benches", "benchmark", "benchmarks"))
_EXAMPLES = frozenset(("example", "examples", "samples", "demo", "demos"))
_ASIDE = _TESTS | _DOCUMENTS | _EXAMPLES | {"vendor", "third_party", "node_modules", ".github"}


def is_aside(folder: str) -> bool:
    """Whether a folder is of tests, documents, examples or what others wrote."""
    return not _ASIDE.isdisjoint(folder.lower().split("/"))


def is_of_tests(folder: str) -> bool:
    """Whether a folder is of tests, or inside one that is."""
    return not _TESTS.isdisjoint(folder.lower().split("/"))


def documents_in(folder: str) -> str:
    """The uppermost folder of documents or benchmarks that a folder is or is in; empty where there is none."""
    return _uppermost(folder, _DOCUMENTS)


def examples_in(folder: str) -> str:
    """The same of examples."""
    return _uppermost(folder, _EXAMPLES)


def _uppermost(folder: str, names: frozenset[str]) -> str:
    return next((name for name in folder.lower().split("/") if name in names), "")
