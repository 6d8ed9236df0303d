"""What makes the rows of a file, besides the file: our code and queries, the redactor, the grammars, a parser's limits.

Two processes with the same recipe make the same rows of the same file. Another recipe takes nothing over.
"""

from functools import cache
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from platform import python_version

from events.artifacts import ChunkRow, EdgeRow, OutcomeRow, SourceRow, SymbolRow
from processor.adapters.parser_process import Limits
from runtime import environment_files, redaction

_PACKAGE = Path(__file__).resolve().parents[1]
_CODE = ("languages", "stages")  # more than parsing needs: too much only means that a release reads everything anew
_ROWS = (SourceRow, SymbolRow, EdgeRow, ChunkRow, OutcomeRow)


@cache
def parser_recipe(limits: Limits) -> str:
    """A digest of all that."""
    digest = sha256(f"{python_version()}\n{limits}\n".encode())
    for name in sorted(f"{each.name}=={each.version}" for each in distributions() if _is_grammar(each.name)):
        digest.update(name.encode())
    for row in _ROWS:
        digest.update(repr(sorted((name, str(field.annotation)) for name, field in row.model_fields.items())).encode())
    for file in _files():
        digest.update(f"{file.relative_to(_PACKAGE)}\n".encode())
        digest.update(file.read_bytes())
    for module in (redaction, environment_files):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


def _is_grammar(name: str) -> bool:
    return name.lower().replace("_", "-").startswith("tree-sitter")


def _files() -> list[Path]:
    found = [file for folder in _CODE for file in (_PACKAGE / folder).rglob("*") if file.suffix in {".py", ".scm"}]
    return sorted([*found, *(_PACKAGE / "adapters").glob("parser_*.py")])
