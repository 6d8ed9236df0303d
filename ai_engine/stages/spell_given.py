"""Find the citations of paths that no grammar of paths would read, by the paths that the model was given.

In:  an answer's Markdown, the paths that were in the prompt.
Out: the same, where `[a:1.py:9]` is `[a%3A1.py:9-9]` if there is such a path: the longest that fits, in the form that
     citations have. Code is left as it is, unless it is nothing but a place.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from ai_engine.stages.build_prompt import seen_path
from runtime.citation_form import path_form

_SPAN = r"L?\d{1,9}(?:[-\u2010-\u2015\u2212]L?\d{1,9})?"
_FENCE = r"^[ \t]*(?P<fence>`{3,}|~{3,})[^\n]*(?:\n.*?(?:^[ \t]*(?P=fence)[`~]*|\Z)|\Z)"
_BEGUN = re.compile(r"`?(?:[:\uff1a][ ]?[L\d, \u2010-\u2015\u2212-]*)?")
_LINES = re.compile(r"L?(\d+)(?:[^L\d, ]L?(\d+))?")


def spell_given(answer: str, paths: Iterable[str]) -> str:
    """The answer with each citation of an unusual path in its form. Pure."""
    forms = _forms(paths)
    if not forms:
        return answer
    names = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    piece = re.compile(
        rf"{_FENCE}|(?P<tick>`?)[\[\u3010\uff3b](?P<quote>`??)(?P<path>{names})(?P=quote)"
        rf"[:\uff1a] ?(?P<lines>{_SPAN}(?:, ?{_SPAN})*)[\]\u3011\uff3d](?P=tick)|`[^`\n]+`",
        re.MULTILINE | re.DOTALL,
    )
    return piece.sub(lambda found: _spelled(found, forms), answer)


def open_given(written: str, paths: Iterable[str]) -> int:
    """Where what is written so far ends, without what may become a citation of an unusual path. Pure."""
    names = list(_forms(paths))
    longest = max(map(len, names), default=-100) + 100  # characters, with the lines
    for found in re.finditer(r"`?[\[\u3010\uff3b]`?", written[max(0, len(written) - longest) :] if longest > 0 else ""):
        begun = found.string[found.end() :]
        if any(name.startswith(begun) or _is_begun(begun, name) for name in names):
            return len(written) - len(found.string) + found.start()
    return len(written)


def _is_begun(begun: str, name: str) -> bool:
    return begun.startswith(name) and _BEGUN.fullmatch(begun, len(name)) is not None


def _spelled(found: re.Match[str], forms: Mapping[str, str]) -> str:
    if found["path"] is None:
        return found[0]
    spans = (span.groups() for span in _LINES.finditer(found["lines"]))
    return " ".join(f"[{forms[found['path']]}:{int(first)}-{int(last or first)}]" for first, last in spans)


def _forms(paths: Iterable[str]) -> dict[str, str]:
    """As what an unusual path may be named → its form; nothing that may name two of the paths."""
    given = dict.fromkeys(paths)
    forms = {path: path_form(path) for path in given}
    others: dict[str, set[str]] = {}
    for path in given:
        for name in {seen_path(path), unicodedata.normalize("NFC", path)} - given.keys() - {""}:
            others.setdefault(name, set()).add(forms[path])
    named = {name: of.copy().pop() for name, of in others.items() if len(of) == 1}
    return {name: form for name, form in (named | forms).items() if name != form}
