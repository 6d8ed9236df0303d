"""How an overview says what stands in a repository: nothing of it can be markup, an image, a link or a citation."""

import re
import unicodedata
from collections.abc import Iterable

from events.question import Citation
from runtime.citation_form import CITATION, FORM, path_form, path_of

_LONGEST = 600  # characters of one quoted text
_MARKUP = re.compile(r"([\\`*_\[\]<>~|#])")
_CITED = re.compile(rf"(?<!\\){FORM}")


def flat(text: str) -> str:
    """One line of visible characters."""
    kept = "".join(c if unicodedata.category(c) not in {"Cf", "Cc", "Co", "Cs"} else " " for c in text)
    return " ".join(kept.split())[:_LONGEST]


def told(text: str) -> str:
    """`text` as Markdown that reads as it is written."""
    return _MARKUP.sub(r"\\\1", flat(text))


def code(text: str) -> str:
    """`text` as a code span."""
    return f"`{flat(text).replace('`', chr(39)) or '.'}`"


def cite(path: str, first: int, last: int) -> str:
    """A citation with the space before it; empty where the lines are not known or the path is too long to be cited."""
    said = f"[{path_form(path)}:{first}-{last}]"
    if CITATION.fullmatch(said) is None or not 1 <= first <= last:
        return ""
    return f" {said}"


def cited(text: str) -> list[Citation]:
    """The places that a text cites, each once, in order."""
    read = (m for m in _CITED.finditer(text) if "\\" not in m["path"])
    found = {(path_of(m["path"]), int(m["first"]), int(m["last"])): None for m in read}
    return [Citation(path=path, first_line=first, last_line=last) for path, first, last in found]


def amount(number: int, noun: str, plural: str = "") -> str:
    """`1 file`, `1,204 files`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    known = list(words)
    return " and ".join([", ".join(known[:-1]), known[-1]]) if len(known) > 1 else "".join(known)


def line_of(text: str, wanted: str) -> int:
    """The first line that has `wanted`; 0 where none has."""
    if not wanted:
        return 0
    return next((number for number, line in enumerate(text.split("\n"), 1) if wanted in line), 0)
