"""Which languages have it written down how they name things."""

from processor.languages import naming_compiled as compiled
from processor.languages import naming_scripts as scripts
from processor.languages.naming import Naming

_LANGUAGES = {
    "python": scripts.PYTHON,
    "javascript": scripts.SCRIPT,
    "typescript": scripts.SCRIPT,
    "tsx": scripts.SCRIPT,
    "ruby": scripts.RUBY,
    "php": scripts.PHP,
    "go": compiled.GO,
    "java": compiled.JAVA,
    "c": compiled.C,
    "cpp": compiled.C,
    "csharp": compiled.CSHARP,
    "rust": compiled.RUST,
    "kotlin": compiled.KOTLIN,
    "scala": compiled.SCALA,
    "swift": compiled.SWIFT,
}
LANGUAGES = frozenset(_LANGUAGES)


def naming_of(language: str) -> Naming | None:
    """How a language names things; None where nobody wrote that down."""
    return _LANGUAGES.get(language)
